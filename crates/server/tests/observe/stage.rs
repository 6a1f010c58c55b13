//! A site, an App on it that connects accounts, and people.

use serde_json::json;
use tessera_server::boot::config::Config;
use tessera_testkit::fake_app::{Answer as AppAnswer, FakeApp};
use tessera_testkit::site::{PERMISSIONS, Person, Site, flow};
use tessera_testkit::wire::{Answer, Ask};
use tessera_testkit::within::Within;

pub(crate) const APP: &str = "watched";

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
        let server = Within::start_with(change).await;
        let site = server.site;
        let fake = FakeApp::start().await;
        let admin = site.sign_in("sysadmin").await;
        let user = site.sign_in("user-1").await;
        site.install(&admin, &fake.manifest(APP, &PERMISSIONS)).await;
        leads_to_a_provider(&fake);
        Self { server, site, fake, admin, user }
    }
}

/// From now on the App answers connect as it should.
pub(crate) fn leads_to_a_provider(fake: &FakeApp) {
    fake.answer_with("/oauth2/connect", |call| {
        let state = call.json()["values"]["state"].as_str().unwrap().to_owned();
        let answer = json!({"type": "ok", "data": format!("https://provider.example/a?state={state}")});
        async move { AppAnswer::Json(answer) }
    });
}

/// Begins a flow with the person's own token. Gives its state.
pub(crate) async fn begin(site: Site, who: &Person) -> String {
    let answer = site.send(&Ask::get(flow(APP, "connect")).bearer(&who.token)).await;
    assert_eq!(answer.status, 307, "{}", answer.text());
    answer.header("location").unwrap().split_once("state=").unwrap().1.to_owned()
}

/// Comes back from the provider.
pub(crate) async fn complete(site: Site, who: &Person, query: &str) -> Answer {
    site.send(&Ask::get(format!("{}?{query}", flow(APP, "complete"))).bearer(&who.token)).await
}
