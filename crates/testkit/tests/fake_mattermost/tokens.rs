//! Personal access tokens.

use serde_json::json;
use tessera_testkit::fake_mattermost::{FakeMattermost, Version};

use crate::{Scene, is, refused};

const TOKENS: &str = "ServiceSettings.EnableUserAccessTokens";
const LIFETIME: &str = "ServiceSettings.MaximumPersonalAccessTokenLifetimeDays";

fn described() -> serde_json::Value {
    json!({"description": "for a test"})
}

#[tokio::test]
async fn people_s_own_tokens_hang_on_a_setting_and_those_of_bots_do_not() {
    let scene = Scene::of(Version::V11_6).await;
    let bot = scene.mattermost.add_bot("hello", "nobody");
    let path = |user: &str| format!("/users/{user}/tokens");
    let made = scene.post(&scene.root, &path(&scene.ada), described()).await;
    assert_eq!((made.status, made.json()["is_active"].clone()), (200, json!(true)));
    let token = made.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(scene.get(&token, "/users/me").await.json()["id"], scene.ada.as_str());
    scene.mattermost.set(TOKENS, false);
    assert_eq!(scene.get(&token, "/users/me").await.status, 401);
    let off = scene.post(&scene.root, &path(&scene.ada), described()).await;
    assert_eq!(refused(&off), is(501, "app.user_access_token.disabled"));
    let of_bot = scene.post(&scene.root, &path(&bot), described()).await;
    assert_eq!(of_bot.status, 200, "{}", of_bot.text());
    assert_eq!(scene.get(of_bot.json()["token"].as_str().unwrap(), "/users/me").await.status, 200);
}

#[tokio::test]
async fn a_token_is_made_by_who_may_for_whom_they_manage() {
    let scene = Scene::of(Version::V11_6).await;
    let own = format!("/users/{}/tokens", scene.ada);
    assert_eq!(scene.post(&scene.token, &own, described()).await.status, 403);
    scene.mattermost.set_roles(&scene.ada, "system_user system_user_access_token");
    assert_eq!(scene.post(&scene.token, &own, described()).await.status, 200);
    let nameless = scene.post(&scene.token, &own, json!({})).await;
    assert_eq!(refused(&nameless), is(400, "api.context.invalid_body_param.app_error"));
    // Others' are for those who edit others, and administrators' for administrators.
    let root = scene.mattermost.user_id("root").unwrap();
    let others = format!("/users/{root}/tokens");
    assert_eq!(scene.post(&scene.token, &others, described()).await.status, 403);
    scene.mattermost.add_role("editor", &["edit_other_users"]);
    scene.mattermost.set_roles(&scene.ada, "system_user system_user_access_token editor");
    assert_eq!(scene.post(&scene.token, &others, described()).await.status, 403);
    scene.mattermost.grant("editor", "manage_system");
    assert_eq!(scene.post(&scene.token, &others, described()).await.status, 200);
    // The secret is shown once.
    let list = scene.get(&scene.token, &own).await.json();
    assert!(list[0].get("token").is_none() && list[0]["description"] == "for a test", "{list}");
}

#[tokio::test]
async fn a_token_is_revoked_disabled_and_from_11_10_on_rotated() {
    for (version, rotates) in [(Version::V11_7, false), (Version::V11_10, true)] {
        let scene = Scene::of(version).await;
        let made = scene.post(&scene.root, &format!("/users/{}/tokens", scene.ada), described()).await.json();
        let (id, token) = (made["id"].clone(), made["token"].as_str().unwrap().to_owned());
        let which = json!({"token_id": id});
        let rotated = scene.post(&scene.root, "/users/tokens/rotate", which.clone()).await;
        assert_eq!(rotated.status, if rotates { 200 } else { 404 }, "{}", rotated.text());
        let token = if rotates {
            assert_eq!(scene.get(&token, "/users/me").await.status, 401, "the old secret is gone at once");
            rotated.json()["token"].as_str().unwrap().to_owned()
        } else {
            token
        };
        for (switch, status) in [("disable", 401), ("enable", 200), ("revoke", 401)] {
            let answer = scene.post(&scene.root, &format!("/users/tokens/{switch}"), which.clone()).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert_eq!(scene.get(&token, "/users/me").await.status, status, "{switch}");
        }
    }
}

#[tokio::test]
async fn a_lifetime_may_be_demanded_and_from_twelve_on_of_bots_too() {
    for (version, of_bots) in [(Version::V11_10, false), (Version::V12_0, true)] {
        let mattermost = FakeMattermost::builder(version).set(LIFETIME, 30).start().await.unwrap();
        let scene = Scene::with(mattermost);
        let bot = scene.mattermost.add_bot("hello", &scene.ada);
        let own = format!("/users/{}/tokens", scene.ada);
        assert_eq!(scene.post(&scene.root, &own, described()).await.status, 400);
        let forever = scene.post(&scene.root, &format!("/users/{bot}/tokens"), described()).await;
        assert_eq!(forever.status, if of_bots { 400 } else { 200 }, "{version}");
        let me = scene.get(&scene.token, "/users/me").await.json();
        let soon = me["create_at"].as_i64().unwrap() + 86_400_000;
        let body = json!({"description": "x", "expires_at": soon});
        let made = scene.post(&scene.root, &own, body).await;
        assert_eq!(made.status, 200, "{}", made.text());
        let token = made.json()["token"].as_str().unwrap().to_owned();
        assert_eq!(scene.get(&token, "/users/me").await.status, 200);
        scene.mattermost.advance_ms(86_400_001);
        assert_eq!(scene.get(&token, "/users/me").await.status, 401);
    }
}
