//! Switches 8 to 12 and 21 to 25: what becomes of refresh tokens and grants.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::stage::{CALENDAR, HELLO, Stage, text};

impl Stage {
    async fn renewed(&self, refresh_token: &str) -> Value {
        let (status, reply) = self.refresh(HELLO, refresh_token).await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        reply
    }

    async fn refused(&self, refresh_token: &str) {
        let (status, error) = self.refresh(HELLO, refresh_token).await;
        assert_eq!((status, text(&error, "error")), (StatusCode::BAD_REQUEST, "invalid_grant"));
    }
}

#[tokio::test]
async fn quirk_08_a_refresh_brings_no_refresh_token_though_rotation_is_on() {
    let stage = Stage::set_up(&["rotate-refresh-tokens"]).await;
    let tokens = stage.tokens("ada", &[]).await;
    let held = text(&tokens, "refresh_token");
    for (position, told) in [("omitted", None), ("empty", Some("")), ("repeated", Some(held))] {
        stage.set(&[&format!("keep-refresh-token={position}")]);
        assert_eq!(stage.renewed(held).await.get("refresh_token"), told.map(Value::from).as_ref());
    }
    stage.set(&["keep-refresh-token=off"]);
    assert_ne!(text(&stage.renewed(held).await, "refresh_token"), held);
}

#[tokio::test]
async fn quirk_09_the_refresh_token_is_replaced_each_time() {
    let stage = Stage::set_up(&["rotate-refresh-tokens"]).await;
    let tokens = stage.tokens("ada", &[]).await;
    let mut held = vec![text(&tokens, "refresh_token").to_owned()];
    for _ in 0..3 {
        let reply = stage.renewed(held.last().unwrap()).await;
        assert!(!held.iter().any(|old| old == text(&reply, "refresh_token")));
        held.push(text(&reply, "refresh_token").to_owned());
    }
    stage.refused(&held[0]).await;
    stage.renewed(&held[3]).await;
}

#[tokio::test]
async fn quirk_10_the_refresh_token_is_replaced_when_a_day_has_passed() {
    let stage = Stage::set_up(&["rotate-by-clock"]).await;
    let tokens = stage.tokens("ada", &[]).await;
    let first = text(&tokens, "refresh_token");
    stage.later(86_399);
    assert_eq!(text(&stage.renewed(first).await, "refresh_token"), first);
    stage.later(1);
    let reply = stage.renewed(first).await;
    let second = text(&reply, "refresh_token");
    assert_ne!(second, first);
    stage.refused(first).await;
    assert_eq!(text(&stage.renewed(second).await, "refresh_token"), second);
}

#[tokio::test]
async fn quirk_11_who_uses_a_replaced_refresh_token_ends_the_whole_family() {
    let stage = Stage::set_up(&["rotate-refresh-tokens", "reuse-kills-family"]).await;
    let (tokens, other) = (stage.tokens("ada", &[]).await, stage.tokens("ada", &[]).await);
    let first = text(&tokens, "refresh_token");
    let reply = stage.renewed(first).await;
    assert_eq!(stage.calendars(text(&reply, "access_token")).await.0, StatusCode::OK);
    stage.refused(first).await;
    assert_eq!(stage.calendars(text(&reply, "access_token")).await.0, StatusCode::UNAUTHORIZED);
    stage.refused(text(&reply, "refresh_token")).await;
    stage.renewed(text(&other, "refresh_token")).await;
}

#[tokio::test]
async fn quirk_12_a_replaced_refresh_token_works_for_a_minute_more() {
    let stage = Stage::set_up(&["rotate-refresh-tokens", "reuse-grace", "reuse-kills-family"]).await;
    let tokens = stage.tokens("ada", &[]).await;
    let first = text(&tokens, "refresh_token");
    let reply = stage.renewed(first).await;
    stage.later(59);
    let again = stage.renewed(first).await;
    assert_ne!(text(&again, "refresh_token"), text(&reply, "refresh_token"));
    stage.later(1);
    stage.refused(first).await;
    stage.refused(text(&again, "refresh_token")).await;
}

#[tokio::test]
async fn quirk_21_fewer_scopes_are_granted_than_were_approved() {
    let stage = Stage::set_up(&["fewer-scopes"]).await;
    let asked = format!("email {CALENDAR}");
    let tokens = stage.tokens("ada", &[("scope", &asked)]).await;
    assert_eq!(tokens["scope"], "email");
    assert_eq!(stage.calendars(text(&tokens, "access_token")).await.0, StatusCode::FORBIDDEN);
    assert_eq!(stage.renewed(text(&tokens, "refresh_token")).await["scope"], "email");
    stage.set(&["fewer-scopes=email, profile"]);
    let tokens = stage.tokens("ada", &[("scope", &asked)]).await;
    assert_eq!(tokens["scope"], CALENDAR);
}

#[tokio::test]
async fn quirk_22_a_refresh_token_comes_with_the_first_consent_only() {
    let stage = Stage::set_up(&["refresh-token-once"]).await;
    let first = stage.tokens("ada", &[]).await;
    let held = text(&first, "refresh_token");
    assert_eq!(stage.tokens("ada", &[]).await.get("refresh_token"), None);
    assert!(stage.tokens("grace", &[]).await.get("refresh_token").is_some(), "hers is the first");
    assert!(stage.tokens("ada", &[("prompt", "consent")]).await.get("refresh_token").is_some());
    stage.renewed(held).await;
}

#[tokio::test]
async fn quirk_23_a_grant_too_many_ends_the_oldest() {
    let stage = Stage::set_up(&["grant-cap=2"]).await;
    let hers = stage.tokens("grace", &[]).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(stage.tokens("ada", &[]).await);
    }
    stage.refused(text(&held[0], "refresh_token")).await;
    assert_eq!(stage.calendars(text(&held[0], "access_token")).await.0, StatusCode::UNAUTHORIZED);
    for kept in [&held[1], &held[2], &hers] {
        stage.renewed(text(kept, "refresh_token")).await;
    }
}

#[tokio::test]
async fn quirk_23_32_what_comes_along_for_a_bot_is_not_counted() {
    let stage = Stage::set_up(&["grant-cap=1", "two-tokens"]).await;
    let tokens = stage.tokens("ada", &[]).await;
    for held in [&tokens, &tokens["authed_user"]] {
        stage.renewed(text(held, "refresh_token")).await;
    }
}

#[tokio::test]
async fn quirk_24_a_grant_that_nobody_uses_dies() {
    let stage = Stage::set_up(&["idle-death=100"]).await;
    let tokens = stage.tokens("ada", &[]).await;
    let held = text(&tokens, "refresh_token");
    for _ in 0..2 {
        stage.later(99);
        stage.renewed(held).await;
    }
    stage.later(100);
    stage.refused(held).await;
    stage.set(&["idle-death=off"]);
    stage.refused(held).await;
}

#[tokio::test]
async fn quirk_25_a_refresh_ends_the_old_access_token() {
    let stage = Stage::set_up(&["kill-old-access-token"]).await;
    let (tokens, other) = (stage.tokens("ada", &[]).await, stage.tokens("ada", &[]).await);
    let reply = stage.renewed(text(&tokens, "refresh_token")).await;
    assert_eq!(stage.calendars(text(&tokens, "access_token")).await.0, StatusCode::UNAUTHORIZED);
    for alive in [&reply, &other] {
        assert_eq!(stage.calendars(text(alive, "access_token")).await.0, StatusCode::OK);
    }
    assert_eq!(reply["expires_in"], json!(3600));
}
