//! C-EC: what an App is told of a call.

use serde_json::{Value, json};
use tessera_testkit::site::PERMISSIONS;
use tessera_testkit::wire::Ask;

use crate::stage::{APP, Stage};

#[tokio::test]
async fn c_ec_01_an_app_sees_the_call_and_the_least_context_and_nothing_else() {
    let stage = Stage::set().await;
    stage.install().await;
    let ask = Ask::get("/api/v4/users/me/teams").bearer(&stage.user.token);
    let team = stage.site.send(&ask).await.json()[0]["id"].as_str().unwrap().to_owned();
    let ask = Ask::get(format!("/api/v4/teams/{team}/channels/name/off-topic")).bearer(&stage.user.token);
    let channel = stage.site.send(&ask).await.json()["id"].clone();
    let call = json!({
        "path": "/echo", "values": {"b": 1, "a": {"label": "A", "value": "a"}},
        "context": {
            "app_id": APP, "user_agent": "test", "channel_id": channel, "subject": "user_created",
            "location": "/command/echo", "bot_access_token": "made up", "acting_user": {"id": "made up"},
        },
    });
    assert_eq!(stage.site.post(&stage.user.token, "/call", &call).await.json()["type"], "ok");
    let heard = stage.fake.calls_to("/echo").pop().unwrap().json();
    let token = heard["context"]["bot_access_token"].as_str().unwrap();
    assert_eq!(token.len(), 26);
    let expected = json!({
        "path": "/echo", "values": {"a": {"label": "A", "value": "a"}, "b": 1},
        "context": {
            "app_id": "", "user_agent": "test", "developer_mode": true, "oauth2": {},
            "mattermost_site_url": format!("http://localhost:{}", stage.site.address.port()),
            "app_path": "/plugins/com.mattermost.apps/apps/echotest",
            "bot_user_id": stage.record().await["bot_user_id"], "bot_access_token": token,
        },
    });
    assert_eq!(heard, expected);
}

#[tokio::test]
async fn c_ec_02_the_caller_is_told_which_bot_the_app_has() {
    let stage = Stage::set().await;
    stage.install().await;
    let call = json!({"path": "/echo", "context": {"app_id": APP}});
    let answer = stage.site.post(&stage.user.token, "/call", &call).await.json();
    let metadata = json!({"bot_user_id": stage.record().await["bot_user_id"], "bot_username": APP});
    assert_eq!(answer, json!({"type": "ok", "app_metadata": metadata}));
    assert_eq!(metadata["bot_user_id"].as_str().unwrap().len(), 26);
}

/// What the App sees of somebody else's address.
async fn email_of_another(stage: &Stage) -> Value {
    let manifest = stage.fake.manifest(APP, &PERMISSIONS);
    stage.site.install(&stage.admin, &manifest).await;
    let other = stage.site.sign_in("user-2").await;
    let call = json!({
        "path": "/echo", "context": {"app_id": APP, "user_id": other.id},
        "expand": {"user": "summary", "acting_user": "summary"},
    });
    let answer = stage.site.post(&stage.user.token, "/call", &call).await.json();
    assert_eq!(answer["type"], "ok", "{answer}");
    let heard = stage.fake.calls_to("/echo").pop().unwrap().json();
    assert_eq!(heard["context"]["user"]["username"], "user-2");
    assert_ne!(heard["context"]["acting_user"]["email"], "", "one's own is always there");
    heard["context"]["user"]["email"].clone()
}

#[tokio::test]
async fn c_ec_03_an_address_is_shown_while_the_site_shows_addresses() {
    let shows = Stage::set().await;
    assert!(email_of_another(&shows).await.as_str().unwrap().contains('@'));
    let hides = Stage::with(|config| config.site.show_emails = false).await;
    assert_eq!(email_of_another(&hides).await, "");
}
