//! A person, or an App with a token, has an App called (apps-framework.md section 2.7, R06).

use tessera_types::{App, AppId, AppMetadata, CallRequest, CallResponse, Context, path};
use tokio::time::Instant;

use super::error::Shown;
use super::expand::Asking;
use super::inspector::Begun;
use super::{Asked, CallError, Calls, ExpandError, InvokeError};
use crate::platform::Identity;
use crate::upstream::Target;

/// What the caller is answered: always a call response, with the App's bot once the App is known.
#[derive(Debug, Clone, Default)]
pub struct CallOutcome {
    /// The App's answer, or what went wrong as one.
    pub response: CallResponse,
    /// Who the App is.
    pub metadata: AppMetadata,
}

impl Calls {
    /// Calls the App that `request.context.app_id` names, for `caller`. Failures are answers too.
    pub async fn invoke(
        &self,
        caller: Option<&Identity>,
        request: CallRequest,
        request_id: &str,
        deadline: Instant,
    ) -> CallOutcome {
        Box::pin(self.invoke_from(caller, request, None, request_id, deadline)).await
    }

    /// The same. Where the caller must agree to something first, the call waits for that ([`Calls::take_back`]), and with it
    /// `hook`: where later answers go, if anywhere.
    pub async fn invoke_from(
        &self,
        caller: Option<&Identity>,
        request: CallRequest,
        hook: Option<&str>,
        request_id: &str,
        deadline: Instant,
    ) -> CallOutcome {
        let mut metadata = AppMetadata::default();
        // On the heap: an expanded context is large, and every caller's future would carry it.
        let (app, path) = (request.context.app_id.clone(), request.path.clone());
        let typed = !request.raw_command.is_empty();
        let answer = Box::pin(self.answer(caller, request, hook, request_id, deadline, &mut metadata)).await;
        let response = answer.unwrap_or_else(|error| {
            if !matches!(error, InvokeError::Call(CallError::Upstream(_))) {
                let acting = caller.map(|caller| caller.user_id.as_str());
                self.unsent(|| Begun::new(request_id, &app, &path, "call", acting), &error);
            }
            match &error {
                // Below a command that was typed clients draw an error as plain text, in which no link can be followed.
                InvokeError::Agree { .. } if typed => CallResponse {
                    kind: CallResponse::OK.to_owned(),
                    ..CallResponse::error(error.to_string())
                },
                _ => CallResponse::error(error.to_string()),
            }
        });
        CallOutcome { response, metadata }
    }

    async fn answer(
        &self,
        caller: Option<&Identity>,
        request: CallRequest,
        hook: Option<&str>,
        request_id: &str,
        deadline: Instant,
        metadata: &mut AppMetadata,
    ) -> Result<CallResponse, InvokeError> {
        let caller = caller.ok_or(InvokeError::NoUser)?;
        let id = AppId::unchecked(request.context.app_id.as_str());
        let found = self.apps.callable(&id).await;
        let app = found.map_err(|error| InvokeError::App(Shown::from(error)))?;
        *metadata =
            AppMetadata { bot_user_id: app.bot_user_id.clone(), bot_username: app.bot_username.clone() };
        let path = clean_path(&app, &request.path)?;
        let target = Target::of(&app).map_err(CallError::from)?;
        let acting = Some(caller.user_id.as_str());
        // A subject is for notifications, and only the server makes those (B-18).
        let given = Context { subject: String::new(), ..request.context };
        let asking =
            Asking { app: &app, acting, given: &given, path: &path, request: request_id, asks: true };
        let context = match self.expand(asking, request.expand.as_ref()).await {
            Err(ExpandError::NeedsConsent(url)) => {
                let asked = CallRequest { path, context: given, ..request };
                let ticket = self.put_aside(&id, caller, hook, asked).await;
                let name = app.manifest.display_name.clone();
                return Err(InvokeError::agree(name, url, ticket));
            }
            context => context.map_err(CallError::from)?,
        };
        let request = CallRequest { path, context, ..request };
        let asked = Asked { acting, id: request_id, kind: "call", deadline };
        Ok(Box::pin(self.dispatch(&app, &target, request, asked)).await?)
    }
}

/// The path that the App will see, unless it is one of those that only the server calls.
fn clean_path(app: &App, given: &str) -> Result<String, InvokeError> {
    if !given.starts_with('/') {
        return Err(InvokeError::Path(given.to_owned()));
    }
    let path = path::clean(given);
    match app.manifest.reserved_path(&path) {
        Some(label) => Err(InvokeError::Reserved { path, label }),
        None => Ok(path),
    }
}
