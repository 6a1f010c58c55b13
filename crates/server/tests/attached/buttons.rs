//! Buttons as message actions of a Mattermost.

use serde_json::{Value, json};
use tessera_testkit::attached::APP;
use tessera_testkit::fake_app::Answer;
use tessera_testkit::fake_mattermost::{Seen, Version};
use tessera_testkit::wire::Ask;

use crate::scene::{Scene, commands};

const ACTIONS: &str = "/plugins/com.mattermost.apps/tessera/v1/from-mattermost/actions/hello";

fn bindings() -> [Value; 3] {
    let form =
        json!({"title": "Tell", "submit": {"path": "/send"}, "fields": [{"name": "note", "type": "text"}]});
    let commands = commands(&json!([
        {"location": "status", "label": "status", "submit": {"path": "/status"}},
        {"location": "more", "label": "more", "bindings": [
            {"location": "ask", "label": "ask", "submit": {"path": "/ask"}},
        ]},
        {"location": "send", "label": "send", "form": {"submit": {"path": "/send"}, "fields": [
            {"name": "note", "type": "text", "is_required": true},
        ]}},
    ]));
    let header = json!({"location": "/channel_header", "bindings": [
        {"location": "tell", "label": "Tell", "icon": "icon.png", "form": form},
    ]});
    let post = json!({"location": "/post_menu", "bindings": [
        {"location": "keep", "label": "Keep", "submit": {"path": "/keep", "expand": {"post": "id"}}},
    ]});
    [commands, header, post]
}

async fn scene(version: Version) -> Scene {
    let scene = Scene::set(version, &bindings()).await;
    scene.stage.fake.answer("/status", Answer::Json(json!({"type": "ok", "text": "all is well"})));
    scene.stage.fake.answer("/keep", Answer::Json(json!({"type": "ok", "text": "kept"})));
    let ask = json!({"title": "Which?", "submit": {"path": "/send"}, "submit_buttons": "which", "fields": [
        {"name": "which", "type": "static_select", "options": [{"label": "This", "value": "1"}, {"label": "That", "value": "2"}]},
    ]});
    scene.stage.fake.answer("/ask", Answer::Json(json!({"type": "form", "form": ask})));
    scene
}

/// The post that somebody alone saw last, and its buttons: ids by their names.
fn buttons(scene: &Scene) -> (String, Vec<(String, String)>) {
    let post = scene.stage.mattermost.ephemeral_posts().pop().unwrap()["post"].clone();
    let rows = post["props"]["attachments"].as_array().cloned().unwrap_or_default();
    let all = rows.iter().flat_map(|row| row["actions"].as_array().unwrap().clone());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&post["id"]), all.map(|one| (text(&one["name"]), text(&one["id"]))).collect())
}

async fn press(scene: &Scene, name: &str) -> Seen {
    let (post, all) = buttons(scene);
    let (_, id) =
        all.iter().find(|(called, _)| called == name).unwrap_or_else(|| panic!("no {name}: {all:?}"));
    scene.stage.mattermost.press(&scene.stage.user.id, &post, id, None).await
}

/// What a button is sent with, as Mattermost keeps it.
fn mark(scene: &Scene) -> Value {
    let post = scene.stage.mattermost.ephemeral_posts().pop().unwrap();
    post["post"]["props"]["attachments"][0]["actions"][0]["integration"]["context"].clone()
}

#[tokio::test]
async fn what_needs_no_words_is_pressed() {
    for version in [Version::V6_7, Version::V11_7, Version::V12_0] {
        let scene = scene(version).await;
        let (mattermost, user) = (&scene.stage.mattermost, &scene.stage.user.id);
        let seen = scene.types("/hello").await;
        assert!(seen.text().starts_with("`/hello` is followed by one of these:"), "{seen:?}");
        let names: Vec<String> = buttons(&scene).1.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["status", "more ask", "Tell"]);
        let seen = press(&scene, "status").await;
        assert_eq!(seen.answer()["ephemeral_text"], "all is well");
        // A form is a dialog, opened with what came with the press.
        scene.types("/hello").await;
        let seen = press(&scene, "Tell").await;
        assert_eq!(seen.answer()["ephemeral_text"], "");
        assert_eq!(scene.dialog()["title"], "Tell");
        scene.submits(json!({"note": "x"})).await;
        assert_eq!(scene.called("/send")["values"], json!({"note": "x"}));
        assert_eq!(mattermost.warnings(), Vec::<String>::new());
        assert_eq!(mattermost.dialogs_of(user), 0);
    }
}

#[tokio::test]
async fn as_a_reply_there_is_what_the_app_has_at_the_post() {
    let scene = scene(Version::V11_7).await;
    let post = scene.stage.mattermost.post(&scene.stage.user.id, &scene.channel, "remember me");
    scene.types_in(&post, "/hello").await;
    let seen = press(&scene, "Keep").await;
    assert_eq!(seen.answer()["ephemeral_text"], "kept");
    assert_eq!(scene.called("/keep")["context"]["post"]["id"], json!(post));
}

#[tokio::test]
async fn a_form_that_is_only_about_which_button_is_buttons() {
    for version in [Version::V6_7, Version::V12_0] {
        let scene = scene(version).await;
        let seen = scene.types("/hello more ask").await;
        assert_eq!(seen.text(), "**Which?**");
        let seen = press(&scene, "That").await;
        assert_eq!(scene.called("/send")["values"], json!({"which": {"label": "That", "value": "2"}}));
        assert!(seen.answer()["ephemeral_text"].as_str().unwrap().starts_with("got "), "{seen:?}");
        // The message says what was chosen, and asks no more.
        let first = scene.stage.mattermost.ephemeral_posts().swap_remove(0)["post"].clone();
        assert_eq!(
            (&first["message"], &first["props"]["attachments"]),
            (&json!("**Which?**\n\nThat"), &json!(null))
        );
        // By a button that leads to buttons, too.
        scene.types("/hello").await;
        press(&scene, "more ask").await;
        let names: Vec<String> = buttons(&scene).1.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["This", "That"]);
        // What the App refuses may be tried again.
        scene.stage.fake.answer("/send", Answer::Json(json!({"type": "error", "text": "not now"})));
        let seen = press(&scene, "This").await;
        assert_eq!(
            (&seen.answer()["ephemeral_text"], &seen.answer()["update"]),
            (&json!("not now"), &json!(null))
        );
    }
}

#[tokio::test]
async fn what_is_not_offered_any_more_does_nothing() {
    let scene = scene(Version::V11_7).await;
    scene.types("/hello").await;
    scene.stage.fake.answer("/bindings", Answer::Json(json!({"type": "ok", "data": []})));
    let seen = press(&scene, "status").await;
    assert_eq!(seen.answer()["ephemeral_text"], "The App does not offer this any more.");
    assert!(scene.stage.fake.calls_to("/status").is_empty());
}

#[tokio::test]
async fn a_press_is_believed_for_our_mark_s_sake_alone() {
    let scene = scene(Version::V11_7).await;
    let (stage, user, channel) = (&scene.stage, scene.stage.user.id.clone(), scene.channel.clone());
    scene.types("/hello more ask").await;
    let context = mark(&scene);
    let mark = context["tessera"].as_str().unwrap().to_owned();
    scene.types("/hello send").await;
    let of_dialog = scene.dialog()["state"].as_str().unwrap().to_owned();
    let elsewhere = stage.mattermost.add_channel(&scene.team, "elsewhere", "O");
    let body = |user: &str, channel: &str, mark: &str| {
        json!({"user_id": user, "channel_id": channel, "context": {"tessera": mark}}).to_string()
    };
    let press = async |path: &str, body: String, bearer: &str| {
        let ask = Ask::post(path, body).bearer(bearer).with("User-Agent", "Mattermost-Bot/1.1");
        stage.site().send(&ask).await.status
    };
    let forged = format!("{}x.{}", &mark[..8], mark.split_once('.').unwrap().1);
    for (path, body) in [
        (ACTIONS.to_owned(), body(&user, &channel, "")),
        (ACTIONS.to_owned(), body(&user, &channel, &forged)),
        (ACTIONS.to_owned(), body(&user, &channel, mark.split('.').next().unwrap())),
        (ACTIONS.to_owned(), body(&user, &channel, &of_dialog)),
        // Somebody else, an administrator too; another channel; another App.
        (ACTIONS.to_owned(), body(&stage.admin.id, &channel, &mark)),
        (ACTIONS.to_owned(), body(&user, &elsewhere, &mark)),
        (ACTIONS.replace(APP, "other"), body(&user, &channel, &mark)),
    ] {
        // Whatever session it brings along: the owner's own, or an administrator's.
        for bearer in [&stage.user.token, &stage.admin.token] {
            assert_eq!(press(&path, body.clone(), bearer).await, 401, "{body}");
        }
    }
    assert!(stage.fake.calls_to("/send").is_empty());
    // The mark of a button opens no dialog's answer.
    let dialogs = ACTIONS.replace("/actions/", "/dialogs/");
    let answer = json!({"user_id": user, "state": mark, "submission": {"which": "1"}}).to_string();
    assert_eq!(press(&dialogs, answer, &stage.user.token).await, 401);
    // Who acts is who was marked, whoever's session comes along; none is needed.
    let expand = json!({"path": "/send", "expand": {"acting_user": "id"}});
    let form = json!({"submit": expand, "submit_buttons": "which", "fields": [
        {"name": "which", "type": "static_select", "options": [{"label": "This", "value": "1"}]},
    ]});
    stage.fake.answer("/ask", Answer::Json(json!({"type": "form", "form": form})));
    scene.types("/hello more ask").await;
    let fresh = self::mark(&scene)["tessera"].as_str().unwrap().to_owned();
    assert_eq!(press(ACTIONS, body(&user, &channel, &fresh), &stage.admin.token).await, 200);
    assert_eq!(scene.called("/send")["context"]["acting_user"]["id"], json!(user));
    // Who was deactivated presses nothing, and a button lasts an hour.
    stage.server.clock.advance_ms(3_600_001);
    assert_eq!(press(ACTIONS, body(&user, &channel, &fresh), &stage.user.token).await, 401);
    scene.types("/hello more ask").await;
    let fresh = self::mark(&scene)["tessera"].as_str().unwrap().to_owned();
    stage.mattermost.deactivate(&user);
    assert_eq!(press(ACTIONS, body(&user, &channel, &fresh), &stage.admin.token).await, 401);
    assert_eq!(stage.fake.calls_to("/send").len(), 1);
}

#[tokio::test]
async fn a_press_that_takes_its_time_is_answered_for_later() {
    let scene = scene(Version::V11_7).await;
    scene.types("/hello").await;
    let release = std::sync::Arc::new(tokio::sync::Notify::new());
    let late = Answer::Json(json!({"type": "ok", "text": "at last"}));
    scene.stage.fake.answer("/status", Answer::Held(std::sync::Arc::clone(&release), Box::new(late)));
    assert_eq!(press(&scene, "status").await.answer()["ephemeral_text"], "Working on it …");
    release.notify_one();
    while !scene.stage.mattermost.whispers_to(&scene.stage.user.id).iter().any(|said| said == "at last") {
        tokio::task::yield_now().await;
    }
}
