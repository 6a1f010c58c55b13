//! Every route with every caller and every body.

use serde_json::json;
use tessera_testkit::fake_app::{Answer as AppAnswer, FakeApp};
use tessera_testkit::site::{OAUTH2_USER, PERMISSIONS, Person, Site};
use tessera_testkit::wire::{Ask, try_send};
use tessera_testkit::within::Within;

use crate::bodies::{self, Body};
use crate::form;
use crate::routes::{ROUTES, Route};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// No token.
    Nobody,
    /// An App token that was good until a moment ago.
    Expired,
    /// A token that was never good.
    Garbage,
    /// A good token under a scheme that is none of ours.
    WrongScheme,
    /// A good token in the query alone (OS-52).
    InTheQuery,
    /// An App's token as user-1.
    App,
    /// Another App's token as user-1.
    OtherApp,
    /// The App's bot.
    Bot,
    /// A person's own session.
    Person,
    /// A system administrator's own session.
    Admin,
}

impl Who {
    const ALL: [Self; 10] = [
        Self::Nobody,
        Self::Expired,
        Self::Garbage,
        Self::WrongScheme,
        Self::InTheQuery,
        Self::App,
        Self::OtherApp,
        Self::Bot,
        Self::Person,
        Self::Admin,
    ];

    pub(crate) fn is_somebody(self) -> bool {
        self.is_app() || matches!(self, Self::Person | Self::Admin)
    }

    pub(crate) fn is_app(self) -> bool {
        matches!(self, Self::App | Self::OtherApp | Self::Bot)
    }
}

/// A site with three Apps. Nobody in the table holds a token of the third, whose records must outlive all of it.
struct Scene {
    server: Within,
    user: Person,
    admin: Person,
    app: String,
    other_app: String,
    bot: String,
    expired: String,
    witness: String,
    fake: FakeApp,
}

const RECORD: &str = r#"{"kept":  "byte for byte"}"#;

impl Scene {
    async fn set() -> Self {
        let server = Within::start().await;
        let site = server.site;
        let fake = FakeApp::start().await;
        let to = json!({"type": "ok", "data": "https://provider.example/authorize?state="});
        fake.answer_with("/oauth2/connect", move |call| {
            let mut to = to.clone();
            let state = call.json()["values"]["state"].as_str().unwrap_or_default().to_owned();
            to["data"] = json!(format!("{}{state}", to["data"].as_str().unwrap()));
            async move { AppAnswer::Json(to) }
        });
        let admin = site.sign_in("sysadmin").await;
        let user = site.sign_in("user-1").await;
        let other = site.sign_in("user-2").await;
        for app_id in ["hello", "other", "witness"] {
            site.install(&admin, &fake.manifest(app_id, &PERMISSIONS)).await;
        }
        let (expired, _) = site.tokens(&user, &fake, "hello").await;
        server.clock.advance_ms(10 * 60 * 1000 + 1);
        let (app, bot) = site.tokens(&user, &fake, "hello").await;
        let (other_app, _) = site.tokens(&user, &fake, "other").await;
        let (witness, witness_bot) = site.tokens(&other, &fake, "witness").await;
        site.store(&witness, RECORD).await;
        site.store_credentials(&witness_bot, "witness-id", "witness-secret").await;
        Self { server, user, admin, app, other_app, bot, expired, witness, fake }
    }

    fn site(&self) -> Site {
        self.server.site
    }

    fn sign(&self, who: Who, ask: Ask) -> Ask {
        match who {
            Who::Nobody => ask,
            Who::Expired => ask.bearer(&self.expired),
            Who::Garbage => ask.bearer("xxxxxxxxxxxxxxxxxxxxxxxxxx"),
            Who::WrongScheme => ask.with("Authorization", format!("Basic {}", self.app)),
            Who::InTheQuery => {
                let target = format!("{}?access_token={}", ask.target, self.app);
                Ask { target, ..ask }
            }
            Who::App => ask.bearer(&self.app),
            Who::OtherApp => ask.bearer(&self.other_app),
            Who::Bot => ask.bearer(&self.bot),
            Who::Person => ask.bearer(&self.user.token),
            Who::Admin => ask.bearer(&self.admin.token),
        }
    }

    async fn cell(&self, route: &Route, who: Who, body: &Body) {
        let cell = format!("{}, {who:?}, {}", route.name, body.name);
        let ask = self.sign(who, Ask::new(route.method, route.path).body(body.sent.clone()));
        let Some(answer) = try_send(self.site().address, &ask).await else {
            // Whoever hung up in the middle may find nobody to talk to.
            assert!(body.cut, "{cell}: no answer");
            return;
        };
        let allowed = route.allowed(who, body);
        assert!(allowed.contains(&answer.status), "{cell}: not one of {allowed:?}: {answer:?}");
        assert!(answer.took_all || body.cut, "{cell}: answered and cut off: {answer:?}");
        form::check(&answer, &cell);
    }

    /// What was stored before is still there, and the server still answers.
    async fn stands(&self, after: &str) {
        assert_eq!(self.site().record(&self.witness).await, RECORD, "after {after}");
    }

    async fn credentials_stand(&self) {
        let other = self.site().sign_in("user-2").await;
        let context = self.site().context(&other, &self.fake, "witness").await;
        let mut client = context["oauth2"].clone();
        let user = client.as_object_mut().unwrap().remove("user");
        assert_eq!(client["client_id"], "witness-id", "{context}");
        assert_eq!(client["client_secret"], "witness-secret", "{context}");
        assert_eq!(user.unwrap(), json!({"kept": "byte for byte"}));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_answers_every_caller_with_every_body_as_the_wire_has_it() {
    let scene = Scene::set().await;
    let bodies = bodies::all();
    for route in ROUTES {
        for who in Who::ALL {
            for body in &bodies {
                scene.cell(route, who, body).await;
            }
            scene.stands(&format!("{}, {who:?}", route.name)).await;
        }
    }
    scene.credentials_stand().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_100_mb_is_answered_on_every_route_and_the_client_can_read_it() {
    let scene = Scene::set().await;
    for route in ROUTES {
        for (who, body) in [Who::Nobody, Who::App].into_iter().zip(bodies::long()) {
            scene.cell(route, who, &body).await;
        }
    }
    // Neither is one cut off who is turned away at the door.
    for (header, value) in [("Host", "evil.example"), ("Origin", "https://evil.example")] {
        for body in bodies::long() {
            let ask = Ask::new("POST", OAUTH2_USER).with(header, value).body(body.sent);
            let answer = scene.site().send(&ask).await;
            assert!(answer.status == 403 && answer.took_all, "{header}: {answer:?}");
        }
    }
    scene.stands("bodies of 100 MB").await;
    scene.credentials_stand().await;
}
