//! A Mattermost that is yet to start: what it is set to.

use serde_json::{Value, json};

use super::FakeMattermost;
use super::state::State;
use super::version::Version;

/// What a service beside it needs, where that is not Mattermost's own default.
const NEEDED: [(&str, Value); 2] = [
    ("ServiceSettings.EnableUserAccessTokens", Value::Bool(true)),
    ("ServiceSettings.EnableBotAccountCreation", Value::Bool(true)),
];

/// A Mattermost that is yet to start.
pub struct Builder {
    state: State,
    site_url: Option<String>,
    subpath: String,
}

impl Builder {
    pub(super) fn new(version: Version) -> Self {
        let mut state = State::new(version);
        for (key, value) in NEEDED {
            state.settings.set(key, value);
        }
        // Whatever tests run is at home here.
        state.settings.set(INSIDE, json!("127.0.0.1 localhost"));
        Self { state, site_url: None, subpath: String::new() }
    }

    /// Everything as a fresh installation has it, and no more.
    pub fn fresh(mut self) -> Self {
        self.state.settings = super::settings::Settings::of(self.state.version);
        self.site_url = Some(String::new());
        self
    }

    /// A setting by its own name: `ServiceSettings.EnableCommands`.
    pub fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.state.settings.set(key, value.into());
        self
    }

    /// A setting that the environment sets: it cannot be changed by REST.
    pub fn env(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.state.settings.lock(key);
        self.set(key, value)
    }

    /// Where people find it, path included: that of the reverse proxy before it.
    pub fn site_url(mut self, url: &str) -> Self {
        self.site_url = Some(url.to_owned());
        self
    }

    /// The path below which it lies, such as `/chat`; it is found at its own address.
    pub fn subpath(mut self, path: &str) -> Self {
        path.clone_into(&mut self.subpath);
        self
    }

    /// Signing in is another system's business: whatever somebody came for is forgotten on the way.
    pub fn sso(mut self) -> Self {
        self.state.sso = true;
        self
    }

    /// Dialogs that are not as they should be are shown as far as the version knows them, as Mattermost does it.
    pub fn lenient_dialogs(mut self) -> Self {
        self.state.strict_dialogs = false;
        self
    }

    /// How far its clock, as the header `Date` tells it, is ahead, ms.
    pub fn clock_skew(mut self, by: i64) -> Self {
        self.state.clock.skew = by;
        self
    }

    /// Starts it; in words, why it does not start.
    ///
    /// # Errors
    /// Where a setting is one that this version does not start with.
    pub async fn start(self) -> Result<FakeMattermost, String> {
        let Self { mut state, site_url, subpath } = self;
        let version = state.version;
        if !version.starts_with_the_apps_flag() && state.settings.is_on("FeatureFlags.AppsEnabled") {
            return Err(format!(
                "Mattermost {version} does not start: the feature flag AppsEnabled is not known"
            ));
        }
        if let Some(url) = &site_url {
            state.settings.set(SITE_URL, json!(url));
        }
        let mattermost = FakeMattermost::serve(state).await;
        if site_url.is_none() {
            let own = format!("http://localhost:{}{subpath}", mattermost.address().port());
            mattermost.set_site_url(&own);
        }
        Ok(mattermost)
    }
}

const SITE_URL: &str = "ServiceSettings.SiteURL";
const INSIDE: &str = "ServiceSettings.AllowedUntrustedInternalConnections";
