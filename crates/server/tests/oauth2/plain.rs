//! Nothing stored, `null` stored, and requests that say little about themselves.

use serde_json::json;
use tessera_testkit::site::{OAUTH2_APP, OAUTH2_USER};
use tessera_testkit::wire::Ask;

use crate::stage::{Stage, With, done};

#[tokio::test]
async fn c_oa_21_reading_where_nothing_was_stored_is_200_without_a_body() {
    let stage = Stage::set().await;
    let token = stage.token(&stage.user, With::ActingUser).await;
    let answer = stage.site.send(&Ask::get(OAUTH2_USER).bearer(&token)).await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"".as_slice()));
    assert_eq!(answer.header("content-length"), Some("0"));
    assert_eq!(answer.header("content-type"), None);
    // Disconnecting where there is nothing is no error either.
    let answer = stage.site.send(&Ask::new("DELETE", OAUTH2_USER).bearer(&token)).await;
    assert_eq!((answer.status, answer.text()), (200, String::new()));
}

#[tokio::test]
async fn c_oa_22_null_is_stored_and_comes_back_and_expands_to_nothing() {
    let stage = Stage::set().await;
    let asks = ["{\"a\":1}", "null"].map(|body| Ask::post(OAUTH2_USER, body));
    done(&stage.during(&stage.user, With::ActingUser, asks.to_vec()).await);
    let answer = stage.during(&stage.user, With::ActingUser, vec![Ask::get(OAUTH2_USER)]).await;
    assert_eq!(done(&answer), "null");
    for level in ["all", "+all"] {
        let heard = stage.hears(&stage.user, json!({"oauth2_user": level})).await;
        assert_eq!(heard["oauth2"], json!({}), "{level}");
    }
}

#[tokio::test]
async fn c_oa_28_a_store_needs_no_content_type() {
    let stage = Stage::set().await;
    let user = stage.token(&stage.user, With::ActingUser).await;
    let admin = stage.token(&stage.admin, With::ActingUser).await;
    let types = [
        None,
        Some("application/json"),
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("?"),
    ];
    for (n, content_type) in types.into_iter().enumerate() {
        let record = format!("{{\"n\":{n}}}");
        let id = format!("id-{n}");
        let app = format!("{{\"client_id\":\"{id}\"}}");
        for (route, token, body) in [(OAUTH2_USER, &user, &record), (OAUTH2_APP, &admin, &app)] {
            let mut ask = Ask::post(route, body.as_str()).bearer(token);
            if let Some(content_type) = content_type {
                ask = ask.with("Content-Type", content_type);
            }
            let answer = stage.site.send(&ask).await;
            assert_eq!((answer.status, answer.text()), (200, String::new()), "{content_type:?}");
        }
        assert_eq!(stage.site.record(&user).await, record);
        let heard = stage.hears(&stage.user, json!({"oauth2_app": "all"})).await;
        assert_eq!(heard["oauth2"]["client_id"], id);
    }
}
