//! A site, an App that is not installed yet, and people.

use serde_json::{Value, json};
use tessera_server::boot::config::Config;
use tessera_testkit::cast::Cast;
use tessera_testkit::fake_app::FakeApp;
use tessera_testkit::site::{API, PLUGIN, Person, Site};
use tessera_testkit::wire::{Answer, Ask};
use tessera_testkit::within::Within;

pub(crate) struct Stage {
    pub(crate) server: Within,
    pub(crate) site: Site,
    pub(crate) fake: FakeApp,
    pub(crate) admin: Person,
    pub(crate) user: Person,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let Cast { server, site, fake, admin, user } = Cast::with(change).await;
        Self { server, site, fake, admin, user }
    }

    /// An administrator's request about an App, which must succeed.
    pub(crate) async fn administer(&self, route: &str, app: &str) -> Answer {
        let body = json!({"app_id": app, "deploy_type": "http"});
        let answer = self.site.post(&self.admin.token, route, &body).await;
        assert_eq!(answer.status, 200, "{route}: {}", answer.text());
        answer
    }

    /// A route of the framework, without a session.
    pub(crate) async fn open(&self, route: &str) -> Answer {
        self.site.send(&Ask::get(format!("{API}{route}"))).await
    }

    /// A static asset, as a person.
    pub(crate) async fn asset(&self, app: &str, name: &str) -> Answer {
        let target = format!("{PLUGIN}/apps/{app}/static/{name}");
        self.site.send(&Ask::get(target).bearer(&self.user.token)).await
    }

    /// A person's call, which the App must get: its whole request.
    pub(crate) async fn hears(&self, call: &Value) -> (Value, Value) {
        let answer = self.site.post(&self.user.token, "/call", call).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer = answer.json();
        assert_eq!(answer["type"], "ok", "{answer}");
        let path = call["path"].as_str().unwrap();
        (self.fake.calls_to(path).pop().unwrap().json(), answer)
    }
}
