//! What somebody asked for before they agreed that the App acts for them is done once they come back.

use serde_json::{Value, json};
use tessera_testkit::attached::APP;
use tessera_testkit::browser::{Browser, From};
use tessera_testkit::fake_app::Answer;
use tessera_testkit::fake_mattermost::Version;
use tessera_testkit::wire;

use crate::scene::{Scene, commands};

const DONE: &str = "What you asked for is done";

async fn scene(version: Version) -> Scene {
    let call = json!({"path": "/send", "expand": {"acting_user_access_token": "all"}});
    let bindings =
        commands(&json!([{"location": "send", "label": "send", "form": {"submit": call, "fields": [
            {"name": "note", "type": "text", "position": 1, "is_required": true},
        ]}}]));
    Scene::set(version, &[bindings]).await
}

/// The path of the link in a text.
fn link(scene: &Scene, text: &str) -> String {
    let link = text.split(['(', ')']).find(|word| word.contains("/oauth2/mattermost/connect"));
    let link = link.unwrap_or_else(|| panic!("no link in {text}"));
    link.strip_prefix(&scene.stage.door.url()).unwrap().to_owned()
}

async fn browser(scene: &Scene, name: &str) -> Browser {
    let mut browser = scene.stage.browser();
    scene.stage.sign_in(&mut browser, name).await;
    browser
}

async fn visits(scene: &Scene, browser: &mut Browser, link: &str) -> wire::Answer {
    let first = browser.open(link, From::Nowhere).await;
    let (_, page) = scene.stage.follow(browser, first).await;
    assert!(page.text().contains("may act for you now"), "{}", page.text());
    page
}

fn made(scene: &Scene) -> usize {
    scene.stage.fake.calls_to("/send").len()
}

async fn a_command_is_carried_out_once_its_typist_agreed(version: Version) {
    let scene = scene(version).await;
    let text = scene.types("/hello send hi").await.text();
    assert!(text.contains("and what you asked for is done."), "{text}");
    let link = link(&scene, &text);
    // From the chat, in a browser in which nobody is signed in yet.
    let mut browser = scene.stage.browser();
    let first = browser.open(&link, From::Nowhere).await;
    let (place, _) = scene.stage.follow(&mut browser, first).await;
    assert_eq!(made(&scene), 0);
    scene.stage.sign_in(&mut browser, "ada").await;
    let page = visits(&scene, &mut browser, &place).await;
    assert!(page.text().contains(DONE), "{}", page.text());
    assert_eq!(made(&scene), 1);
    let call = scene.called("/send");
    assert_eq!(call["values"], json!({"note": "hi"}));
    assert!(!call["context"]["acting_user_access_token"].as_str().unwrap_or_default().is_empty());
    let told = scene.stage.mattermost.told_later();
    assert_eq!((told.len(), &told[0]["text"]), (1, &json!(r#"got {"note":"hi"}"#)));
    assert_eq!(told[0]["response_type"], "ephemeral");
    // A second visit does nothing.
    let page = visits(&scene, &mut browser, &link).await;
    assert!(!page.text().contains(DONE), "{}", page.text());
    assert_eq!(made(&scene), 1);
}

#[tokio::test]
async fn a_command_is_carried_out_once_its_typist_agreed_beside_an_old_mattermost() {
    a_command_is_carried_out_once_its_typist_agreed(Version::V6_7).await;
}

#[tokio::test]
async fn a_command_is_carried_out_once_its_typist_agreed_where_the_original_cannot_run() {
    a_command_is_carried_out_once_its_typist_agreed(Version::V12_0).await;
}

/// A call of a native client's.
async fn calls(scene: &Scene, channel: &str, more: Value) -> String {
    let mut call = json!({
        "path": "/send", "expand": {"acting_user_access_token": "all"}, "values": {"note": "hi"},
        "context": {"app_id": APP, "channel_id": channel, "team_id": scene.team},
    });
    for (name, value) in more.as_object().unwrap() {
        call[name] = value.clone();
    }
    let answer = scene.stage.site().post(&scene.stage.user.token, "/call", &call).await;
    answer.json()["text"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_call_of_a_native_client_is_told_in_its_channel() {
    let scene = scene(Version::V11_7).await;
    let link = link(&scene, &calls(&scene, &scene.channel, json!({})).await);
    let mut browser = browser(&scene, "ada").await;
    visits(&scene, &mut browser, &link).await;
    let told = scene.stage.mattermost.ephemeral_posts().pop().unwrap();
    assert_eq!(
        (&told["user_id"], &told["post"]["channel_id"]),
        (&json!(scene.stage.user.id), &json!(scene.channel))
    );
    assert_eq!((&told["post"]["message"], made(&scene)), (&json!(r#"got {"note":"hi"}"#), 1));
}

#[tokio::test]
async fn a_native_client_draws_the_link_to_agree_as_one() {
    // The real web client draws errors below a typed command as plain text, and those of a modal as Markdown.
    let scene = scene(Version::V11_7).await;
    for (typed, kind) in [("/hello send hi", "ok"), ("", "error")] {
        let call = json!({
            "path": "/send", "expand": {"acting_user_access_token": "all"}, "raw_command": typed,
            "context": {"app_id": APP, "channel_id": scene.channel, "team_id": scene.team},
        });
        let answer = scene.stage.site().post(&scene.stage.user.token, "/call", &call).await.json();
        assert_eq!(answer["type"], kind, "{answer}");
        assert!(answer["text"].as_str().unwrap().contains("[Agree to it once]("), "{answer}");
    }
}

#[tokio::test]
async fn what_stands_nowhere_else_stands_on_the_page() {
    let scene = scene(Version::V11_7).await;
    let secret = scene.stage.mattermost.add_channel(&scene.team, "secret", "P");
    let link = link(&scene, &calls(&scene, &secret, json!({})).await);
    let mut browser = browser(&scene, "ada").await;
    let page = visits(&scene, &mut browser, &link).await;
    assert!(page.text().contains("The App says: got"), "{}", page.text());
    assert!(scene.stage.mattermost.ephemeral_posts().is_empty());
}

#[tokio::test]
async fn a_form_that_comes_late_is_behind_a_button() {
    let scene = scene(Version::V11_7).await;
    let form =
        json!({"title": "More", "submit": {"path": "/last"}, "fields": [{"name": "more", "type": "text"}]});
    scene.stage.fake.answer("/send", Answer::Json(json!({"type": "form", "form": form})));
    let link = link(&scene, &scene.types("/hello send hi").await.text());
    let mut browser = browser(&scene, "ada").await;
    visits(&scene, &mut browser, &link).await;
    let post = scene.stage.mattermost.ephemeral_posts().pop().unwrap()["post"].clone();
    assert_eq!(post["message"], "More");
    let (id, action) = (post["id"].as_str().unwrap(), &post["props"]["attachments"][0]["actions"][0]["id"]);
    scene.stage.mattermost.press(&scene.stage.user.id, id, action.as_str().unwrap(), None).await;
    assert_eq!((scene.dialog()["title"].clone(), made(&scene)), (json!("More"), 1));
}

#[tokio::test]
async fn who_declines_has_nothing_done() {
    let scene = scene(Version::V11_7).await;
    let link = link(&scene, &scene.types("/hello send hi").await.text());
    let mut browser = browser(&scene, "ada").await;
    let begun = browser.open(&link, From::Nowhere).await;
    let authorize = begun.header("location").unwrap().to_owned();
    let state = authorize.split_once("state=").unwrap().1.split('&').next().unwrap();
    let callback = link.split('?').next().unwrap().replace("/connect", "/complete");
    let declined =
        browser.open(&format!("{callback}?error=access_denied&state={state}"), From::Elsewhere).await;
    assert_eq!(declined.status, 200, "{}", declined.text());
    assert!(!declined.text().contains(DONE), "{}", declined.text());
    // Not even when they agree later.
    let page = visits(&scene, &mut browser, &link).await;
    assert!(!page.text().contains(DONE), "{}", page.text());
    assert_eq!((made(&scene), scene.stage.mattermost.told_later().len()), (0, 0));
}

#[tokio::test]
async fn os_03_what_waits_is_done_for_nobody_but_who_asked() {
    let scene = scene(Version::V11_7).await;
    let link = link(&scene, &scene.types("/hello send hi").await.text());
    // Somebody else is sent the link: they agree for themselves, and nothing is done, for neither of the two.
    let mut other = browser(&scene, "root").await;
    let page = visits(&scene, &mut other, &link).await;
    assert!(!page.text().contains(DONE), "{}", page.text());
    assert_eq!(made(&scene), 0);
    // An address that somebody made up, or without what the link carries, does nothing either.
    let mut own = browser(&scene, "ada").await;
    let bare = link.split('?').next().unwrap();
    for made_up in [
        bare.to_owned(),
        format!("{bare}?again={}", "A".repeat(43)),
        format!("{bare}?again={}", "A".repeat(500)),
    ] {
        let page = visits(&scene, &mut own, &made_up).await;
        assert!(!page.text().contains(DONE), "{}", page.text());
    }
    assert_eq!(made(&scene), 0);
    // Who asked still has it.
    let page = visits(&scene, &mut own, &link).await;
    assert!(page.text().contains(DONE), "{}", page.text());
    assert_eq!(made(&scene), 1);
}

#[tokio::test]
async fn what_waits_does_so_for_ten_minutes_and_is_what_was_asked_last() {
    let scene = scene(Version::V11_7).await;
    let late = link(&scene, &scene.types("/hello send late").await.text());
    scene.stage.server.clock.advance_ms(600_000);
    let mut browser = browser(&scene, "ada").await;
    let page = visits(&scene, &mut browser, &late).await;
    assert!(!page.text().contains(DONE), "{}", page.text());
    assert_eq!(made(&scene), 0);
    // Ada agreed by then: Root has not, and asks twice.
    let root = &scene.stage.admin.id;
    for place in [&scene.team, &scene.channel] {
        scene.stage.mattermost.join(place, root);
    }
    let types =
        async |text| scene.stage.mattermost.run_command(root, &scene.team, &scene.channel, text).await.text();
    let first = link(&scene, &types("/hello send first").await);
    let second = link(&scene, &types("/hello send second").await);
    let mut browser = self::browser(&scene, "root").await;
    visits(&scene, &mut browser, &first).await;
    assert_eq!(made(&scene), 0);
    visits(&scene, &mut browser, &second).await;
    assert_eq!((made(&scene), scene.called("/send")["values"].clone()), (1, json!({"note": "second"})));
}

#[tokio::test]
async fn what_is_asked_by_the_way_does_not_wait() {
    let scene = scene(Version::V11_7).await;
    for more in [
        json!({"query": "x"}),
        json!({"selected_field": "note"}),
        json!({"values": {"note": "x".repeat(70_000)}}),
    ] {
        let text = calls(&scene, &scene.channel, more).await;
        assert!(text.ends_with("then try again.") && !text.contains("again="), "{text}");
    }
}

#[tokio::test]
async fn os_44_what_waits_is_nowhere_in_clear() {
    let scene = scene(Version::V11_7).await;
    let marker = "a-word-that-nobody-else-says";
    let link = link(&scene, &scene.types(&format!("/hello send {marker}")).await.text());
    let ticket = link.split_once("again=").unwrap().1.to_owned();
    for name in ["tessera.db", "tessera.db-wal", "audit.log"] {
        let bytes = std::fs::read(scene.stage.server.dir().join(name)).unwrap_or_default();
        for word in [marker, ticket.as_str()] {
            assert!(
                !bytes.windows(word.len()).any(|window| window == word.as_bytes()),
                "{name} holds {word}"
            );
        }
    }
}
