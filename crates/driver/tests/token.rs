//! The token object, in the JSON of Go's OAuth2 library.

#![expect(clippy::unwrap_used, reason = "a helper of tests that fails is a test that fails")]

use std::time::Duration;

use serde::Serialize;
use tessera_driver::oauth2::{OAuth2Token, exposed};
use tessera_driver::time::OffsetDateTime;
use tessera_driver::{AccessToken, RefreshToken};

const STORED: &str = r#"{"access_token":"at-1","token_type":"Bearer","refresh_token":"rt-1","expiry":"2026-01-02T15:04:05.123456789Z"}"#;

fn at(text: &str) -> OffsetDateTime {
    OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).unwrap()
}

#[test]
fn what_go_stored_is_read_and_written_alike() {
    let token: OAuth2Token = serde_json::from_str(STORED).unwrap();
    assert_eq!(token.refresh_token.as_ref().unwrap().expose(), "rt-1");
    assert_eq!(token.expiry, Some(at("2026-01-02T15:04:05.123456789Z")));
    assert_eq!(serde_json::to_string(&token.expose()).unwrap(), STORED);

    let forever = r#"{"access_token":"at-1","expiry":"0001-01-01T00:00:00Z"}"#;
    let token: OAuth2Token = serde_json::from_str(forever).unwrap();
    assert_eq!(token.expiry, None);
    assert!(token.refresh_token.is_none());
    assert_eq!(serde_json::to_string(&token.expose()).unwrap(), forever);
}

#[test]
fn half_tokens_are_read_and_wrong_ones_are_not_quoted() {
    let token: OAuth2Token =
        serde_json::from_str(r#"{"access_token":"a","refresh_token":"","expiry":null,"expires_in":5}"#)
            .unwrap();
    assert!(token.refresh_token.is_none() && token.expiry.is_none());
    let offset: OAuth2Token =
        serde_json::from_str(r#"{"access_token":"a","expiry":"2026-01-02T16:04:05+01:00"}"#).unwrap();
    assert_eq!(offset.expiry, Some(at("2026-01-02T15:04:05Z")));
    let error = serde_json::from_str::<OAuth2Token>(r#"{"access_token":"a","expiry":"canary"}"#).unwrap_err();
    assert!(!error.to_string().contains("canary"), "{error}");
    assert!(serde_json::from_str::<OAuth2Token>("{}").is_err());
}

#[test]
fn its_end_is_seen_in_time() {
    let now = at("2026-01-02T15:00:00Z");
    let hour = Duration::from_secs(3600);
    let token = OAuth2Token::new(AccessToken::new("a")).expires_in(now, Some(hour));
    assert!(!token.expires_within(now, hour));
    assert!(token.expires_within(now, hour + Duration::from_secs(1)));
    assert!(token.expires_within(now + 2 * hour, Duration::ZERO));
    assert!(!OAuth2Token::new(AccessToken::new("a")).expires_within(now, Duration::MAX));
    // A provider that promises more than there is time is taken not to end.
    let endless = OAuth2Token::new(AccessToken::new("a")).expires_in(now, Some(Duration::MAX));
    assert_eq!(endless.expiry, None);
}

#[test]
fn a_record_of_ones_own_names_the_act_of_writing_it() {
    #[derive(Serialize)]
    struct Record {
        remote_id: &'static str,
        #[serde(serialize_with = "exposed")]
        token: OAuth2Token,
    }
    let token = OAuth2Token::new(AccessToken::new("at-1")).refresh_token(Some(RefreshToken::new("rt-1")));
    assert!(!format!("{token:?}").contains("t-1"), "{token:?}");
    let record = serde_json::to_value(Record { remote_id: "42", token }).unwrap();
    assert_eq!(record["token"]["access_token"], "at-1");
    assert_eq!(record["remote_id"], "42");
}
