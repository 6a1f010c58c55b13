//! A site with an App that connects accounts, people, and what they are shown.

use serde_json::{Value, json};
use tessera_server::boot::config::Config;
use tessera_testkit::browser::{Browser, From};
use tessera_testkit::cast::Cast;
use tessera_testkit::fake_app::{Answer as AppAnswer, FakeApp};
use tessera_testkit::site::{OAUTH2_USER, PERMISSIONS, PLUGIN, Person, Site, flow};
use tessera_testkit::wire::{Answer, Ask, send};
use tessera_testkit::within::Within;

pub(crate) const APP: &str = "hello";
pub(crate) const ACCOUNTS: &str = "/plugins/com.mattermost.apps/tessera/v1/accounts";
pub(crate) const CONNECTIONS: &str = "/plugins/com.mattermost.apps/tessera/v1/connections";
pub(crate) const RECORD: &str = r#"{"access_token":"at-1"}"#;

/// A server, an App on it that connects accounts at `https://provider.example`, and people.
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
        let Cast { server, site, fake, admin, user } = Cast::with(change).await;
        site.install(&admin, &fake.manifest(APP, &PERMISSIONS)).await;
        connects(&fake, site);
        Self { server, fake, admin, user }
    }

    pub(crate) fn site(&self) -> Site {
        self.server.site
    }

    /// The token with which an App acts as a person.
    pub(crate) async fn token(&self, who: &Person, app: &str) -> String {
        self.site().tokens(who, &self.fake, app).await.0
    }

    /// Stores a record as the App does. Gives the token with which it acted.
    pub(crate) async fn connect(&self, who: &Person, app: &str) -> String {
        let token = self.token(who, app).await;
        self.site().store(&token, RECORD).await;
        token
    }

    /// The person calls the App, which needs the record for it.
    pub(crate) async fn call(&self, who: &Person, path: &str) {
        let call = json!({"path": path, "context": {"app_id": APP}, "expand": {"oauth2_user": "all"}});
        let answer = self.site().post(&who.token, "/call", &call).await;
        assert_eq!(answer.json()["type"], "ok", "{}", answer.text());
    }

    /// A person's connections, as JSON.
    pub(crate) async fn list(&self, who: &Person) -> Vec<Value> {
        let answer = self.site().send(&Ask::get(CONNECTIONS).bearer(&who.token)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json().as_array().unwrap().clone()
    }

    /// When a person's only connection was last used, and by what.
    pub(crate) async fn used(&self, who: &Person) -> (Value, Value) {
        let list = self.list(who).await;
        assert_eq!(list.len(), 1, "{list:?}");
        (list[0]["last_used_at"].clone(), list[0]["last_used_by"].clone())
    }

    /// Entries of the audit log about removed connections: actor, App and detail.
    pub(crate) fn removals(&self) -> Vec<[String; 3]> {
        let entries = self.server.audit().into_iter().filter(|entry| entry["act"] == "connection_removed");
        let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        entries.map(|entry| ["actor", "app", "detail"].map(|name| text(&entry, name))).collect()
    }
}

/// A removal by a person.
pub(crate) fn by_person(who: &Person, app: &str) -> [String; 3] {
    [who.id.clone(), app.to_owned(), "person".to_owned()]
}

/// From now on the App leads to a provider, and stores what it gets there.
fn connects(fake: &FakeApp, site: Site) {
    fake.leads_to_a_provider();
    fake.answer_with("/oauth2/complete", move |call| async move {
        let token = call.json()["context"]["acting_user_access_token"].as_str().unwrap().to_owned();
        let stored = send(site.address, &Ask::post(OAUTH2_USER, RECORD).bearer(&token)).await;
        assert_eq!(stored.status, 200, "{}", stored.text());
        AppAnswer::ok()
    });
}

/// The whole way from a click to the closing page.
pub(crate) async fn connect_in(browser: &mut Browser) -> Answer {
    let begun = browser.open(&flow(APP, "connect"), From::Here).await;
    assert_eq!(begun.status, 307, "{}", begun.text());
    let state = begun.header("location").unwrap().split_once("state=").unwrap().1.to_owned();
    let callback = format!("{}?code=c&state={state}", flow(APP, "complete"));
    let done = browser.open(&callback, From::Elsewhere).await;
    assert_eq!(done.status, 200, "{}", done.text());
    done
}

/// The accounts page.
pub(crate) async fn page(browser: &mut Browser, query: &str) -> Answer {
    let page = browser.open(&format!("{ACCOUNTS}{query}"), From::Here).await;
    assert_eq!(page.status, 200, "{}", page.text());
    page
}

/// Asks to end a connection.
pub(crate) fn end(app: &str) -> Ask {
    Ask::new("DELETE", format!("{PLUGIN}/tessera/v1/connections/{app}"))
}
