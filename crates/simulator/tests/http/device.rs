//! Devices, and tokens of a client's own.

use reqwest::StatusCode;
use serde_json::Value;

use crate::stage::{As, CALENDAR, HELLO, Stage, text};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn begun(stage: &Stage) -> Value {
    let (status, reply, page) = stage.post("/device_authorization", HELLO, &[("scope", CALENDAR)]).await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(stage.simulator.issued_secrets().last().unwrap(), text(&reply, "device_code"));
    assert_eq!((&reply["expires_in"], &reply["interval"]), (&600.into(), &5.into()));
    reply
}

/// What a device is told: the error, or nothing.
async fn asked(stage: &Stage, who: As, device: &Value) -> Result<Value, String> {
    let fields = [("grant_type", GRANT), ("device_code", text(device, "device_code"))];
    let (status, reply, _) = stage.post("/token", who, &fields).await;
    match reply.get("error") {
        None => Ok(reply),
        Some(error) => {
            assert_eq!(status, StatusCode::BAD_REQUEST);
            Err(error.as_str().unwrap().to_owned())
        }
    }
}

#[tokio::test]
async fn a_device_waits_until_its_person_typed_the_code_in() {
    let stage = Stage::new().await;
    let device = begun(&stage).await;
    let user_code = text(&device, "user_code");
    assert_eq!((user_code.len(), &user_code[4..5]), (9, "-"));
    let place = text(&device, "verification_uri_complete").strip_prefix(stage.simulator.url()).unwrap();
    let page = stage.browser.get(place).await;
    assert!(page.body.contains(&format!("value=\"{user_code}\"")), "{}", page.body);
    assert_eq!(asked(&stage, HELLO, &device).await, Err("authorization_pending".into()));
    let typed = user_code.to_ascii_lowercase().replace('-', " ");
    for (code, password, done) in
        [("XXXX-XXXX", "simulator", false), (&typed, "wrong", false), (&typed, "simulator", true)]
    {
        let fields =
            [("user_code", code), ("username", "ada"), ("password", password), ("decision", "approve")];
        let (status, _, page) = stage.post("/device", As::Nobody, &fields).await;
        assert_eq!((status == StatusCode::OK, page.body.contains("Approved")), (done, done), "{}", page.body);
    }
    stage.later(5);
    let other = asked(&stage, As::Basic("other", "other-secret"), &device).await;
    assert_eq!(other, Err("invalid_grant".into()), "another client's");
    let tokens = asked(&stage, HELLO, &device).await.unwrap();
    assert_eq!(stage.calendars(text(&tokens, "access_token")).await.0, StatusCode::OK);
    assert_eq!(stage.refresh(HELLO, text(&tokens, "refresh_token")).await.0, StatusCode::OK);
    assert_eq!(asked(&stage, HELLO, &device).await, Err("invalid_grant".into()), "once");
}

#[tokio::test]
async fn a_device_that_hurries_is_slowed_down_and_each_end_is_told() {
    let stage = Stage::new().await;
    let device = begun(&stage).await;
    assert_eq!(asked(&stage, HELLO, &device).await, Err("authorization_pending".into()));
    // Each time by five seconds more: 5, then 10, 15 and 20.
    for (wait, told) in [(4, "slow_down"), (9, "slow_down"), (14, "slow_down"), (20, "authorization_pending")]
    {
        stage.later(wait);
        assert_eq!(asked(&stage, HELLO, &device).await, Err(told.into()), "{wait}");
    }
    stage.later(20);
    stage.simulator.slow_devices_down(1);
    assert_eq!(asked(&stage, HELLO, &device).await, Err("slow_down".into()), "whenever it comes");
    let refused = begun(&stage).await;
    assert!(stage.simulator.answer_device(text(&refused, "user_code"), "ada", false));
    assert!(!stage.simulator.answer_device(text(&refused, "user_code"), "ada", true), "answered before");
    assert_eq!(asked(&stage, HELLO, &refused).await, Err("access_denied".into()));
    let late = begun(&stage).await;
    stage.later(600);
    assert_eq!(asked(&stage, HELLO, &late).await, Err("expired_token".into()));
    assert!(!stage.simulator.answer_device(text(&late, "user_code"), "ada", true));
    let (status, error, _) = stage.post("/device_authorization", As::Nobody, &[("scope", "email")]).await;
    assert_eq!((status, text(&error, "error")), (StatusCode::UNAUTHORIZED, "invalid_client"));
}

#[tokio::test]
async fn a_client_gets_a_token_of_its_own_that_speaks_for_nobody() {
    let stage = Stage::new().await;
    for (scope, granted) in [("a b", "a b"), ("", "")] {
        let fields = [("grant_type", "client_credentials"), ("scope", scope)];
        let (status, tokens, _) = stage.post("/token", HELLO, &fields).await;
        assert_eq!((status, text(&tokens, "scope")), (StatusCode::OK, granted));
        assert!(tokens.get("refresh_token").is_none() && tokens.get("id_token").is_none(), "{tokens}");
        let (status, _, _) = stage.read("/userinfo", text(&tokens, "access_token")).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
}
