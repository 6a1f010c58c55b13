//! A site, somebody who asks, and an App whose bindings cover all top locations.

use serde_json::{Value, json};
use tessera_testkit::cast::Cast;
use tessera_testkit::fake_app::{Answer as AppAnswer, FakeApp};
use tessera_testkit::site::{API, PERMISSIONS, Person, Site};
use tessera_testkit::wire::{Answer, Ask};
use tessera_testkit::within::Within;

pub(crate) const APP: &str = "bindingstest";
pub(crate) const TOPS: [&str; 3] = ["/channel_header", "/command", "/post_menu"];

pub(crate) struct Stage {
    _server: Within,
    pub(crate) site: Site,
    pub(crate) fake: FakeApp,
    pub(crate) admin: Person,
    pub(crate) user: Person,
}

impl Stage {
    /// With an App that requests these locations and answers with bindings in all of them.
    pub(crate) async fn set(locations: &[&str]) -> Self {
        let Cast { server: _server, site, fake, admin, user } = Cast::with(|_| {}).await;
        let mut manifest = fake.manifest(APP, &PERMISSIONS);
        manifest["requested_locations"] = json!(locations);
        fake.answer("/bindings", AppAnswer::Json(json!({"type": "ok", "data": everywhere()})));
        site.install(&admin, &manifest).await;
        Self { _server, site, fake, admin, user }
    }

    /// What the user gets for this query.
    pub(crate) async fn get(&self, query: &str) -> Answer {
        let answer =
            self.site.send(&Ask::get(format!("{API}/bindings{query}")).bearer(&self.user.token)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/json"));
        answer
    }

    /// Bindings and problems, as who tests sees them.
    pub(crate) async fn tested(&self) -> (Value, Option<String>) {
        let answer = self.get("?test=true").await.json();
        (answer["bindings"].clone(), answer["error"].as_str().map(str::to_owned))
    }

    /// An entity of the site, as the user may see it.
    pub(crate) async fn v4(&self, path: &str) -> Value {
        let answer = self.site.send(&Ask::get(format!("/api/v4{path}")).bearer(&self.user.token)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }
}

/// One binding in each top location, out of order.
pub(crate) fn everywhere() -> Value {
    let child = |location: &str| json!([{"location": location, "icon": "i.png", "submit": {"path": "/do"}}]);
    json!([
        {"location": "/post_menu", "bindings": child("menu")},
        {"location": "/command", "bindings": child("cmd")},
        {"location": "/channel_header", "bindings": child("button")},
    ])
}

/// Where these bindings are.
pub(crate) fn locations(bindings: &Value) -> Vec<String> {
    let Some(list) = bindings.as_array() else { return Vec::new() };
    list.iter().map(|binding| binding["location"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Several problems as one text.
pub(crate) fn errors(texts: &[&str]) -> Option<String> {
    let head = match texts {
        [] => return None,
        [_] => "1 error occurred:\n".to_owned(),
        several => format!("{} errors occurred:\n", several.len()),
    };
    Some(texts.iter().fold(head, |all, text| format!("{all}\t* {text}\n")) + "\n")
}
