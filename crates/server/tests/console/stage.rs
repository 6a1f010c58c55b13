//! A site with people and an App.

use serde_json::{Value, json};
use tessera_server::boot::config::Config;
use tessera_testkit::fake_app::FakeApp;
use tessera_testkit::site::{API, Person, Site};
use tessera_testkit::wire::{Answer, Ask};
use tessera_testkit::within::Within;

pub(crate) const APP: &str = "echotest";

pub(crate) struct Stage {
    _server: Within,
    pub(crate) site: Site,
    pub(crate) fake: FakeApp,
    pub(crate) admin: Person,
    pub(crate) user: Person,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        Self::with(|_| {}).await
    }

    /// With these changes to the server's settings.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let _server = Within::start_with(change).await;
        let site = _server.site;
        let fake = FakeApp::start().await;
        let admin = site.sign_in("sysadmin").await;
        let user = site.sign_in("user-1").await;
        Self { _server, site, fake, admin, user }
    }

    /// Of an App that acts as its bot alone.
    pub(crate) fn manifest(&self) -> Value {
        self.fake.manifest(APP, &["act_as_bot"])
    }

    pub(crate) async fn install(&self) {
        self.site.install(&self.admin, &self.manifest()).await;
    }

    /// What an administrator is answered on one of the routes of Apps' lives.
    pub(crate) async fn admin(&self, route: &str, body: &Value) -> Answer {
        self.site.post(&self.admin.token, route, body).await
    }

    /// What nobody in particular is answered.
    pub(crate) async fn anyone(&self, route: &str) -> Value {
        let answer = self.site.send(&Ask::get(format!("{API}{route}"))).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// The App's record, as an administrator sees it.
    pub(crate) async fn record(&self) -> Value {
        let ask = Ask::get(format!("{API}/apps/{APP}")).bearer(&self.admin.token);
        self.site.send(&ask).await.json()
    }

    pub(crate) fn which() -> Value {
        json!({"app_id": APP, "deploy_type": "http"})
    }
}
