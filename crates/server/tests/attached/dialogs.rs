//! Forms of Apps as interactive dialogs of a Mattermost.

use serde_json::{Value, json};
use tessera_testkit::attached::{APP, Attached};
use tessera_testkit::fake_app::Answer;
use tessera_testkit::fake_mattermost::{Seen, Version};
use tessera_testkit::wire::Ask;

struct Scene {
    stage: Attached,
    team: String,
    channel: String,
}

fn form() -> Value {
    json!({
        "title": "Send something", "header": "To whom, and what?", "submit": {"path": "/send"},
        "fields": [
            {"name": "note", "type": "markdown", "description": "It is sent **at once**."},
            {"name": "message", "type": "text", "modal_label": "Message", "is_required": true, "subtype": "textarea"},
            {"name": "color", "type": "static_select", "modal_label": "Color",
             "options": [{"label": "Red", "value": "r"}, {"label": "Blue", "value": "b"}]},
            {"name": "loud", "type": "bool", "modal_label": "A label that is longer than a dialog can show"},
        ],
    })
}

impl Scene {
    /// An App whose command is a form, one whose command answers with one, and one whose form has several choices.
    async fn set(version: Version) -> Self {
        let stage = Attached::to(version).await;
        let team = stage.mattermost.add_team("dev");
        let channel = stage.mattermost.add_channel(&team, "town-square", "O");
        stage.mattermost.join(&team, &stage.user.id);
        stage.mattermost.join(&channel, &stage.user.id);
        let many = json!({"submit": {"path": "/send"}, "fields": [
            {"name": "all", "type": "static_select", "multiselect": true, "is_required": true,
             "options": [{"label": "Red", "value": "r"}]},
        ]});
        let bindings = json!({"type": "ok", "data": [{"location": "/command", "bindings": [{
            "location": "hello", "label": APP, "bindings": [
                {"location": "send", "label": "send", "form": form()},
                {"location": "ask", "label": "ask", "submit": {"path": "/ask"}},
                {"location": "many", "label": "many", "form": many},
            ],
        }]}]});
        stage.fake.answer("/bindings", Answer::Json(bindings));
        stage.fake.answer("/ask", Answer::Json(json!({"type": "form", "form": form()})));
        stage.fake.answer_with("/send", |call| async move {
            Answer::Json(json!({"type": "ok", "text": format!("got {}", call.json()["values"])}))
        });
        stage.install(&["act_as_bot", "act_as_user"]).await;
        Self { stage, team, channel }
    }

    async fn types(&self, text: &str) -> Seen {
        let Self { stage, team, channel } = self;
        stage.mattermost.run_command(&stage.user.id, team, channel, text).await
    }

    async fn submits(&self, submission: Value) -> tessera_testkit::wire::Answer {
        self.stage.mattermost.submit_dialog(&self.stage.user.id, &self.channel, submission).await
    }
}

async fn a_form_is_shown_filled_in_and_answered(version: Version) {
    let scene = Scene::set(version).await;
    let (mattermost, user) = (&scene.stage.mattermost, scene.stage.user.id.clone());
    for command in ["/hello send", "/hello ask"] {
        assert_eq!(scene.types(command).await.text(), "", "{command}");
        let dialog = mattermost.dialog_of(&user).unwrap();
        assert_eq!(dialog.form["title"], "Send something");
        let introduction = dialog.form["introduction_text"].as_str().unwrap();
        assert_eq!(introduction, "To whom, and what?\n\nIt is sent **at once**.");
        let elements = dialog.form["elements"].as_array().unwrap();
        let kinds: Vec<&str> = elements.iter().map(|element| element["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["textarea", "select", "bool"]);
        let sent = scene.submits(json!({"message": "hi", "color": "b", "loud": true})).await;
        assert_eq!((sent.status, sent.json()), (200, json!({})), "{}", sent.text());
        // Its typist alone sees what it came to.
        let told = mattermost.ephemeral_posts().pop().unwrap();
        assert_eq!((&told["user_id"], &told["post"]["channel_id"]), (&json!(user), &json!(scene.channel)));
        let expected = r#"got {"color":{"label":"Blue","value":"b"},"loud":true,"message":"hi"}"#;
        assert_eq!(told["post"]["message"], expected);
        assert!(mattermost.dialog_of(&user).is_none());
        // The same by flags, without a dialog.
        assert_eq!(scene.types("/hello send --message hi --color Blue --loud").await.text(), expected);
    }
}

#[tokio::test]
async fn a_form_is_shown_filled_in_and_answered_beside_an_old_mattermost() {
    a_form_is_shown_filled_in_and_answered(Version::V6_7).await;
}

#[tokio::test]
async fn a_form_is_shown_filled_in_and_answered_where_the_original_cannot_run() {
    a_form_is_shown_filled_in_and_answered(Version::V12_0).await;
}

#[tokio::test]
async fn texts_are_as_short_as_mattermost_wants_them_in_bytes() {
    // As many letters as fit a dialog, each of two or of three bytes.
    let long = |letter: &str, many: usize| letter.repeat(many);
    let form = json!({"title": long("ü", 24), "submit": {"path": "/send"}, "fields": [
        {"name": "a", "type": "text", "modal_label": long("ö", 24), "description": long("€", 150), "hint": long("ä", 150)},
        {"name": "b", "type": "text", "value": long("é", 150), "min_length": 200},
        {"name": "c", "type": "text", "modal_label": long("x", 25), "subtype": "number"},
        {"name": "d", "type": "bool", "modal_label": format!("x{}", long("🙂", 20)), "hint": long("ß", 100)},
        {"name": "e", "type": "static_select", "value": {"value": "gone"}, "options": [{"value": "r"}]},
    ]});
    for version in [Version::V6_7, Version::V12_0] {
        let scene = Scene::set(version).await;
        let mattermost = &scene.stage.mattermost;
        scene.stage.fake.answer("/ask", Answer::Json(json!({"type": "form", "form": form})));
        assert_eq!(scene.types("/hello ask").await.text(), "");
        assert_eq!(mattermost.warnings(), Vec::<String>::new());
        let shown = mattermost.dialog_of(&scene.stage.user.id).unwrap().form;
        assert_eq!(shown["elements"][0]["display_name"], format!("{}…", long("ö", 10)));
        assert_eq!(shown["elements"][2]["display_name"], format!("{}…", long("x", 21)));
        // A text is shown whole or not at all: what was cut would be sent back so.
        assert_eq!(shown["elements"][1]["default"], long("é", 150));
        assert_eq!(shown["elements"][4]["options"][0], json!({"text": "r", "value": "r"}));
    }
}

#[tokio::test]
async fn an_app_s_errors_stand_at_their_fields() {
    let scene = Scene::set(Version::V11_7).await;
    let errors =
        json!({"type": "error", "text": "Not like this.", "data": {"errors": {"message": "Too short."}}});
    scene.stage.fake.answer("/send", Answer::Json(errors));
    scene.types("/hello send").await;
    let sent = scene.submits(json!({"message": "x"})).await;
    assert_eq!(sent.json(), json!({"error": "Not like this.", "errors": {"message": "Too short."}}));
    assert!(scene.stage.mattermost.dialog_of(&scene.stage.user.id).is_some(), "it stays open");
}

#[tokio::test]
async fn a_second_step_is_shown_where_it_can_be_and_said_in_words_elsewhere() {
    for (version, can) in [(Version(11, 0), false), (Version(11, 1), true)] {
        let scene = Scene::set(version).await;
        let second = json!({"title": "And then", "submit": {"path": "/last"}, "fields": [{"name": "more", "type": "text"}]});
        scene.stage.fake.answer("/send", Answer::Json(json!({"type": "form", "form": second})));
        scene.stage.fake.answer("/last", Answer::Json(json!({"type": "ok", "text": "done"})));
        scene.types("/hello send").await;
        let sent = scene.submits(json!({"message": "x"})).await;
        if !can {
            assert!(sent.json()["error"].as_str().unwrap().contains("11.1"), "{}", sent.text());
            continue;
        }
        assert_eq!(sent.json()["type"], "form", "{}", sent.text());
        let last = scene.submits(json!({"more": "y"})).await;
        assert_eq!(last.json(), json!({}), "{}", last.text());
        assert_eq!(scene.stage.mattermost.ephemeral_posts().pop().unwrap()["post"]["message"], "done");
    }
}

#[tokio::test]
async fn what_a_version_cannot_draw_is_said() {
    let scene = Scene::set(Version::V10_11).await;
    let text = scene.types("/hello many").await.text();
    assert!(text.contains("several choices") && text.contains("version 11"), "{text}");
    let scene = Scene::set(Version::V11_7).await;
    assert_eq!(scene.types("/hello many").await.text(), "");
    let sent = scene.submits(json!({"all": ["r"]})).await;
    assert_eq!(sent.json(), json!({}), "{}", sent.text());
    let told = scene.stage.mattermost.ephemeral_posts().pop().unwrap();
    assert_eq!(told["post"]["message"], r#"got {"all":[{"label":"Red","value":"r"}]}"#);
}

#[tokio::test]
async fn a_dialog_s_answer_is_believed_for_our_mark_s_sake_alone() {
    let scene = Scene::set(Version::V11_7).await;
    let (stage, user) = (&scene.stage, scene.stage.user.id.clone());
    scene.types("/hello send").await;
    let dialog = stage.mattermost.dialog_of(&user).unwrap();
    let state = dialog.form["state"].as_str().unwrap().to_owned();
    let path = dialog.url.strip_prefix(&stage.door.url()).unwrap().to_owned();
    let answer = |user: &str, state: &str| {
        json!({"user_id": user, "state": state, "submission": {"message": "x"}}).to_string()
    };
    let send = async |path: &str, body: String| {
        // Whatever session it brings along.
        let ask = Ask::post(path, body).bearer(&stage.admin.token).with("User-Agent", "Mattermost-Bot/1.1");
        stage.site().send(&ask).await.status
    };
    let forged = format!("{}x.{}", &state[..8], state.split_once('.').unwrap().1);
    for (path, body) in [
        (path.clone(), answer(&user, "")),
        (path.clone(), answer(&user, &forged)),
        (path.clone(), answer(&user, state.split('.').next().unwrap())),
        // Somebody else, an administrator too; another App.
        (path.clone(), answer(&stage.admin.id, &state)),
        (path.replace(APP, "other"), answer(&user, &state)),
    ] {
        assert_eq!(send(&path, body.clone()).await, 401, "{body}");
    }
    assert!(stage.fake.calls_to("/send").is_empty());
    assert_eq!(send(&path, answer(&user, &state)).await, 200);
    assert_eq!(stage.fake.calls_to("/send").last().unwrap().json()["context"]["channel"], json!(null));
    // It lasts an hour.
    stage.server.clock.advance_ms(3_600_001);
    assert_eq!(send(&path, answer(&user, &state)).await, 401);
}
