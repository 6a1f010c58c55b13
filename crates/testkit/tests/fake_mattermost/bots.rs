//! Bots: who makes them, and who changes them.

use serde_json::json;
use tessera_testkit::fake_mattermost::Version;
use tessera_testkit::wire::Ask;

use crate::{Scene, is, refused};

const NO_BOT: &str = "store.sql_bot.get.missing.app_error";

#[tokio::test]
async fn a_bot_is_made_by_a_person_who_may_where_the_site_lets_them() {
    let scene = Scene::of(Version::V11_6).await;
    let bot = json!({"username": "hello", "display_name": "Hello", "description": "An App's."});
    assert_eq!(scene.post(&scene.token, "/bots", bot.clone()).await.status, 403);
    scene.mattermost.set("ServiceSettings.EnableBotAccountCreation", false);
    let off = scene.post(&scene.root, "/bots", bot.clone()).await;
    assert_eq!(refused(&off), is(403, "api.bot.create_disabled"));
    scene.mattermost.set("ServiceSettings.EnableBotAccountCreation", true);
    let made = scene.post(&scene.root, "/bots", bot.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["user_id"].as_str().unwrap().to_owned();
    let taken = scene.post(&scene.root, "/bots", bot).await;
    assert_eq!(refused(&taken), is(400, "app.user.save.username_exists.app_error"));
    // No bot makes bots, whatever its roles allow.
    scene.mattermost.set_roles(&id, "system_user system_admin");
    let token = scene.mattermost.personal_token(&id);
    assert_eq!(scene.post(&token, "/bots", json!({"username": "second"})).await.status, 403);
    let me = scene.get(&token, "/users/me").await.json();
    assert_eq!((&me["is_bot"], &me["bot_description"]), (&json!(true), &json!("An App's.")));
}

#[tokio::test]
async fn who_may_not_read_a_bot_is_told_that_there_is_none() {
    let scene = Scene::of(Version::V11_6).await;
    let bot = scene.mattermost.add_bot("hello", &scene.ada);
    let path = format!("/bots/{bot}");
    assert_eq!(refused(&scene.get(&scene.token, &path).await), is(404, NO_BOT));
    assert_eq!(
        refused(&scene.post(&scene.token, &format!("{path}/disable"), json!({})).await),
        is(404, NO_BOT)
    );
    scene.mattermost.add_role("owner", &["read_bots"]);
    scene.mattermost.set_roles(&scene.ada, "system_user owner");
    assert_eq!(scene.get(&scene.token, &path).await.status, 200);
    assert_eq!(scene.post(&scene.token, &format!("{path}/disable"), json!({})).await.status, 403);
    scene.mattermost.grant("owner", "manage_bots");
    let token = scene.mattermost.personal_token(&bot);
    assert_eq!(scene.get(&token, "/users/me").await.status, 200);
    let disabled = scene.post(&scene.token, &format!("{path}/disable"), json!({})).await;
    assert!(disabled.json()["delete_at"].as_i64().unwrap() > 0);
    assert_eq!(scene.get(&token, "/users/me").await.status, 401, "a bot that is disabled is nobody");
    assert_eq!(scene.post(&scene.root, &format!("{path}/enable"), json!({})).await.status, 200);
    assert_eq!(scene.get(&token, "/users/me").await.status, 200);
    let named = scene.put(&scene.root, &path, json!({"display_name": "Greeter"})).await.json();
    assert_eq!((&named["display_name"], &named["username"]), (&json!("Greeter"), &json!("hello")));
}

#[tokio::test]
async fn a_bot_posts_where_it_is_a_member_and_whispers_nowhere() {
    let scene = Scene::of(Version::V11_6).await;
    let bot = scene.mattermost.add_bot("hello", &scene.ada);
    let token = scene.mattermost.personal_token(&bot);
    let post = json!({"channel_id": scene.channel, "message": "hi"});
    assert_eq!(scene.post(&token, "/posts", post.clone()).await.status, 403);
    scene.mattermost.join(&scene.team, &bot);
    scene.mattermost.join(&scene.channel, &bot);
    let made = scene.post(&token, "/posts", post).await;
    assert_eq!(made.json()["props"]["from_bot"], "true", "{}", made.text());
    let alone = json!({"user_id": scene.ada, "post": {"channel_id": scene.channel, "message": "psst"}});
    assert_eq!(scene.post(&token, "/posts/ephemeral", alone).await.status, 403);
}

#[tokio::test]
async fn from_twelve_on_nobody_says_in_whose_name_a_post_is_shown() {
    for (version, kept) in [(Version::V11_10, true), (Version::V12_0, false)] {
        let scene = Scene::of(version).await;
        let props = json!({"override_username": "boss", "mine": 1});
        let post = json!({"channel_id": scene.channel, "message": "x", "props": props});
        let made = scene.post(&scene.token, "/posts", post).await.json();
        assert_eq!(made["props"].get("override_username").is_some(), kept, "{version}");
        assert_eq!(made["props"]["mine"], 1);
    }
}

#[tokio::test]
async fn a_picture_is_set_by_who_manages_the_account() {
    let scene = Scene::of(Version::V11_6).await;
    let bot = scene.mattermost.add_bot("hello", &scene.ada);
    let ask = |token: &str| {
        let ask = Ask::post(format!("/api/v4/users/{bot}/image"), "--x--");
        ask.with("Content-Type", "multipart/form-data; boundary=x").bearer(token)
    };
    assert_eq!(scene.send(&ask(&scene.token)).await.status, 403);
    assert_eq!(scene.send(&ask(&scene.root)).await.status, 200);
    assert_eq!(scene.mattermost.pictures_of(&bot), 1);
}
