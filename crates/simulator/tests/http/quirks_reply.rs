//! Switches 1 to 7, 15, 28, 31 and 32: what token replies look like.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::stage::{CALENDAR, HELLO, Stage, VERIFIER, text};

/// The reply to a refresh with these switches, and its body as it came.
async fn refreshed(stage: &Stage, refresh_token: &str, switches: &[&str]) -> (Value, crate::browser::Page) {
    stage.set(switches);
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
    let (status, reply, page) = stage.post("/token", HELLO, &fields).await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    (reply, page)
}

#[tokio::test]
async fn quirk_01_the_reply_is_a_form() {
    let stage = Stage::new().await;
    let tokens = stage.tokens("ada", &[]).await;
    let (_, page) = refreshed(&stage, text(&tokens, "refresh_token"), &["form-reply*1"]).await;
    assert_eq!(page.header("content-type"), "application/x-www-form-urlencoded; charset=utf-8");
    let form: std::collections::BTreeMap<_, _> =
        url::form_urlencoded::parse(page.body.as_bytes()).into_owned().collect();
    assert_eq!((form["token_type"].as_str(), form["expires_in"].as_str()), ("Bearer", "3600"));
    assert_eq!(form["scope"], CALENDAR);
    assert_eq!(stage.calendars(&form["access_token"]).await.0, StatusCode::OK);
    let (json, _) = refreshed(&stage, text(&tokens, "refresh_token"), &[]).await;
    assert_eq!(json["token_type"], "Bearer", "one time, and then off");
}

#[tokio::test]
async fn quirk_02_an_error_comes_with_status_200() {
    let stage = Stage::set_up(&["error-with-200"]).await;
    let (status, error) = stage.refresh(HELLO, "unknown").await;
    assert_eq!((status, text(&error, "error")), (StatusCode::OK, "invalid_grant"));
}

#[tokio::test]
async fn quirk_03_the_tokens_are_in_an_inner_object() {
    let stage = Stage::new().await;
    let tokens = stage.tokens("ada", &[]).await;
    let (reply, _) = refreshed(&stage, text(&tokens, "refresh_token"), &["nested-token=body"]).await;
    assert_eq!(reply.as_object().unwrap().keys().collect::<Vec<_>>(), ["body"]);
    assert_eq!(stage.calendars(text(&reply["body"], "access_token")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn quirk_04_the_scope_is_an_array() {
    let stage = Stage::set_up(&["scope-array"]).await;
    let tokens = stage.tokens("ada", &[("scope", "calendar email")]).await;
    assert_eq!(tokens["scope"], json!(["calendar", "email"]));
}

#[tokio::test]
async fn quirk_05_the_life_is_text() {
    let stage = Stage::set_up(&["string-ttl*1"]).await;
    assert_eq!(stage.tokens("ada", &[]).await["expires_in"], "3600");
    assert_eq!(stage.tokens("ada", &[]).await["expires_in"], 3600, "one time, and then off");
}

#[tokio::test]
async fn quirk_06_the_life_is_not_told() {
    let stage = Stage::set_up(&["no-ttl"]).await;
    ends_after_an_hour(&stage, None).await;
}

#[tokio::test]
async fn quirk_07_the_life_is_zero() {
    let stage = Stage::set_up(&["zero-ttl"]).await;
    ends_after_an_hour(&stage, Some(0)).await;
    stage.set(&["string-ttl"]);
    assert_eq!(stage.tokens("ada", &[]).await["expires_in"], "0");
}

/// Whatever is told of it, a token lives its life and ends.
async fn ends_after_an_hour(stage: &Stage, told: Option<i64>) {
    let tokens = stage.tokens("ada", &[]).await;
    assert_eq!(tokens.get("expires_in"), told.map(Value::from).as_ref());
    let access = text(&tokens, "access_token");
    stage.later(3599);
    assert_eq!(stage.calendars(access).await.0, StatusCode::OK);
    stage.later(1);
    assert_eq!(stage.calendars(access).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn quirk_15_invalid_grant_comes_with_403_and_other_errors_do_not() {
    let stage = Stage::set_up(&["invalid-grant-403"]).await;
    let (status, error) = stage.refresh(HELLO, "unknown").await;
    assert_eq!((status, text(&error, "error")), (StatusCode::FORBIDDEN, "invalid_grant"));
    let (status, error, _) = stage.post("/token", HELLO, &[("grant_type", "password")]).await;
    assert_eq!((status, text(&error, "error")), (StatusCode::BAD_REQUEST, "unsupported_grant_type"));
}

#[tokio::test]
async fn quirk_28_an_access_token_of_16_kb_works() {
    let stage = Stage::set_up(&["long-token"]).await;
    let tokens = stage.tokens("ada", &[]).await;
    let access = text(&tokens, "access_token");
    assert_eq!(access.len(), 16_384);
    assert_eq!(stage.calendars(access).await.0, StatusCode::OK);
    assert!(stage.simulator.issued_secrets().iter().any(|secret| secret == access));
}

#[tokio::test]
async fn quirk_31_the_clock_that_clients_are_shown_is_ten_minutes_off() {
    let stage = Stage::set_up(&["clock-off"]).await;
    let code = stage.code("ada", &[]).await;
    let (status, tokens) = stage.exchange(HELLO, &code, VERIFIER).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    // 1 800 000 000 is 2027-01-15 08:00:00 UTC.
    assert_eq!(
        (&tokens["created_at"], &tokens["expires_at"]),
        (&json!(1_800_000_600), &json!(1_800_004_200))
    );
    assert_eq!(tokens["expires_in"], 3600);
    let (_, _, page) = stage.read("/userinfo", text(&tokens, "access_token")).await;
    assert_eq!(page.header("date"), "Fri, 15 Jan 2027 08:10:00 GMT");
    stage.set(&["clock-off=-600"]);
    let (_, _, page) = stage.read("/userinfo", text(&tokens, "access_token")).await;
    assert_eq!(page.header("date"), "Fri, 15 Jan 2027 07:50:00 GMT");
    stage.set(&["clock-off=off"]);
    assert_eq!(stage.tokens("ada", &[]).await.get("expires_at"), None);
}

#[tokio::test]
async fn quirk_32_a_code_brings_a_bots_token_and_a_persons_each_with_its_own_refresh_token() {
    let stage = Stage::set_up(&["two-tokens", "rotate-refresh-tokens"]).await;
    let tokens = stage.tokens("ada", &[]).await;
    let person = &tokens["authed_user"];
    assert_eq!((&tokens["token_type"], &person["token_type"]), (&json!("bot"), &json!("user")));
    assert_eq!(person["id"], "ada");
    for (held, kind) in [(&tokens, "bot"), (person, "user")] {
        assert_eq!(stage.calendars(text(held, "access_token")).await.0, StatusCode::OK);
        let (_, renewed) = stage.refresh(HELLO, text(held, "refresh_token")).await;
        assert_eq!(renewed["token_type"], kind);
        assert_eq!(renewed.get("authed_user"), None, "each is refreshed alone");
    }
    let of = |held: &Value| text(held, "refresh_token").to_owned();
    assert_ne!(of(&tokens), of(person));
    let (status, _, _) = stage.post("/revoke", HELLO, &[("token", &of(person))]).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(stage.calendars(text(person, "access_token")).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(stage.calendars(text(&tokens, "access_token")).await.0, StatusCode::OK);
}
