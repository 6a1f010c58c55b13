//! Records through an App's life: written while it is installed, gone when it is.

use serde_json::json;
use tessera_testkit::fake_app::Answer as AppAnswer;
use tessera_testkit::site::{OAUTH2_APP, OAUTH2_USER};
use tessera_testkit::wire::Ask;

use crate::stage::{APP, Stage, With, act, done};

/// A site where the App stores both of its records in `on_install`, as whoever installs it.
async fn installed() -> Stage {
    let stage = Stage::bare(|_| {}).await;
    let asks = vec![
        Ask::post(OAUTH2_APP, r#"{"client_id":"id","client_secret":"secret","data":{"a":1}}"#),
        Ask::post(OAUTH2_USER, "\"testing\""),
    ];
    act(&stage.fake, stage.site, "/installed", With::ActingUser, asks);
    let mut manifest = stage.manifest();
    manifest["on_install"] = json!({
        "path": "/installed", "expand": {"acting_user": "summary", "acting_user_access_token": "all"},
    });
    stage.site.install(&stage.admin, &manifest).await;
    stage
}

async fn uninstall(stage: &Stage) {
    let answer = stage.site.post(&stage.admin.token, "/uninstall-app", &json!({"app_id": APP})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

async fn both(stage: &Stage) -> serde_json::Value {
    let heard = stage.hears(&stage.admin, json!({"oauth2_app": "all", "oauth2_user": "all"})).await;
    let part = |name: &str| heard["oauth2"][name].clone();
    json!([part("client_id"), part("client_secret"), part("data"), part("user")])
}

#[tokio::test]
async fn c_oa_18_both_records_can_be_stored_while_the_app_is_being_installed() {
    let stage = installed().await;
    let call = stage.fake.calls_to("/installed").pop().unwrap().json();
    assert_eq!(call["context"]["acting_user"]["id"], stage.admin.id);
    assert_eq!(both(&stage).await, json!(["id", "secret", {"a": 1}, "testing"]));
    let answer = stage.during(&stage.admin, With::ActingUser, vec![Ask::get(OAUTH2_USER)]).await;
    assert_eq!(done(&answer), "\"testing\"");
}

#[tokio::test]
async fn c_oa_19_uninstalling_removes_the_records() {
    let stage = installed().await;
    let users = stage.token(&stage.user, With::ActingUser).await;
    stage.site.store(&users, "1").await;
    let admins = stage.token(&stage.admin, With::ActingUser).await;
    uninstall(&stage).await;
    // What the App still holds opens nothing.
    for token in [&users, &admins] {
        let answer = stage.site.send(&Ask::get(OAUTH2_USER).bearer(token)).await;
        assert_eq!(answer.status, 401, "{answer:?}");
    }
    // The same App again, but one that stores nothing now: nothing is left of before.
    stage.fake.answer("/installed", AppAnswer::ok());
    stage.site.install(&stage.admin, &stage.manifest()).await;
    assert_eq!(both(&stage).await, json!([null, null, null, null]));
    for who in [&stage.admin, &stage.user] {
        let token = stage.token(who, With::ActingUser).await;
        assert_eq!(stage.site.record(&token).await, "");
    }
}
