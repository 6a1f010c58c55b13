//! Slash commands: registered, typed, and answered at once or later.

use http::StatusCode;
use serde_json::{Value, json};
use tessera_testkit::fake_app::{Answer as Said, FakeApp};
use tessera_testkit::fake_mattermost::{FakeMattermost, Seen, Version};
use tessera_testkit::wire::Ask;

use crate::{Scene, is, refused};

const INSIDE: &str = "ServiceSettings.AllowedUntrustedInternalConnections";

impl Scene {
    fn command(&self, url: &str) -> Value {
        json!({
            "team_id": self.team, "trigger": "hello", "method": "P", "url": url, "display_name": "Hello",
            "description": "", "auto_complete": true, "auto_complete_desc": "Says hello", "auto_complete_hint": "",
        })
    }

    /// An App to which `/hello` goes, at `/cmd`.
    async fn with_command(&self) -> FakeApp {
        let app = FakeApp::start().await;
        let command = self.command(&format!("{}/cmd", app.root_url()));
        let made = self.post(&self.root, "/commands", command).await;
        assert_eq!(made.status, 201, "{}", made.text());
        app.answer("/cmd", Said::Json(json!({})));
        app
    }

    async fn types(&self, text: &str) -> Seen {
        self.mattermost.run_command(&self.ada, &self.team, &self.channel, text).await
    }
}

fn failed(seen: &Seen) -> String {
    match seen {
        Seen::Failed(why) => why.clone(),
        Seen::Answer(answer) => panic!("it went well: {answer}"),
    }
}

fn field(body: &str, name: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(body.as_bytes());
    pairs.find(|(given, _)| given == name).map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn what_is_sent_is_what_mattermost_sends() {
    let scene = Scene::of(Version::V11_6).await;
    let app = scene.with_command().await;
    let bob = scene.mattermost.add_user("bob");
    scene.mattermost.join(&scene.team, &bob);
    app.answer("/cmd", Said::Json(json!({"text": "hi", "goto_location": "https://example.com"})));
    let seen = scene.types("/hello to @bob, in ~town-square").await;
    assert_eq!(
        (seen.text().as_str(), &seen.answer()["goto_location"]),
        ("hi", &json!("https://example.com"))
    );
    assert_eq!(scene.mattermost.whispers_to(&scene.ada), ["hi"]);
    let call = &app.calls_to("/cmd")[0];
    let header = |name: &str| call.headers.get(name).unwrap().to_str().unwrap().to_owned();
    let token = scene.mattermost.command_token(&scene.team, "hello");
    assert_eq!(header("authorization"), format!("Token {token}"));
    assert_eq!(header("user-agent"), "Mattermost-Bot/1.1");
    assert_eq!(header("content-type"), "application/x-www-form-urlencoded");
    let body = call.text();
    for (name, value) in [
        ("token", token.as_str()),
        ("team_id", &scene.team),
        ("team_domain", "dev"),
        ("channel_id", &scene.channel),
        ("channel_name", "town-square"),
        ("user_id", &scene.ada),
        ("user_name", "ada"),
        ("command", "/hello"),
        ("text", "to @bob, in ~town-square"),
        ("root_id", ""),
        ("user_mentions", "bob"),
        ("user_mentions_ids", &bob),
        ("channel_mentions", "town-square"),
        ("channel_mentions_ids", &scene.channel),
    ] {
        assert_eq!(field(body, name).as_deref(), Some(value), "{name}");
    }
    assert!(field(body, "trigger_id").is_some());
    let late = field(body, "response_url").unwrap();
    assert!(late.contains("/hooks/commands/"), "{late}");
    // As a client sends it: the team is the channel's.
    let args = json!({"command": "/hello x", "channel_id": scene.channel, "team_id": "nonsense"});
    let answer = scene.post(&scene.token, "/commands/execute", args).await;
    assert_eq!((answer.status, &answer.json()["text"]), (200, &json!("hi")), "{}", answer.text());
}

#[tokio::test]
async fn an_answer_is_shown_to_one_or_to_all() {
    let scene = Scene::of(Version::V11_6).await;
    let app = scene.with_command().await;
    let all = json!({
        "response_type": "in_channel", "text": "to all", "attachments": [{"text": "more"}], "username": "boss",
        "extra_responses": [{"text": "to you"}],
    });
    app.answer("/cmd", Said::Json(all));
    scene.types("/hello").await;
    let posts = scene.mattermost.posts_in(&scene.channel);
    assert_eq!((posts.len(), &posts[0]["message"]), (1, &json!("to all")));
    assert_eq!(posts[0]["props"]["from_webhook"], "true");
    assert_eq!(posts[0]["props"]["attachments"][0]["text"], "more");
    assert!(posts[0]["props"].get("override_username").is_none(), "the site does not let commands say so");
    assert_eq!(scene.mattermost.whispers_to(&scene.ada), ["to you"]);
    // Words stand for themselves, and nothing is nothing.
    app.answer("/cmd", Said::Raw(StatusCode::OK, "text/plain", "just words".into()));
    assert_eq!(scene.types("/hello").await.text(), "just words");
    app.answer("/cmd", Said::Json(json!({})));
    scene.types("/hello").await;
    assert_eq!(scene.mattermost.whispers_to(&scene.ada), ["to you", "just words"]);
    // Nobody is answered in a channel that they are not in.
    let closed = scene.mattermost.add_channel(&scene.team, "closed", "P");
    app.answer("/cmd", Said::Json(json!({"text": "x", "channel_id": closed})));
    failed(&scene.types("/hello").await);
}

#[tokio::test]
async fn anything_but_200_is_a_failure() {
    let scene = Scene::of(Version::V11_6).await;
    let app = scene.with_command().await;
    let failure = "Command with a trigger of 'hello' failed.";
    let returned = "Command with a trigger of 'hello' returned response";
    let huge = format!("{{\"text\":\"{}\"}}", "x".repeat(1 << 20));
    for (answer, words) in [
        (Said::Raw(StatusCode::CREATED, "application/json", "{}".into()), format!("{returned} 201 Created.")),
        (
            Said::Raw(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", "".into()),
            format!("{returned} 500 Internal Server Error."),
        ),
        (Said::body("not json"), failure.to_owned()),
        (Said::body(huge), failure.to_owned()),
        (Said::Close, failure.to_owned()),
        (Said::Cut("{\"text\":".into()), failure.to_owned()),
    ] {
        app.answer("/cmd", answer);
        assert_eq!(failed(&scene.types("/hello").await), words);
    }
    assert!(
        failed(&scene.types("/unknown").await).starts_with("Command with a trigger of 'unknown' not found.")
    );
    assert_eq!(failed(&scene.types("hello").await), "No command trigger found.");
    // One that takes too long.
    scene.mattermost.set("ServiceSettings.OutgoingIntegrationRequestsTimeout", 0);
    app.answer("/cmd", Said::Hang);
    assert_eq!(failed(&scene.types("/hello").await), failure);
    scene.mattermost.set("ServiceSettings.SiteURL", "");
    assert!(failed(&scene.types("/hello").await).contains("Site URL must be configured"));
}

#[tokio::test]
async fn an_address_on_the_inside_must_be_allowed() {
    let scene = Scene::of(Version::V11_6).await;
    let app = scene.with_command().await;
    for (allowed, dares) in [
        ("", false),
        ("10.0.0.0/8 localhost", false),
        ("127.0.0.1", true),
        ("10.0.0.0/8,127.0.0.0/8", true),
        ("127.0.0.2", false),
    ] {
        scene.mattermost.set(INSIDE, allowed);
        let seen = scene.types("/hello").await;
        assert_eq!(matches!(seen, Seen::Answer(_)), dares, "{allowed:?}: {seen:?}");
    }
    assert!(
        scene.mattermost.warnings()[0].contains("address forbidden"),
        "{:?}",
        scene.mattermost.warnings()
    );
    // The site's own address is no exception for commands.
    scene.mattermost.set(INSIDE, "");
    scene.mattermost.set_site_url(&app.root_url());
    failed(&scene.types("/hello").await);
}

#[tokio::test]
async fn five_answers_may_come_later_within_half_an_hour() {
    let scene = Scene::of(Version::V11_6).await;
    let app = scene.with_command().await;
    let late = async || {
        scene.types("/hello").await;
        let url = field(app.calls_to("/cmd").last().unwrap().text(), "response_url").unwrap();
        url::Url::parse(&url).unwrap().path().to_owned()
    };
    let tell = async |path: &str| {
        let ask = Ask::post(path, r#"{"text":"at last"}"#).with("Content-Type", "application/json");
        scene.send(&ask).await
    };
    let path = late().await;
    for _ in 0..5 {
        let answer = tell(&path).await;
        assert_eq!((answer.status, answer.text()), (200, "ok".to_owned()));
    }
    assert_eq!(refused(&tell(&path).await), is(400, "app.command_webhook.try_use.invalid"));
    assert_eq!(scene.mattermost.told_later().len(), 5);
    assert_eq!(scene.mattermost.whispers_to(&scene.ada), ["at last"; 5]);
    let path = late().await;
    scene.mattermost.advance_ms(30 * 60_000);
    assert_eq!(refused(&tell(&path).await), is(404, "app.command_webhook.get.missing"));
}

#[tokio::test]
async fn commands_are_registered_by_those_who_may_in_the_team() {
    for version in [Version::V6_7, Version::V11_6] {
        let scene = Scene::of(version).await;
        let body = scene.command("http://example.com/x");
        assert_eq!(scene.post(&scene.token, "/commands", body.clone()).await.status, 403);
        scene.mattermost.join_as_admin(&scene.team, &scene.ada);
        let made = scene.post(&scene.token, "/commands", body.clone()).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let again = scene.post(&scene.token, "/commands", body.clone()).await;
        assert_eq!(refused(&again), is(400, "api.command.duplicate_trigger.app_error"));
        let (id, token) = (made.json()["id"].as_str().unwrap().to_owned(), made.json()["token"].clone());
        let path = format!("/commands/{id}");
        // Changing it needs all of it.
        let mut changed = body.clone();
        (changed["id"], changed["url"]) = (json!(id), json!("http://example.com/y"));
        let answer = scene.put(&scene.token, &path, changed.clone()).await;
        assert_eq!((answer.status, &answer.json()["url"]), (200, &json!("http://example.com/y")));
        assert_eq!(answer.json()["token"], token);
        changed["team_id"] = json!(scene.mattermost.add_team("ops"));
        let elsewhere = scene.put(&scene.token, &path, changed).await;
        assert_eq!(refused(&elsewhere), is(400, "api.command.team_mismatch.app_error"));
        let renewed = scene.put(&scene.token, &format!("{path}/regen_token"), json!({})).await.json();
        assert_ne!(renewed["token"], token);
        let list = format!("/commands?team_id={}&custom_only=true", scene.team);
        assert_eq!(scene.get(&scene.token, &list).await.json().as_array().unwrap().len(), 1);
        // Who may change none of the team's is told that there is none.
        let bob = scene.mattermost.add_user("bob");
        scene.mattermost.join(&scene.team, &bob);
        let bob = scene.mattermost.session(&bob).token;
        assert_eq!(scene.delete(&bob, &path).await.status, 404);
        assert_eq!(scene.get(&bob, &list).await.status, 403);
        assert_eq!(scene.delete(&scene.token, &path).await.status, 200);
        for (key, value, id) in [
            ("trigger", "a b", "model.command.is_valid.trigger.app_error"),
            ("url", "ftp://x", "model.command.is_valid.url_http.app_error"),
            ("method", "X", "model.command.is_valid.method.app_error"),
            ("trigger", "help", "api.command.duplicate_trigger.app_error"),
        ] {
            let mut wrong = body.clone();
            wrong[key] = json!(value);
            assert_eq!(refused(&scene.post(&scene.token, "/commands", wrong).await), is(400, id));
        }
        scene.mattermost.set("ServiceSettings.EnableCommands", false);
        let off = scene.post(&scene.token, "/commands", body).await;
        assert_eq!(refused(&off), is(501, "api.command.disabled.app_error"));
    }
}

#[tokio::test]
async fn an_override_is_shown_where_the_site_lets_it() {
    let mattermost = FakeMattermost::builder(Version::V11_6)
        .set("ServiceSettings.EnablePostUsernameOverride", true)
        .set("ServiceSettings.EnablePostIconOverride", true)
        .start()
        .await
        .unwrap();
    let scene = Scene::with(mattermost);
    let app = scene.with_command().await;
    let said =
        json!({"response_type": "in_channel", "text": "x", "username": "boss", "icon_url": "https://i"});
    app.answer("/cmd", Said::Json(said));
    scene.types("/hello").await;
    let props = &scene.mattermost.posts()[0]["props"];
    assert_eq!(
        (&props["override_username"], &props["override_icon_url"]),
        (&json!("boss"), &json!("https://i"))
    );
}
