//! Switches 16 to 20, 27, 29 and 33: what the endpoints take, and when they refuse.

use reqwest::StatusCode;
use serde_json::json;

use crate::browser::http_client;
use crate::stage::{As, CLIENT, HELLO, REDIRECT, SECRET, Stage, VERIFIER, text};

#[tokio::test]
async fn quirk_16_a_page_of_html_comes_with_502_and_nothing_was_done() {
    let stage = Stage::set_up(&["rotate-refresh-tokens"]).await;
    let tokens = stage.tokens("ada", &[]).await;
    stage.set(&["html-502*2"]);
    let fields = [("grant_type", "refresh_token"), ("refresh_token", text(&tokens, "refresh_token"))];
    for _ in 0..2 {
        let (status, _, page) = stage.post("/token", HELLO, &fields).await;
        assert_eq!(status, StatusCode::BAD_GATEWAY);
        assert_eq!(page.header("content-type"), "text/html");
        assert!(page.body.starts_with("<html>"), "{}", page.body);
    }
    assert_eq!(stage.simulator.refreshes(), 0);
    assert_eq!(stage.post("/token", HELLO, &fields).await.0, StatusCode::OK, "twice, and then off");
}

#[tokio::test]
async fn quirk_17_too_many_requests_with_seconds_or_a_date_to_wait() {
    let stage = Stage::new().await;
    let tokens = stage.tokens("ada", &[]).await;
    let fields = [("grant_type", "refresh_token"), ("refresh_token", text(&tokens, "refresh_token"))];
    for (switch, wait) in [
        ("rate-limited", "30"),
        ("rate-limited=7", "7"),
        ("rate-limited=date+90", "Fri, 15 Jan 2027 08:01:30 GMT"),
    ] {
        stage.set(&[switch]);
        let (status, error, page) = stage.post("/token", HELLO, &fields).await;
        assert_eq!((status, text(&error, "error")), (StatusCode::TOO_MANY_REQUESTS, "rate_limited"));
        assert_eq!(page.header("retry-after"), wait);
    }
    stage.set(&["rate-limited=7*1"]);
    assert_eq!(stage.post("/token", HELLO, &fields).await.0, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(stage.post("/token", HELLO, &fields).await.0, StatusCode::OK);
}

#[tokio::test]
async fn quirk_18_a_secret_is_taken_in_one_place_only_or_in_any() {
    let stage = Stage::new().await;
    let body = || As::Body(CLIENT, SECRET);
    for (position, header, in_body, both) in
        [("either", 200, 200, 400), ("basic", 200, 401, 400), ("body", 401, 200, 401), ("any", 200, 200, 200)]
    {
        stage.set(&[&format!("secret-place={position}")]);
        for (who, expected) in [(HELLO, header), (body(), in_body), (As::Both, both)] {
            let code = stage.code("ada", &[]).await;
            let (status, reply) = stage.exchange(who, &code, VERIFIER).await;
            assert_eq!(status.as_u16(), expected, "{position}: {reply}");
        }
    }
    stage.set(&["secret-place=basic"]);
    let (_, metadata, _) = stage.read("/.well-known/oauth-authorization-server", "").await;
    assert_eq!(metadata["token_endpoint_auth_methods_supported"], json!(["client_secret_basic"]));
}

#[tokio::test]
async fn quirk_19_a_json_body_is_taken_and_a_form_is_not() {
    let stage = Stage::set_up(&["json-body-only"]).await;
    let code = stage.code("ada", &[]).await;
    let (status, error) = stage.exchange(HELLO, &code, VERIFIER).await;
    assert_eq!((status, text(&error, "error")), (StatusCode::BAD_REQUEST, "invalid_request"));
    let body = json!({ "grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER });
    let post = |body: String| {
        let request = http_client().post(format!("{}/token", stage.simulator.url()));
        request.basic_auth(CLIENT, Some(SECRET)).header("content-type", "application/json").body(body).send()
    };
    assert_eq!(post("[]".to_owned()).await.unwrap().status(), StatusCode::BAD_REQUEST);
    let reply = post(body.to_string()).await.unwrap();
    assert_eq!(reply.status(), StatusCode::OK);
    assert!(reply.text().await.unwrap().contains("access_token"));
}

#[tokio::test]
async fn quirk_20_refreshes_have_an_address_of_their_own() {
    let stage = Stage::new().await;
    let tokens = stage.tokens("ada", &[]).await;
    let fields = [("grant_type", "refresh_token"), ("refresh_token", text(&tokens, "refresh_token"))];
    assert_eq!(stage.post("/token/refresh", HELLO, &fields).await.0, StatusCode::NOT_FOUND);
    stage.set(&["separate-refresh-url"]);
    let (status, error, _) = stage.post("/token", HELLO, &fields).await;
    assert_eq!((status, text(&error, "error")), (StatusCode::BAD_REQUEST, "unsupported_grant_type"));
    assert_eq!(stage.post("/token/refresh", HELLO, &fields).await.0, StatusCode::OK);
    let code = stage.code("ada", &[]).await;
    let swap = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    assert_eq!(stage.post("/token/refresh", HELLO, &swap).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(stage.post("/token", HELLO, &swap).await.0, StatusCode::OK);
}

#[tokio::test]
async fn quirk_27_proof_keys_are_not_looked_at() {
    let stage = Stage::set_up(&["pkce-ignored"]).await;
    for verifier in ["", "wrong", VERIFIER] {
        let code = stage.code("ada", &[]).await;
        assert_eq!(stage.exchange(HELLO, &code, verifier).await.0, StatusCode::OK, "{verifier:?}");
    }
    let stripped = [("code_challenge", ""), ("code_challenge_method", "")];
    let code = stage.code("ada", &stripped).await;
    assert_eq!(stage.exchange(HELLO, &code, VERIFIER).await.0, StatusCode::OK, "the challenge was stripped");
}

#[tokio::test]
async fn quirk_29_the_token_endpoint_sends_on_to_one_that_would_do_it() {
    let stage = Stage::new().await;
    let tokens = stage.tokens("ada", &[]).await;
    let fields = [("grant_type", "refresh_token"), ("refresh_token", text(&tokens, "refresh_token"))];
    for status in [302, 303, 307, 308] {
        stage.set(&[&format!("redirect-reply={status}")]);
        let (seen, _, page) = stage.post("/token", HELLO, &fields).await;
        assert_eq!(seen.as_u16(), status);
        assert_eq!(page.location(), format!("{}/token/moved", stage.simulator.url()));
    }
    assert_eq!(stage.simulator.refreshes(), 0);
    let (status, reply, _) = stage.post("/token/moved", HELLO, &fields).await;
    assert_eq!(status, StatusCode::OK, "whoever follows gets a token: {reply}");
}

#[tokio::test]
async fn quirk_33_revocation_does_nothing_or_takes_no_refresh_tokens_or_is_not_available() {
    let stage = Stage::new().await;
    let tokens = stage.tokens("ada", &[]).await;
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));

    stage.set(&["revoke-answer=503*1"]);
    let (status, _, page) = stage.post("/revoke", HELLO, &[("token", refresh)]).await;
    assert_eq!((status, page.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "30"));
    stage.set(&["revoke-answer=200*1"]);
    let (status, _, _) = stage.post("/revoke", HELLO, &[("token", refresh)]).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(stage.calendars(access).await.0, StatusCode::OK, "nothing was ended");

    stage.set(&["revoke-answer=400"]);
    let (status, error, _) = stage.post("/revoke", HELLO, &[("token", refresh)]).await;
    assert_eq!((status, text(&error, "error")), (StatusCode::BAD_REQUEST, "unsupported_token_type"));
    let (status, _, _) = stage.post("/revoke", HELLO, &[("token", access)]).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(stage.calendars(access).await.0, StatusCode::UNAUTHORIZED);
    stage.set(&["revoke-answer=off"]);
    assert_eq!(stage.post("/revoke", HELLO, &[("token", refresh)]).await.0, StatusCode::OK);
    assert_eq!(stage.refresh(HELLO, refresh).await.0, StatusCode::BAD_REQUEST);
}
