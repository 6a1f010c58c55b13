//! A site with an App that connects accounts, and people.

use serde_json::Value;
use tessera_server::boot::config::Config;
use tessera_testkit::cast::Cast;
use tessera_testkit::fake_app::FakeApp;
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
        let Cast { server, site, fake, admin, user } = Cast::on(server).await;
        site.install(&admin, &fake.manifest(APP, &PERMISSIONS)).await;
        fake.leads_to("https://provider.example/a?client_id=cid&state={state}");
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
