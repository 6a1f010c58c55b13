//! Message actions: what is sent, with whose session, and what comes of the answer.

use serde_json::{Value, json};
use tessera_testkit::fake_app::{Answer as Said, FakeApp};
use tessera_testkit::fake_mattermost::{Seen, Version};

use crate::Scene;

const INSIDE: &str = "ServiceSettings.AllowedUntrustedInternalConnections";

fn attachment(url: &str) -> Value {
    json!({"attachments": [{"actions": [
        {"id": "yes", "name": "Yes", "type": "button", "integration": {"url": url, "context": {"secret": "s"}}},
        {"id": "pick", "name": "Pick", "type": "select", "data_source": "users",
         "integration": {"url": url, "context": {"secret": "s"}}},
    ]}]})
}

fn failed(seen: &Seen) -> bool {
    matches!(seen, Seen::Failed(_))
}

#[tokio::test]
async fn what_is_sent_is_what_mattermost_sends() {
    let scene = Scene::of(Version::V11_6).await;
    let app = FakeApp::start().await;
    app.answer("/act", Said::Json(json!({"ephemeral_text": "done"})));
    let props = attachment(&format!("{}/act", app.root_url()));
    let post = json!({"channel_id": scene.channel, "message": "?", "props": props});
    let post = scene.post(&scene.token, "/posts", post).await.json();
    assert!(!post.to_string().contains("secret"), "a context is not for clients: {post}");
    let id = post["id"].as_str().unwrap();
    scene.mattermost.press(&scene.ada, id, "yes", None).await;
    scene.mattermost.press(&scene.ada, id, "pick", Some(&scene.ada)).await;
    let calls = app.calls_to("/act");
    let (first, second) = (calls[0].json(), calls[1].json());
    for (name, value) in [
        ("user_id", scene.ada.as_str()),
        ("user_name", "ada"),
        ("channel_id", &scene.channel),
        ("channel_name", "town-square"),
        ("team_id", &scene.team),
        ("team_domain", "dev"),
        ("post_id", id),
        ("type", "button"),
        ("data_source", ""),
    ] {
        assert_eq!(first[name], value, "{name}");
    }
    assert_eq!(first["context"], json!({"secret": "s"}));
    assert!(first["trigger_id"].is_string());
    assert_eq!((&second["type"], &second["data_source"]), (&json!("select"), &json!("users")));
    assert_eq!(second["context"], json!({"secret": "s", "selected_option": scene.ada}));
    assert_eq!(calls[0].headers.get("user-agent").unwrap(), "Mattermost-Bot/1.1");
    assert!(calls[0].headers.get("authorization").is_none(), "it is not the site's own address");
    assert_eq!(scene.mattermost.whispers_to(&scene.ada), ["done", "done"]);
    // As a client sends it.
    let path = format!("/posts/{id}/actions/yes");
    assert_eq!(scene.post(&scene.token, &path, json!({})).await.json()["status"], "OK");
    let eve = scene.mattermost.add_user("eve");
    let eve = scene.mattermost.session(&eve).token;
    assert_eq!(scene.post(&eve, &path, json!({})).await.status, 403);
    assert_eq!(scene.post(&scene.token, &format!("/posts/{id}/actions/no"), json!({})).await.status, 404);
}

#[tokio::test]
async fn an_address_of_the_site_s_own_gets_the_session_of_whoever_clicked() {
    let scene = Scene::of(Version::V6_7).await;
    let app = FakeApp::start().await;
    let plugin = "/plugins/com.mattermost.apps/act";
    scene.mattermost.set_site_url(&app.root_url());
    scene.mattermost.set(INSIDE, "");
    let press = async |url: String| {
        let post = scene.mattermost.post_with(&scene.ada, &scene.channel, "?", attachment(&url));
        scene.mattermost.press(&scene.ada, &post, "yes", None).await
    };
    // Below /plugins of the site: with a session, and whatever the rule for the inside says.
    let seen = press(format!("{}{plugin}", app.root_url())).await;
    assert!(!failed(&seen), "{seen:?}");
    let header = app.calls_to(plugin)[0].headers["authorization"].to_str().unwrap().to_owned();
    let token = header.strip_prefix("Bearer ").unwrap();
    assert_eq!(scene.mattermost.holder(token), Some(scene.ada.clone()));
    // Elsewhere on it: neither.
    assert!(failed(&press(format!("{}/elsewhere", app.root_url())).await));
    assert!(app.calls_to("/elsewhere").is_empty());
    assert!(scene.mattermost.warnings().last().unwrap().contains("address forbidden"));
    // A path alone leads to a plugin within, and there is none.
    assert!(failed(&press(plugin.to_owned()).await));
    assert_eq!(app.calls_to(plugin).len(), 1);
    // Where the site lies below a path, it is that path's /plugins.
    scene.mattermost.set_site_url(&format!("{}/chat", app.root_url()));
    assert!(failed(&press(format!("{}{plugin}", app.root_url())).await));
    assert!(!failed(&press(format!("{}/chat{plugin}", app.root_url())).await));
}

#[tokio::test]
async fn an_answer_may_change_the_post_and_keeps_what_is_not_its_to_change() {
    let scene = Scene::of(Version::V11_6).await;
    let app = FakeApp::start().await;
    let mut props = attachment(&format!("{}/act", app.root_url()));
    props["override_username"] = json!("boss");
    let post = scene.mattermost.post_with(&scene.ada, &scene.channel, "?", props);
    app.answer("/act", Said::Json(json!({"update": {"message": "new"}})));
    scene.mattermost.press(&scene.ada, &post, "yes", None).await;
    let now = scene.mattermost.posts()[0].clone();
    assert_eq!((&now["message"], &now["props"]["override_username"]), (&json!("new"), &json!("boss")));
    assert!(now["props"]["attachments"].is_array(), "props stay where none are given");
    app.answer("/act", Said::Json(json!({"update": {"message": "last", "props": {}}})));
    scene.mattermost.press(&scene.ada, &post, "yes", None).await;
    assert_eq!(scene.mattermost.posts()[0]["props"], json!({"override_username": "boss"}));
    // Its buttons are gone; and anything but 200 is a failure.
    assert!(failed(&scene.mattermost.press(&scene.ada, &post, "yes", None).await));
    let other = attachment(&format!("{}/other", app.root_url()));
    let other = scene.mattermost.post_with(&scene.ada, &scene.channel, "?", other);
    app.answer("/other", Said::Raw(http::StatusCode::ACCEPTED, "application/json", "{}".into()));
    let seen = scene.mattermost.press(&scene.ada, &other, "yes", None).await;
    assert!(matches!(&seen, Seen::Failed(why) if why == "Action integration error."), "{seen:?}");
    app.answer("/other", Said::body(""));
    assert!(!failed(&scene.mattermost.press(&scene.ada, &other, "yes", None).await));
}

#[tokio::test]
async fn blocks_are_there_from_11_10_on() {
    let scene = Scene::of(Version::V11_10).await;
    let app = FakeApp::start().await;
    app.answer("/act", Said::Json(json!({"goto_location": "https://example.com"})));
    let url = format!("{}/act", app.root_url());
    let props = json!({
        "mm_blocks": [
            {"type": "text", "text": "Go?"},
            {"type": "container", "content": [{"type": "button", "text": "Go", "action_id": "go_now"}]},
            {"type": "static_select", "action_id": "pick-one", "options": [{"text": "A", "value": "a"}]},
        ],
        "mm_blocks_actions": {
            "go_now": {"type": "external", "url": url, "context": {"secret": "s"}, "query": {"n": "1"}},
            "pick-one": {"type": "external", "url": url},
        },
    });
    let body = json!({"channel_id": scene.channel, "message": "", "props": props});
    let post = scene.post(&scene.token, "/posts", body.clone()).await;
    assert_eq!(post.status, 201, "{}", post.text());
    assert!(post.json()["props"]["mm_blocks_actions"].is_string(), "what clients have is sealed");
    let id = post.json()["id"].as_str().unwrap().to_owned();
    let seen = scene.mattermost.press(&scene.ada, &id, "go_now", None).await;
    assert_eq!(seen.answer()["goto_location"], "https://example.com");
    scene.mattermost.press(&scene.ada, &id, "pick-one", Some("a")).await;
    assert_eq!(app.calls_to("/act")[0].json()["context"], json!({"secret": "s", "n": "1"}));
    assert_eq!(app.calls_to("/act")[1].json()["context"]["selected_option"], "a");
    // Each action is there and used, and there is not too much of anything.
    let changes: [fn(&mut Value); 5] = [
        |props| props["mm_blocks_actions"]["go_now"] = Value::Null,
        |props| props["mm_blocks_actions"]["unused"] = json!({"type": "external", "url": "https://x"}),
        |props| props["mm_blocks"][0]["type"] = json!("video"),
        |props| props["mm_blocks"] = json!(vec![json!({"type": "divider"}); 101]),
        |props| props["mm_blocks"][0]["text"] = json!("x".repeat(16_001)),
    ];
    for change in changes {
        let mut body = body.clone();
        change(&mut body["props"]);
        assert_eq!(scene.post(&scene.token, "/posts", body).await.status, 400);
    }
    // Before, they are nothing.
    let before = Scene::of(Version::V11_6).await;
    let post = before.mattermost.post_with(&before.ada, &before.channel, "", props);
    assert!(failed(&before.mattermost.press(&before.ada, &post, "go_now", None).await));
}
