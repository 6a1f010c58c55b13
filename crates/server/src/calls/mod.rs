//! Calls of Apps: a context is expanded, the App is called, its answer tidied (apps-framework.md sections 5 to 7).
//!
//! Nothing is held across a call: the App may call us back, as the same user, while we wait for it.

mod again;
mod bindings;
mod consistency;
mod context;
mod entities;
mod error;
mod expand;
mod eyes;
mod forms;
mod inspector;
mod invoke;
mod oauth2;
mod plan;
mod server_call;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tessera_types::{App, AppId, CallRequest, CallResponse};
use tokio::time::Instant;

use crate::apps::Registry;
use crate::audit::Audit;
use crate::env::Env;
use crate::grants::Grants;
use crate::platform::{Audience, Event, Identity, Platform, REFRESH_BINDINGS};
use crate::rate::{Limit, Wait};
use crate::upstream::{Target, Upstream};

pub use again::{Kept, WaitError, Waiting};
pub use bindings::{Gathered, Outcome};
pub use error::{CallError, Cause, ExpandError, InvokeError};
pub use forms::{About, Problem, clean_form};
pub use inspector::Seen;
use inspector::{Begun, Inspector};
pub use invoke::CallOutcome;
pub use server_call::ServerCall;

/// Whether bots may use OAuth2 (decisions.md section 1.3).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// As documented: a bot has credentials and a connection of its own.
    #[default]
    Documented,
    /// As the original does: a bot is refused.
    Reference,
}

/// What calls need to know about the site.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The site URL, exactly as configured.
    pub site_url: String,
    /// Told to Apps.
    pub developer_mode: bool,
    /// Whether bots may use OAuth2.
    pub profile: Profile,
}

/// On whose behalf a request is sent, in which request of theirs, why, and until when.
#[derive(Clone, Copy)]
struct Asked<'a> {
    acting: Option<&'a str>,
    id: &'a str,
    kind: &'static str,
    deadline: Instant,
}

/// Calls Apps, for people and for the server itself.
pub struct Calls {
    apps: Arc<Registry>,
    grants: Arc<Grants>,
    platform: Arc<dyn Platform>,
    upstream: Arc<Upstream>,
    audit: Arc<Audit>,
    settings: Settings,
    bindings_memory: bindings::Memory,
    inspector: Option<Inspector>,
    pace: Option<Limit>,
    waiting: Option<Waiting>,
}

/// Somebody calls more than they may (OS-55).
#[derive(Debug, thiserror::Error)]
#[error("no more than {many} calls within a minute are served: try again in {wait}")]
pub struct TooFast {
    /// How many there may be.
    pub many: u32,
    /// When there may be another.
    pub wait: Wait,
}

impl Calls {
    /// Calls over the rooms below.
    pub fn new(
        apps: Arc<Registry>,
        grants: Arc<Grants>,
        platform: Arc<dyn Platform>,
        upstream: Arc<Upstream>,
        audit: Arc<Audit>,
        settings: Settings,
    ) -> Self {
        let bindings_memory = bindings::Memory::new();
        Self {
            apps,
            grants,
            platform,
            upstream,
            audit,
            settings,
            bindings_memory,
            inspector: None,
            pace: None,
            waiting: None,
        }
    }

    /// The same, with so many calls for each caller within a minute from now on; 0 for no limit.
    #[must_use]
    pub fn limited(self, env: Env, per_minute: u32) -> Self {
        Self { pace: Some(Limit::new(env, per_minute, Duration::from_secs(60))), ..self }
    }

    /// Takes one of the calls that the caller has left. An App that calls with a user's token uses up a count of its
    /// own, so that it is not in the way of its user.
    pub fn take(&self, caller: &Identity) -> Result<(), TooFast> {
        let Some(pace) = &self.pace else { return Ok(()) };
        let taken = match &caller.app {
            None => pace.take(&caller.user_id),
            Some(app) => pace.take(&format!("{} {app}", caller.user_id)),
        };
        taken.map_err(|wait| TooFast { many: pace.many(), wait })
    }

    /// Remembers the last calls from now on, for [`Calls::seen`].
    #[must_use]
    pub fn inspected(self, env: Env) -> Self {
        Self { inspector: Some(Inspector::new(env)), ..self }
    }

    /// The last calls, newest first; of one user, or of all. None where calls are not remembered.
    pub fn seen(&self, user: Option<&str>) -> Option<Vec<Seen>> {
        self.inspector.as_ref().map(|inspector| inspector.of(user))
    }

    /// Remembers a call that failed before anything was sent.
    fn unsent<E: ToString>(&self, begun: impl FnOnce() -> Begun, error: &E) {
        if let Some(inspector) = &self.inspector {
            inspector.ended(begun(), &Err::<CallResponse, _>(error.to_string()));
        }
    }

    /// Sends an expanded request, then tidies the answer. The acting user in the JWT is the expanded one (B-34).
    async fn dispatch(
        &self,
        app: &App,
        target: &Target,
        request: CallRequest,
        asked: Asked<'_>,
    ) -> Result<CallResponse, CallError> {
        let Asked { acting, id, kind, deadline } = asked;
        let path = request.path.clone();
        let begun = self
            .inspector
            .as_ref()
            .map(|to| (to, Begun::new(id, &app.manifest.app_id, &path, kind, acting).with(&request)));
        let expanded = request.context.acting_user.as_ref().map(|user| user.id.clone());
        let answer = self.upstream.post(target, kind, request, expanded.as_deref(), deadline).await;
        if let Some((inspector, begun)) = begun {
            inspector.ended(begun, &answer);
        }
        Ok(self.tidy(app, &path, acting, answer?))
    }

    /// What becomes of an App's answer (section 5.3): a missing type means ok, forms are cleaned, and clients of
    /// the acting user are told to fetch bindings again where the App says so.
    fn tidy(&self, app: &App, path: &str, acting: Option<&str>, mut response: CallResponse) -> CallResponse {
        if response.kind.is_empty() {
            response.kind = CallResponse::OK.to_owned();
        }
        if let Some(form) = response.form.take() {
            let id = AppId::unchecked(app.manifest.app_id.as_str());
            let (form, problems) = clean_form(form, &self.settings.site_url, &id);
            for problem in problems {
                tracing::debug!(app = %id, %problem, "cleaned a form");
            }
            response.form = Some(form);
        }
        if let Some(user) = acting
            && response.refresh_bindings
            && !response.is_error()
            && path != app.manifest.bindings_call().path
        {
            let audience = Audience::User(user.to_owned());
            self.platform.publish(Event { name: REFRESH_BINDINGS, audience });
        }
        response
    }
}
