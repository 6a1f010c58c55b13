//! The App of these tests, and a site that it is installed on.

use serde_json::{Value, json};
use tessera_server::boot::config::Config;
use tessera_server::calls::Profile;
use tessera_testkit::cast::Cast;
use tessera_testkit::fake_app::{Answer as AppAnswer, FakeApp};
use tessera_testkit::site::{PERMISSIONS, Person, Site};
use tessera_testkit::wire::{Answer, Ask};
use tessera_testkit::within::Within;

pub(crate) const APP: &str = "oauth2test";

/// Which of a call's tokens the App uses.
#[derive(Debug, Clone, Copy)]
pub(crate) enum With {
    ActingUser,
    Bot,
}

impl With {
    /// The token, as the context of a call has it.
    pub(crate) fn of(self, context: &Value) -> String {
        let name = match self {
            Self::ActingUser => "acting_user_access_token",
            Self::Bot => "bot_access_token",
        };
        context[name].as_str().unwrap_or_else(|| panic!("no {name} in {context}")).to_owned()
    }
}

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

    pub(crate) async fn reference() -> Self {
        Self::with(|config| config.compat.profile = Profile::Reference).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let stage = Self::bare(change).await;
        stage.site.install(&stage.admin, &stage.manifest()).await;
        stage
    }

    /// Without the App.
    pub(crate) async fn bare(change: impl FnOnce(&mut Config)) -> Self {
        let Cast { server: _server, site, fake, admin, user } = Cast::with(change).await;
        Self { _server, site, fake, admin, user }
    }

    pub(crate) fn manifest(&self) -> Value {
        let mut manifest = self.fake.manifest(APP, &PERMISSIONS);
        manifest["display_name"] = json!("tests App's OAuth2 APIs");
        manifest
    }

    /// This person calls the App, which sends these requests while it is being called: the call's answer.
    pub(crate) async fn during(&self, who: &Person, with: With, asks: Vec<Ask>) -> Answer {
        act(&self.fake, self.site, "/do", with, asks);
        let call = json!({
            "path": "/do",
            "context": {"app_id": APP},
            "expand": {"acting_user": "summary", "acting_user_access_token": "all"},
        });
        let answer = self.site.post(&who.token, "/call", &call).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer
    }

    /// What the App hears when it is called with this expand.
    pub(crate) async fn hears(&self, who: &Person, expand: Value) -> Value {
        let call = json!({"path": "/hear", "context": {"app_id": APP}, "expand": expand});
        let answer = self.site.post(&who.token, "/call", &call).await;
        assert_eq!(answer.json()["type"], "ok", "{}", answer.text());
        self.fake.calls_to("/hear").pop().unwrap().json()["context"].clone()
    }

    /// A token that the App got in a call by this person.
    pub(crate) async fn token(&self, who: &Person, with: With) -> String {
        with.of(&self.hears(who, json!({"acting_user_access_token": "all"})).await)
    }
}

/// Calls to this path make the App send these requests, one after the other, up to the first that is refused. It
/// answers with what the last one brought, as an error when that was a refusal: what a driver makes of it.
pub(crate) fn act(fake: &FakeApp, site: Site, path: &str, with: With, asks: Vec<Ask>) {
    fake.answer_with(path, move |call| {
        let token = with.of(&call.json()["context"]);
        let asks = asks.clone();
        async move {
            let mut text = String::new();
            for ask in asks {
                let answer = site.send(&ask.bearer(&token)).await;
                text = answer.text();
                if answer.status != 200 {
                    return AppAnswer::Json(json!({"type": "error", "text": text.trim()}));
                }
            }
            AppAnswer::Json(json!({"type": "ok", "text": text}))
        }
    });
}

/// A call that went well, and what the App answered.
pub(crate) fn done(answer: &Answer) -> String {
    let answer = answer.json();
    assert_eq!(answer["type"], "ok", "{answer}");
    answer["text"].as_str().unwrap_or_default().to_owned()
}

/// A call that the App answered with an error, and its text.
pub(crate) fn refused(answer: &Answer) -> String {
    let answer = answer.json();
    assert_eq!(answer["type"], "error", "{answer}");
    answer["text"].as_str().unwrap().to_owned()
}
