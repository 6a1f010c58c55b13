//! What is refused, with which status and text; and that a refusal changes nothing.

use serde_json::json;
use tessera_testkit::site::{OAUTH2_APP, OAUTH2_USER};
use tessera_testkit::wire::{Answer, Ask};

use crate::stage::{APP, Stage, With, done, refused};

const OLD: &str = r#"{"old":true}"#;
const NOT_ADMIN: &str =
    "access to this operation is limited to users with permission: manage_system: unauthorized";

fn get() -> Ask {
    Ask::get(OAUTH2_USER)
}

fn store(body: impl Into<Vec<u8>>) -> Ask {
    Ask::post(OAUTH2_USER, body)
}

/// An object of so many bytes.
fn object(length: usize) -> String {
    format!(r#"{{"p":"{}"}}"#, "x".repeat(length - 8))
}

/// An App record of so many bytes.
fn credentials(length: usize) -> String {
    let start = r#"{"client_id":"id","client_secret":"secret","data":""#;
    format!("{start}{}\"}}", "x".repeat(length - start.len() - 2))
}

async fn without_token(ask: Ask) -> Answer {
    let stage = Stage::set().await;
    let answer = stage.site.send(&ask).await;
    assert_eq!(answer.text(), "user ID is required: unauthorized\n");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    answer
}

#[tokio::test]
async fn c_oa_04_a_user_record_is_not_stored_without_a_token() {
    assert_eq!(without_token(store(OLD)).await.status, 401);
}

#[tokio::test]
async fn c_oa_05_a_user_record_is_not_read_without_a_token() {
    assert_eq!(without_token(get()).await.status, 401);
}

#[tokio::test]
async fn c_oa_06_an_app_record_is_not_stored_without_a_token() {
    assert_eq!(without_token(Ask::post(OAUTH2_APP, "{}")).await.status, 401);
}

#[tokio::test]
async fn c_oa_07_a_user_record_that_is_too_large_is_refused_and_the_old_one_stays() {
    let stage = Stage::set().await;
    let asks = vec![store(OLD), store(object(8193))];
    let answer = stage.during(&stage.user, With::ActingUser, asks).await;
    assert_eq!((answer.status, refused(&answer).as_str()), (200, "size limit of 8Kb exceeded"));
    assert_eq!(done(&stage.during(&stage.user, With::ActingUser, vec![get()]).await), OLD);
}

#[tokio::test]
async fn c_oa_08_a_user_record_that_is_not_json_is_refused_and_the_old_one_stays() {
    let stage = Stage::set().await;
    let text = "payload is not valid JSON: invalid input";
    for body in ["test", "", " ", "{\"a\":1} x", "[1,]", "\u{feff}{}"] {
        let asks = vec![store(OLD), store(body)];
        assert_eq!(refused(&stage.during(&stage.user, With::ActingUser, asks).await), text, "{body:?}");
        assert_eq!(done(&stage.during(&stage.user, With::ActingUser, vec![get()]).await), OLD);
    }
    let token = stage.token(&stage.user, With::ActingUser).await;
    assert_eq!(stage.site.send(&store("test").bearer(&token)).await.status, 400);
}

#[tokio::test]
async fn c_oa_09_an_app_record_that_is_too_large_is_refused_and_the_old_one_stays() {
    let stage = Stage::set().await;
    let token = stage.token(&stage.admin, With::ActingUser).await;
    stage.site.store_credentials(&token, "old", "older").await;
    let ask = Ask::post(OAUTH2_APP, credentials(8193));
    let answer = stage.during(&stage.admin, With::ActingUser, vec![ask.clone()]).await;
    assert_eq!(refused(&answer), "size limit of 8Kb exceeded");
    assert_eq!(stage.site.send(&ask.bearer(&token)).await.status, 413);
    let heard = stage.hears(&stage.user, json!({"oauth2_app": "all"})).await;
    assert_eq!(heard["oauth2"]["client_id"], "old");
    let ask = Ask::post(OAUTH2_APP, credentials(8192));
    done(&stage.during(&stage.admin, With::ActingUser, vec![ask]).await);
}

#[tokio::test]
async fn c_oa_10_an_app_record_that_is_not_one_is_refused_with_the_originals_text() {
    let stage = Stage::set().await;
    // Section 0.3: the texts are the original's, to the letter.
    for (body, text) in [
        ("test", "invalid character 'e' in literal true (expecting 'r')"),
        ("", "unexpected end of JSON input"),
        ("{\"client_id\":\"a\"", "unexpected end of JSON input"),
        ("{client_id:1}", "invalid character 'c' looking for beginning of object key string"),
        ("{\"client_id\":\"a\"} x", "invalid character 'x' after top-level value"),
        ("{\"client_id\" 1}", "invalid character '1' after object key"),
        ("\"x\"", "json: cannot unmarshal string into Go value of type apps.OAuth2App"),
        ("[1]", "json: cannot unmarshal array into Go value of type apps.OAuth2App"),
        (
            "{\"client_id\":1}",
            "json: cannot unmarshal number into Go struct field OAuth2App.client_id of type string",
        ),
    ] {
        let answer = stage.during(&stage.admin, With::ActingUser, vec![Ask::post(OAUTH2_APP, body)]).await;
        assert_eq!(refused(&answer), format!("OAuth2App is not valid JSON: {text}: invalid input"), "{body}");
    }
}

#[tokio::test]
async fn c_oa_13_os_50_an_app_record_is_not_stored_for_a_user_who_is_no_administrator() {
    let stage = Stage::set().await;
    let ask = Ask::post(OAUTH2_APP, r#"{"client_id":"planted"}"#);
    let answer = stage.during(&stage.user, With::ActingUser, vec![ask.clone()]).await;
    assert_eq!(refused(&answer), NOT_ADMIN);
    let token = stage.token(&stage.user, With::ActingUser).await;
    assert_eq!(stage.site.send(&ask.bearer(&token)).await.status, 401);
    let heard = stage.hears(&stage.admin, json!({"oauth2_app": "all"})).await;
    assert!(heard["oauth2"].get("client_id").is_none(), "{heard}");
}

#[tokio::test]
async fn c_oa_23_the_limit_is_8192_bytes_and_no_more() {
    let stage = Stage::set().await;
    let token = stage.token(&stage.user, With::ActingUser).await;
    let most = object(8192);
    assert_eq!(most.len(), 8192);
    stage.site.store(&token, &most).await;
    assert_eq!(stage.site.record(&token).await, most);
    // White space counts: it is kept like all else.
    for long in [object(8193), format!("{OLD}{}", " ".repeat(8193 - OLD.len()))] {
        let answer = stage.site.send(&store(long).bearer(&token)).await;
        assert_eq!((answer.status, answer.text().as_str()), (413, "size limit of 8Kb exceeded\n"));
    }
    assert_eq!(stage.site.record(&token).await, most);
}

#[tokio::test]
async fn c_oa_24_a_persons_own_session_neither_stores_nor_reads() {
    let stage = Stage::set().await;
    let asks = [store("1"), get(), Ask::new("DELETE", OAUTH2_USER)];
    for who in [&stage.user, &stage.admin] {
        for ask in asks.clone() {
            let answer = stage.site.send(&ask.bearer(&who.token)).await;
            assert_eq!((answer.status, answer.text().as_str()), (401, "not an app session: unauthorized\n"));
        }
    }
    // Section 3.2: an administrator without an App is told so, anybody else that they are no administrator.
    for (who, text) in [(&stage.admin, "not an app session: unauthorized"), (&stage.user, NOT_ADMIN)] {
        let answer = stage.site.send(&Ask::post(OAUTH2_APP, "{}").bearer(&who.token)).await;
        assert_eq!((answer.status, answer.text()), (401, format!("{text}\n")));
    }
}

#[tokio::test]
async fn c_oa_25_an_app_without_the_permission_is_refused_on_all_three() {
    let stage = Stage::bare(|_| {}).await;
    let mut manifest = stage.manifest();
    manifest["requested_permissions"] = json!(["act_as_bot", "act_as_user"]);
    stage.site.install(&stage.admin, &manifest).await;
    let text = format!("{APP} is not authorized to use remote OAuth2: unauthorized");
    for ask in [store(OLD), get(), Ask::post(OAUTH2_APP, "{}")] {
        let answer = stage.during(&stage.admin, With::ActingUser, vec![ask.clone()]).await;
        assert_eq!(refused(&answer), text, "{ask:?}");
        let token = stage.token(&stage.admin, With::ActingUser).await;
        assert_eq!(stage.site.send(&ask.bearer(&token)).await.status, 401);
    }
}
