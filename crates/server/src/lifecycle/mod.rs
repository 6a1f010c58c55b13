//! The life of an App on this site: listed, installed, enabled, disabled, uninstalled (apps-framework.md section 9).

mod assets;
mod catalogue;
mod error;
mod install;
mod listing;
mod switch;
mod uninstall;

use std::collections::BTreeMap;
use std::sync::Arc;

use tessera_types::{App, AppId, Call, CallResponse, Context};
use tokio::time::Instant;
use url::Url;

use crate::apps::Registry;
use crate::audit::{self, Audit};
use crate::calls::{Calls, ServerCall};
use crate::env::Env;
use crate::grants::{Act, Grants};
use crate::platform::{Audience, Event, Platform, REFRESH_BINDINGS};
use crate::upstream::Upstream;

pub use catalogue::Filter;
pub use error::Error;

/// The version of the framework that this service speaks (sections 2.9 and 8.1).
pub const FRAMEWORK_VERSION: &str = "1.2.2";

/// How long a change that no request asks for may take.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// Who asks for a change, in which request, and how long there is to answer.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    /// The acting user's id.
    pub actor: &'a str,
    /// The request's id.
    pub request: &'a str,
    /// Calls to the App end by then.
    pub deadline: Instant,
}

/// Lists, installs, enables, disables and uninstalls.
pub struct Lifecycle {
    /// The registry of Apps.
    pub apps: Arc<Registry>,
    /// Credentials and connections, for what an App leaves behind.
    pub grants: Arc<Grants>,
    /// Bots, tokens, events.
    pub platform: Arc<dyn Platform>,
    /// Calls to the App about itself.
    pub calls: Arc<Calls>,
    /// The ping before an install.
    pub upstream: Arc<Upstream>,
    /// Who did it.
    pub audit: Arc<Audit>,
    /// Times and ids.
    pub env: Env,
    /// Where the site is.
    pub site_url: Url,
}

impl Lifecycle {
    /// An installed App as an administrator sees it: with its secrets and its credentials at the remote service.
    pub async fn for_administrator(&self, id: &AppId, by: &By<'_>) -> Result<App, Error> {
        let mut app = App::clone(&*self.apps.installed(id).await?);
        if app.is_granted(crate::grants::REMOTE_OAUTH2) {
            let act = Act { actor: by.actor, app: id, request: by.request, reason: "administrator" };
            app.remote_oauth2 = self.grants.credentials(&act).await?;
        }
        Ok(app)
    }

    /// An installed App as anyone signed in sees it: without any secret (section 2.15; B-20).
    pub async fn for_anyone(&self, id: &AppId) -> Result<App, Error> {
        Ok(App::clone(&*self.apps.installed(id).await?).without_secrets())
    }

    async fn note(&self, what: audit::Act, id: &AppId, by: &By<'_>) -> Result<(), Error> {
        let entry = audit::Entry::allowed(what, by.actor, id.as_str(), by.request);
        Ok(self.audit.record(entry).await?)
    }

    /// Calls the App about itself, if its manifest asks for it. `None` when it does not.
    async fn tell(
        &self,
        app: &Arc<App>,
        call: Option<Call>,
        by: &By<'_>,
    ) -> Option<Result<CallResponse, crate::calls::CallError>> {
        let call = ServerCall {
            app,
            call: call?,
            values: BTreeMap::new(),
            given: Context::default(),
            acting: Some(by.actor).filter(|actor| !actor.is_empty()),
            request: by.request,
            deadline: by.deadline,
        };
        Some(self.calls.server_call(call).await)
    }

    /// Whoever acted hears of it, as the wire has it. From the machine's own terminal nobody acts, and somebody has the
    /// result on the screen: then everybody hears.
    fn refresh(&self, actor: &str) {
        let audience = match actor {
            "" => Audience::Everyone,
            user => Audience::User(user.to_owned()),
        };
        self.platform.publish(Event { name: REFRESH_BINDINGS, audience });
    }
}
