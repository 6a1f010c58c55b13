//! The token endpoint: a code becomes tokens, once, for the right client.

use reqwest::StatusCode;
use serde_json::json;

use crate::stage::{As, CALENDAR, CLIENT, HELLO, REDIRECT, SECRET, Stage, VERIFIER, text};

#[tokio::test]
async fn the_whole_flow_with_the_vector_of_rfc_7636_ends_at_the_calendars() {
    let stage = Stage::new().await;
    let code = stage.code("ada", &[]).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let (status, tokens, page) = stage.post("/token", HELLO, &fields).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("content-type"), "application/json");
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 3600);
    assert_eq!(tokens["scope"], CALENDAR);
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    assert_eq!(stage.simulator.issued_secrets(), [&code, refresh, access]);

    let (status, list) = stage.calendars(access).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(list["kind"], "calendar#calendarList");
    let primary =
        json!({ "id": "ada@simulator.example", "summary": "ada@simulator.example", "primary": true });
    assert_eq!(list["items"][0], primary);
    let simulator = &stage.simulator;
    let counts = (simulator.authorizations(), simulator.token_requests(), simulator.resource_reads());
    assert_eq!(counts, (1, 1, 1));
}

#[tokio::test]
async fn a_wrong_or_missing_verifier_is_refused_and_costs_nothing() {
    let stage = Stage::new().await;
    let code = stage.code("ada", &[]).await;
    for verifier in ["", "short", &VERIFIER.replace('d', "e")] {
        let (status, error) = stage.exchange(HELLO, &code, verifier).await;
        assert_eq!(
            (status, text(&error, "error")),
            (StatusCode::BAD_REQUEST, "invalid_grant"),
            "{verifier:?}"
        );
    }
    let (status, _) = stage.exchange(HELLO, &code, VERIFIER).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_verifier_without_a_challenge_before_is_a_downgrade() {
    let stage = Stage::new().await;
    let code = stage.code("ada", &[("code_challenge", ""), ("code_challenge_method", "")]).await;
    let (status, error) = stage.exchange(HELLO, &code, VERIFIER).await;
    assert_eq!((status, text(&error, "error")), (StatusCode::BAD_REQUEST, "invalid_grant"));
    let (status, _) = stage.exchange(HELLO, &code, "").await;
    assert_eq!(status, StatusCode::OK, "without PKCE on either side it works");
}

#[tokio::test]
async fn a_code_used_twice_revokes_what_it_gave() {
    let stage = Stage::new().await;
    let code = stage.code("ada", &[]).await;
    let (_, tokens) = stage.exchange(HELLO, &code, VERIFIER).await;
    let access = text(&tokens, "access_token");
    let (status, error) = stage.exchange(As::Basic("other", "other-secret"), &code, VERIFIER).await;
    assert_eq!((status, text(&error, "error")), (StatusCode::BAD_REQUEST, "invalid_grant"));
    assert_eq!(stage.calendars(access).await.0, StatusCode::OK, "a stranger's attempt does no harm");

    let (status, error) = stage.exchange(HELLO, &code, VERIFIER).await;
    assert_eq!((status, text(&error, "error")), (StatusCode::BAD_REQUEST, "invalid_grant"));
    assert_eq!(stage.calendars(access).await.0, StatusCode::UNAUTHORIZED);
    let (status, error) = stage.refresh(HELLO, text(&tokens, "refresh_token")).await;
    assert_eq!((status, text(&error, "error")), (StatusCode::BAD_REQUEST, "invalid_grant"));
}

#[tokio::test]
async fn redirect_uri_must_be_repeated_exactly() {
    let stage = Stage::new().await;
    let code = stage.code("ada", &[]).await;
    let cases = [("http://localhost:8065/complete", "invalid_grant"), ("", "invalid_request")];
    for (redirect_uri, expected) in cases {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", VERIFIER),
        ];
        let (status, error, page) = stage.post("/token", HELLO, &fields).await;
        assert_eq!((status, text(&error, "error")), (StatusCode::BAD_REQUEST, expected));
        assert_eq!(page.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn a_code_lives_ten_minutes() {
    let stage = Stage::new().await;
    let (in_time, late) = (stage.code("ada", &[]).await, stage.code("grace", &[]).await);
    stage.later(599);
    assert_eq!(stage.exchange(HELLO, &in_time, VERIFIER).await.0, StatusCode::OK);
    stage.later(1);
    let (status, error) = stage.exchange(HELLO, &late, VERIFIER).await;
    assert_eq!((status, text(&error, "error")), (StatusCode::BAD_REQUEST, "invalid_grant"));
}

#[tokio::test]
async fn a_client_authenticates_by_header_or_by_body_and_never_by_both() {
    let stage = Stage::new().await;
    for who in [HELLO, As::Body(CLIENT, SECRET)] {
        let code = stage.code("ada", &[]).await;
        assert_eq!(stage.exchange(who, &code, VERIFIER).await.0, StatusCode::OK);
    }
    let code = stage.code("ada", &[]).await;
    let (status, error) = stage.exchange(As::Both, &code, VERIFIER).await;
    assert_eq!((status, text(&error, "error")), (StatusCode::BAD_REQUEST, "invalid_request"));
    for who in [
        As::Nobody,
        As::Basic(CLIENT, "wrong"),
        As::Body(CLIENT, "wrong"),
        As::Basic("stranger", SECRET),
        As::Body(CLIENT, ""),
    ] {
        let fields = [("grant_type", "authorization_code"), ("code", &code)];
        let (status, error, page) = stage.post("/token", who, &fields).await;
        assert_eq!((status, text(&error, "error")), (StatusCode::UNAUTHORIZED, "invalid_client"));
        assert_eq!(page.header("www-authenticate"), "Basic realm=\"simulator\"");
        assert_eq!(page.header("cache-control"), "no-store");
    }
    assert_eq!(stage.exchange(HELLO, &code, VERIFIER).await.0, StatusCode::OK, "the code was not spent");
}

#[tokio::test]
async fn basic_credentials_are_form_encoded() {
    let stage = Stage::with(|builder| builder.client("an:id", "p w&%+", [REDIRECT])).await;
    let code = stage.code("ada", &[("client_id", "an:id")]).await;
    let (status, reply) = stage.exchange(As::Basic("an%3Aid", "p+w%26%25%2B"), &code, VERIFIER).await;
    assert_eq!(status, StatusCode::OK, "{reply}");
}

#[tokio::test]
async fn what_is_no_token_request_is_told_so() {
    let stage = Stage::new().await;
    let cases: [(&[(&str, &str)], &str); 5] = [
        (&[], "invalid_request"),
        (&[("grant_type", "password")], "unsupported_grant_type"),
        (&[("grant_type", "authorization_code")], "invalid_request"),
        (&[("grant_type", "refresh_token"), ("grant_type", "refresh_token")], "invalid_request"),
        (&[("grant_type", "refresh_token"), ("refresh_token", "unknown")], "invalid_grant"),
    ];
    for (fields, expected) in cases {
        let (status, error, _) = stage.post("/token", HELLO, fields).await;
        assert_eq!((status, text(&error, "error")), (StatusCode::BAD_REQUEST, expected), "{fields:?}");
    }
    assert_eq!((stage.simulator.token_requests(), stage.simulator.refreshes()), (5, 0));

    let json = crate::browser::http_client().post(format!("{}/token", stage.simulator.url()));
    let reply = json.basic_auth(CLIENT, Some(SECRET)).body("{}").send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::BAD_REQUEST);
    assert!(reply.text().await.unwrap().contains("invalid_request"));
}
