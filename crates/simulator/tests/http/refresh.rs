//! What becomes of tokens: they expire, are refreshed, rotated and revoked.

use std::time::Duration;

use reqwest::StatusCode;

use crate::stage::{As, CALENDAR, HELLO, Stage, text};

#[tokio::test]
async fn an_expired_token_is_refreshed_and_the_refresh_token_stays() {
    let stage = Stage::with(|builder| builder.token_life(Duration::from_secs(60))).await;
    let tokens = stage.tokens("ada", &[]).await;
    assert_eq!(tokens["expires_in"], 60);
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    stage.later(59);
    assert_eq!(stage.calendars(access).await.0, StatusCode::OK);
    stage.later(1);
    assert_eq!(stage.calendars(access).await.0, StatusCode::UNAUTHORIZED);

    for round in 1..=2 {
        let (status, renewed) = stage.refresh(HELLO, refresh).await;
        assert_eq!(status, StatusCode::OK, "{renewed}");
        assert_eq!(renewed.get("refresh_token"), None, "not rotated, so not repeated");
        assert_eq!(stage.calendars(text(&renewed, "access_token")).await.0, StatusCode::OK);
        assert_eq!(stage.simulator.refreshes(), round);
    }
}

#[tokio::test]
async fn all_access_tokens_can_be_made_to_expire_now() {
    let stage = Stage::new().await;
    let tokens = [stage.tokens("ada", &[]).await, stage.tokens("ada", &[]).await];
    stage.simulator.expire_access_tokens();
    for tokens in &tokens {
        assert_eq!(stage.calendars(text(tokens, "access_token")).await.0, StatusCode::UNAUTHORIZED);
        let (status, renewed) = stage.refresh(HELLO, text(tokens, "refresh_token")).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(stage.calendars(text(&renewed, "access_token")).await.0, StatusCode::OK);
    }
}

#[tokio::test]
async fn rotation_replaces_the_refresh_token_and_can_be_switched_while_running() {
    let stage = Stage::with(|builder| builder.rotate_refresh_tokens(true)).await;
    let tokens = stage.tokens("ada", &[]).await;
    let first = text(&tokens, "refresh_token");
    let (_, renewed) = stage.refresh(HELLO, first).await;
    let second = text(&renewed, "refresh_token");
    assert_ne!(first, second);
    let (status, error) = stage.refresh(HELLO, first).await;
    assert_eq!((status, text(&error, "error")), (StatusCode::BAD_REQUEST, "invalid_grant"));

    stage.simulator.change_behaviour(|behaviour| behaviour.rotate_refresh_tokens = false);
    let (status, renewed) = stage.refresh(HELLO, second).await;
    assert_eq!((status, renewed.get("refresh_token")), (StatusCode::OK, None));
    let secrets = stage.simulator.issued_secrets();
    assert_eq!(secrets.len(), 6, "a code, two refresh and three access tokens: {secrets:?}");
    assert!([first, second].iter().all(|token| secrets.iter().any(|secret| secret == token)));
}

#[tokio::test]
async fn a_refresh_token_belongs_to_one_client_and_never_widens_its_scope() {
    let stage = Stage::new().await;
    let asked = format!("{CALENDAR} email");
    let tokens = stage.tokens("ada", &[("scope", &asked)]).await;
    let refresh = text(&tokens, "refresh_token");
    let (status, error) = stage.refresh(As::Basic("other", "other-secret"), refresh).await;
    assert_eq!((status, text(&error, "error")), (StatusCode::BAD_REQUEST, "invalid_grant"));

    for (scope, expected) in [("email profile", "invalid_scope"), ("a\"", "invalid_scope")] {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("scope", scope)];
        let (status, error, _) = stage.post("/token", HELLO, &fields).await;
        assert_eq!((status, text(&error, "error")), (StatusCode::BAD_REQUEST, expected));
    }
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("scope", "email")];
    let (_, narrow, _) = stage.post("/token", HELLO, &fields).await;
    assert_eq!(narrow["scope"], "email");
    assert_eq!(stage.calendars(text(&narrow, "access_token")).await.0, StatusCode::FORBIDDEN);
    let (_, whole) = stage.refresh(HELLO, refresh).await;
    assert_eq!(whole["scope"], asked, "narrowing one access token leaves the grant");
}

#[tokio::test]
async fn online_access_gets_no_refresh_token() {
    let stage = Stage::new().await;
    let tokens = stage.tokens("ada", &[("access_type", "online")]).await;
    assert_eq!(tokens.get("refresh_token"), None);
    assert_eq!(stage.calendars(text(&tokens, "access_token")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn revoking_an_access_token_ends_it_alone_and_a_refresh_token_ends_the_grant() {
    let stage = Stage::new().await;
    let tokens = stage.tokens("ada", &[]).await;
    let bystander = stage.tokens("ada", &[]).await;
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));

    let (status, _, _) = stage.post("/revoke", HELLO, &[("token", access)]).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(stage.calendars(access).await.0, StatusCode::UNAUTHORIZED);
    let (status, renewed) = stage.refresh(HELLO, refresh).await;
    assert_eq!(status, StatusCode::OK);

    let hinted = [("token", refresh), ("token_type_hint", "access_token")];
    let (status, _, _) = stage.post("/revoke", As::Body("hello", "s3cret"), &hinted).await;
    assert_eq!(status, StatusCode::OK, "a wrong hint changes nothing");
    assert_eq!(stage.calendars(text(&renewed, "access_token")).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(stage.refresh(HELLO, refresh).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(stage.calendars(text(&bystander, "access_token")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn revocation_is_for_the_tokens_own_client_and_minds_no_unknown_token() {
    let stage = Stage::new().await;
    let tokens = stage.tokens("ada", &[]).await;
    let token = [("token", text(&tokens, "refresh_token"))];
    let (status, error, _) = stage.post("/revoke", As::Nobody, &token).await;
    assert_eq!((status, text(&error, "error")), (StatusCode::UNAUTHORIZED, "invalid_client"));
    let (status, error, _) = stage.post("/revoke", As::Basic("other", "other-secret"), &token).await;
    assert_eq!((status, text(&error, "error")), (StatusCode::BAD_REQUEST, "invalid_grant"));
    let (status, error, _) = stage.post("/revoke", HELLO, &[]).await;
    assert_eq!((status, text(&error, "error")), (StatusCode::BAD_REQUEST, "invalid_request"));
    let (status, _, _) = stage.post("/revoke", HELLO, &[("token", "never-issued")]).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(stage.calendars(text(&tokens, "access_token")).await.0, StatusCode::OK);
}
