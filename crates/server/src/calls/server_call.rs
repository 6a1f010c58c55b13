//! Calls that the server makes itself: connect and complete, life cycle, bindings (apps-framework.md section 5.5).

use std::collections::BTreeMap;

use tessera_types::{App, Call, CallRequest, CallResponse, Context, RawJson};
use tokio::time::Instant;

use super::expand::Asking;
use super::inspector::{self, Begun};
use super::{Asked, CallError, Calls};
use crate::upstream::Target;

/// A call that the server makes itself.
#[derive(Debug)]
pub struct ServerCall<'a> {
    /// The App.
    pub app: &'a App,
    /// What is called: the manifest's call, completed by its default.
    pub call: Call,
    /// What the App is told.
    pub values: BTreeMap<String, RawJson>,
    /// Where it happens, as a user agent would say; the server alone knows no place.
    pub given: Context,
    /// For whom, by user id.
    pub acting: Option<&'a str>,
    /// The request's id, for the audit log.
    pub request: &'a str,
    /// When the initiator stops waiting.
    pub deadline: Instant,
}

impl Calls {
    /// Makes a call of the server's own. Whether the App may be called now was for the caller to check: life-cycle
    /// calls reach disabled Apps too (B-57).
    ///
    /// # Errors
    /// When there is no answer. An answer of the type `error` is the App's word, and is given back as it is.
    pub async fn server_call(&self, made: ServerCall<'_>) -> Result<CallResponse, CallError> {
        // On the heap: an expanded context is large, and every caller's future would carry it.
        let (app, path) = (made.app, made.call.path.clone());
        let (id, acting) = (made.request, made.acting);
        let answer = Box::pin(self.make(made)).await;
        if let Err(error) = &answer
            && !matches!(error, CallError::Upstream(_))
        {
            let begun = || Begun::new(id, &app.manifest.app_id, &path, inspector::kind(app, &path), acting);
            self.unsent(begun, error);
        }
        answer
    }

    async fn make(&self, made: ServerCall<'_>) -> Result<CallResponse, CallError> {
        let ServerCall { app, call, values, given, acting, request, deadline } = made;
        let target = Target::of(app)?;
        let asking = Asking { app, acting, given: &given, path: &call.path, request, asks: false };
        let context = self.expand(asking, call.expand.as_ref()).await?;
        let asked = Asked { acting, id: request, kind: inspector::kind(app, &call.path), deadline };
        let request = CallRequest {
            path: call.path,
            expand: call.expand,
            state: call.state,
            values,
            context,
            ..CallRequest::default()
        };
        Box::pin(self.dispatch(app, &target, request, asked)).await
    }
}
