//! What expand delivers of OAuth2 (apps-framework.md section 3.6), in both profiles.

use serde_json::{Value, json};

use super::super::Profile;
use super::stage::*;

async fn oauth2(scene: &Scene, caller: &str, expand: Value) -> Value {
    scene.seen(caller, expand, json!({})).await.unwrap()["oauth2"].clone()
}

async fn refused(scene: &Scene, caller: &str, field: &str) -> String {
    let text = scene.seen(caller, json!({ field: "+all" }), json!({})).await.unwrap_err();
    let start = format!("failed to expand context: failed to expand required {field}: ");
    text.strip_prefix(&start).expect(&text).to_owned()
}

#[tokio::test]
async fn the_apps_record_and_urls() {
    let scene = Scene::new().await;
    let app_url = "https://mm.example.com/plugins/com.mattermost.apps/apps/hello-oauth2";
    let urls = json!({"connect_url": format!("{app_url}/oauth2/remote/connect"),
        "complete_url": format!("{app_url}/oauth2/remote/complete")});
    assert_eq!(oauth2(&scene, ANN, json!({"oauth2_app": "all"})).await, urls, "also when nothing was stored");
    scene.store_credentials().await;
    let full = oauth2(&scene, ANN, json!({"oauth2_app": "+all"})).await;
    assert_eq!(full["client_secret"], "s3cr3t&<1>");
    assert_eq!(full["data"], json!({"scopes": ["read", "write"]}));
    assert_eq!(oauth2(&scene, ANN, json!({"oauth2_app": "summary"})).await, json!({}));
}

#[tokio::test]
async fn the_acting_users_record_and_nobody_elses() {
    let scene = Scene::new().await;
    scene.store_record(ANN, r#"{"b":12345678901234567890, "a":1}"#).await;
    let about_ann = json!({"user_id": ANN});
    let seen = scene.seen(ROOT, json!({"oauth2_user": "+all"}), about_ann).await.unwrap();
    assert_eq!(seen["oauth2"], json!({}), "the record of whom the call is about stays out");
    oauth2(&scene, ANN, json!({"oauth2_user": "all"})).await;
    let text = scene.app.calls().last().unwrap().text().to_owned();
    assert!(text.contains("12345678901234567890"), "numbers keep their digits: {text}");
}

#[tokio::test]
async fn records_that_say_nothing_are_left_out_even_where_required() {
    let scene = Scene::new().await;
    for nothing in ["{}", "null", " null "] {
        scene.store_record(ANN, nothing).await;
        assert_eq!(oauth2(&scene, ANN, json!({"oauth2_user": "+all"})).await, json!({}), "{nothing:?}");
    }
    for something in [json!(false), json!(0), json!(""), json!([])] {
        scene.store_record(ANN, &something.to_string()).await;
        assert_eq!(oauth2(&scene, ANN, json!({"oauth2_user": "+all"})).await, json!({"user": something}));
    }
    assert_eq!(oauth2(&scene, ROOT, json!({"oauth2_user": "+all"})).await, json!({}), "never stored");
}

#[tokio::test]
async fn without_the_permission_there_is_nothing() {
    let scene = Scene::with(Profile::Documented, &["act_as_bot", "act_as_user"], |_| {}).await;
    assert_eq!(oauth2(&scene, ANN, json!({"oauth2_app": "all", "oauth2_user": "all"})).await, json!({}));
    for field in ["oauth2_app", "oauth2_user"] {
        assert_eq!(
            refused(&scene, ANN, field).await,
            "hello-oauth2 does not have permission to use a remote (3rd party) OAuth2 and store secrets: forbidden"
        );
    }
}

#[tokio::test]
async fn documented_a_bot_has_a_connection_of_its_own() {
    let scene = Scene::new().await;
    scene.store_record(BOT, r#"{"service":"account"}"#).await;
    let seen = oauth2(&scene, BOT, json!({"oauth2_user": "+all"})).await;
    assert_eq!(seen, json!({"user": {"service": "account"}}));
}

#[tokio::test]
async fn reference_a_bot_is_refused() {
    let scene = Scene::with(Profile::Reference, ALL, |_| {}).await;
    scene.store_record(BOT, r#"{"service":"account"}"#).await;
    scene.store_record(ANN, "1").await;
    assert_eq!(oauth2(&scene, BOT, json!({"oauth2_user": "all"})).await, json!({}));
    assert_eq!(
        refused(&scene, BOT, "oauth2_user").await,
        format!("user_id: {BOT}: @hello-oauth2 (Hello, OAuth2!): is a bot: unauthorized")
    );
    assert_eq!(oauth2(&scene, ANN, json!({"oauth2_user": "+all"})).await, json!({"user": 1}));
}
