//! The call inspector: what is remembered of calls, and who sees it.

use serde_json::{Value, json};
use tessera_testkit::fake_app::Answer as AppAnswer;
use tessera_testkit::site::PERMISSIONS;
use tessera_testkit::wire::Ask;

use crate::stage::{APP, Stage};

const CALLS: &str = "/plugins/com.mattermost.apps/tessera/v1/console/calls";

async fn seen(stage: &Stage, token: &str) -> Vec<Value> {
    let answer = stage.site.send(&Ask::get(CALLS).bearer(token)).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")), "{}", answer.text());
    answer.json()["calls"].as_array().unwrap().clone()
}

async fn call(stage: &Stage, path: &str, more: Value) {
    let mut call = json!({
        "path": path, "context": {"app_id": APP},
        "expand": {"acting_user": "summary", "acting_user_access_token": "all", "oauth2_app": "all", "oauth2_user": "all"},
    });
    call.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    stage.site.post(&stage.user.token, "/call", &call).await;
}

async fn set() -> Stage {
    let stage = Stage::set().await;
    stage.site.install(&stage.admin, &stage.fake.manifest(APP, &PERMISSIONS)).await;
    stage
}

#[tokio::test]
async fn a_call_is_shown_with_both_sides_and_without_its_secrets() {
    let stage = set().await;
    let (acting, bot) = stage.site.tokens(&stage.user, &stage.fake, APP).await;
    stage.site.store(&acting, "{\"access_token\":\"planted-token\"}").await;
    let text = format!("Your token is planted-token, mine {bot}.");
    stage.fake.answer("/do", AppAnswer::Json(json!({"type": "ok", "text": text})));
    call(&stage, "/do", json!({"values": {"colour": "green", "password": "planted-password"}})).await;

    let calls = seen(&stage, &stage.user.token).await;
    let last = &calls[0];
    for (member, expected) in [
        ("app_id", json!(APP)),
        ("path", json!("/do")),
        ("kind", json!("call")),
        ("acting_user", json!(stage.user.id)),
        ("error", Value::Null),
    ] {
        assert_eq!(last[member], expected, "{last}");
    }
    assert!(last["took_ms"].as_f64().unwrap() > 0.0 && last["at"].as_i64().unwrap() > 0);
    assert_eq!(last["request"]["values"], json!({"colour": "green", "password": "[redacted]"}));
    assert_eq!(last["request"]["context"]["oauth2"]["user"], "[redacted]");
    assert_eq!(last["response"]["text"], "Your token is [redacted], mine [redacted].");
    let all = json!(calls).to_string();
    assert!(!all.contains("planted") && !all.contains(&acting) && !all.contains(&bot), "{all}");
}

#[tokio::test]
async fn a_failure_is_shown_with_its_reason() {
    let stage = set().await;
    stage.fake.answer("/broken", AppAnswer::Close);
    call(&stage, "/broken", json!({})).await;
    call(&stage, "/oauth2/connect", json!({})).await;
    call(&stage, "/do", json!({"expand": {"channel": "+all"}})).await;
    let calls = seen(&stage, &stage.user.token).await;
    let errors: Vec<_> = calls.iter().take(3).map(|call| call["error"].as_str().unwrap()).collect();
    assert!(errors[0].contains("failed to expand required channel"), "{errors:?}");
    assert!(errors[1].contains("forbidden call path"), "{errors:?}");
    assert!(!errors[2].is_empty());
    assert!(calls[0]["request"].is_null() && calls[2]["request"].is_object(), "what was sent is shown");
}

#[tokio::test]
async fn people_see_their_own_calls_administrators_all_and_apps_none() {
    let stage = set().await;
    call(&stage, "/do", json!({})).await;
    let kinds = |calls: &[Value]| -> Vec<String> {
        calls.iter().map(|call| call["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds(&seen(&stage, &stage.user.token).await), ["call"]);
    assert_eq!(kinds(&seen(&stage, &stage.admin.token).await), ["call", "bindings"], "the installer's too");
    let other = stage.site.sign_in("user-2").await;
    assert!(seen(&stage, &other.token).await.is_empty());
    let (acting, bot) = stage.site.tokens(&stage.admin, &stage.fake, APP).await;
    for token in [acting, bot] {
        assert_eq!(stage.site.send(&Ask::get(CALLS).bearer(&token)).await.status, 401);
    }
    assert_eq!(stage.site.send(&Ask::get(CALLS)).await.status, 401);
}

#[tokio::test]
async fn no_more_than_fifty_are_remembered() {
    let stage = set().await;
    for n in 0..60 {
        call(&stage, &format!("/do-{n}"), json!({"expand": {}})).await;
    }
    let calls = seen(&stage, &stage.admin.token).await;
    assert_eq!(
        (calls.len(), &calls[0]["path"], &calls[49]["path"]),
        (50, &json!("/do-59"), &json!("/do-10"))
    );
}
