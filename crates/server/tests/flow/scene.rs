//! A site with an App that connects accounts, and people.

use serde_json::{Value, json};
use tessera_server::boot::config::Config;
use tessera_testkit::fake_app::{Answer as AppAnswer, FakeApp};
use tessera_testkit::site::{PERMISSIONS, Person, Site, flow};
use tessera_testkit::wire::{Answer, Ask};
use tessera_testkit::within::Within;

pub(crate) const APP: &str = "hello";
pub(crate) const MISMATCH: &str = "state mismatch: forbidden\n";

/// A server, an App on it that leads to `https://provider.example/a`, and people who signed in.
pub(crate) struct Scene {
    pub(crate) server: Within,
    pub(crate) fake: FakeApp,
    pub(crate) admin: Person,
    pub(crate) user: Person,
}

impl Scene {
    pub(crate) async fn set() -> Self {
        Self::set_with(|_| {}).await
    }

    pub(crate) async fn set_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::on(Within::start_with(change).await).await
    }

    pub(crate) async fn on(server: Within) -> Self {
        let site = server.site;
        let fake = FakeApp::start().await;
        let admin = site.sign_in("sysadmin").await;
        let user = site.sign_in("user-1").await;
        site.install(&admin, &fake.manifest(APP, &PERMISSIONS)).await;
        leads_to_a_provider(&fake);
        Self { server, fake, admin, user }
    }

    pub(crate) fn site(&self) -> Site {
        self.server.site
    }

    /// Opens the connect address with the person's own token.
    pub(crate) async fn connect(&self, who: &Person) -> Answer {
        self.open(who, &flow(APP, "connect")).await
    }

    /// Begins a flow with the person's own token. Gives its state.
    pub(crate) async fn begin(&self, who: &Person) -> String {
        let answer = self.connect(who).await;
        assert_eq!(answer.status, 307, "{}", answer.text());
        state_in(&answer)
    }

    /// Comes back from the provider with the person's own token.
    pub(crate) async fn complete(&self, who: &Person, query: &str) -> Answer {
        self.open(who, &format!("{}?{query}", flow(APP, "complete"))).await
    }

    pub(crate) async fn open(&self, who: &Person, target: &str) -> Answer {
        self.site().send(&Ask::get(target).bearer(&who.token)).await
    }

    /// The complete calls that the App got.
    pub(crate) fn completions(&self) -> Vec<Value> {
        self.fake.calls_to("/oauth2/complete").iter().map(|call| call.json()).collect()
    }

    /// What the App stored for this person; empty when nothing.
    pub(crate) async fn record(&self, who: &Person) -> String {
        let (token, _) = self.site().tokens(who, &self.fake, APP).await;
        self.site().record(&token).await
    }

    /// The fixed words of all refusals in the audit log, with who was refused.
    pub(crate) fn refusals(&self) -> Vec<(String, String, String)> {
        let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        let entries = self.server.audit().into_iter().filter(|entry| entry["act"] == "flow_refused");
        entries.map(|entry| (text(&entry, "actor"), text(&entry, "app"), text(&entry, "detail"))).collect()
    }
}

/// An answer's status and text, to be compared at once.
pub(crate) fn said(answer: &Answer) -> (u16, String) {
    (answer.status, answer.text())
}

/// The state in the address that an answer leads to.
pub(crate) fn state_in(answer: &Answer) -> String {
    let location = answer.header("location").unwrap();
    location.split_once("state=").unwrap().1.split('&').next().unwrap().to_owned()
}

/// From now on the App answers connect as it should.
pub(crate) fn leads_to_a_provider(fake: &FakeApp) {
    leads_to(fake, "https://provider.example/a?client_id=cid&state={state}");
}

/// From now on the App answers connect with this URL, the state put in for `{state}`.
pub(crate) fn leads_to(fake: &FakeApp, url: &str) {
    let url = url.to_owned();
    fake.answer_with("/oauth2/connect", move |call| {
        let state = call.json()["values"]["state"].as_str().unwrap().to_owned();
        let answer = AppAnswer::Json(json!({"type": "ok", "data": url.replace("{state}", &state)}));
        async move { answer }
    });
}
