//! What is stored comes back.

use serde_json::{Value, json};
use tessera_testkit::site::{OAUTH2_APP, OAUTH2_USER};
use tessera_testkit::wire::{Ask, Sent};

use crate::stage::{Stage, With, done};

const OBJECT: &str = r#"{"test_bool":true,"test_string":"test"}"#;

fn get() -> Ask {
    Ask::get(OAUTH2_USER)
}

fn store(body: impl Into<Vec<u8>>) -> Ask {
    Ask::post(OAUTH2_USER, body)
}

fn four_members() -> Value {
    json!({
        "remote_root_url": "http://test.test",
        "client_id": "test_client_id",
        "client_secret": "test_client_secret",
        "data": {"test_bool": true, "test_string": "test"},
    })
}

#[tokio::test]
async fn c_oa_01_a_user_record_round_trips() {
    let stage = Stage::set().await;
    let answer = stage.during(&stage.user, With::ActingUser, vec![store(OBJECT), get()]).await;
    assert_eq!(done(&answer), OBJECT);
    // Byte for byte, whatever the value and however it is laid out.
    for record in
        ["\"testing\"", "0", "false", "[1,2]", " {\"b\": 1.0,\n\"a\" :\t12345678901234567890, \"a\":{} } "]
    {
        let answer = stage.during(&stage.user, With::ActingUser, vec![store(record), get()]).await;
        assert_eq!(done(&answer), record);
    }
}

#[tokio::test]
async fn c_oa_02_a_sysadmins_call_stores_an_app_record_with_all_four_members() {
    let stage = Stage::set().await;
    let ask = Ask::post(OAUTH2_APP, four_members().to_string());
    assert_eq!(done(&stage.during(&stage.admin, With::ActingUser, vec![ask]).await), "");
    let heard = stage.hears(&stage.user, json!({"oauth2_app": "+all"})).await;
    assert_eq!(heard["oauth2"]["data"], four_members()["data"]);
}

#[tokio::test]
async fn c_oa_03_a_call_that_expands_everything_shows_both_records() {
    let stage = Stage::set().await;
    let app = Ask::post(OAUTH2_APP, four_members().to_string());
    done(&stage.during(&stage.admin, With::ActingUser, vec![app]).await);
    done(&stage.during(&stage.user, With::ActingUser, vec![store(OBJECT)]).await);
    let expand = json!({
        "acting_user": "all", "acting_user_access_token": "all", "oauth2_app": "all", "oauth2_user": "all",
    });
    let heard = stage.hears(&stage.user, expand).await;
    assert_eq!(heard["acting_user"]["id"], stage.user.id);
    assert!(!With::ActingUser.of(&heard).is_empty());
    let mut oauth2 = heard["oauth2"].as_object().unwrap().clone();
    assert_eq!(oauth2.remove("user"), Some(serde_json::from_str(OBJECT).unwrap()));
    let site = heard["mattermost_site_url"].as_str().unwrap();
    for end in ["connect", "complete"] {
        let url = format!("{site}/plugins/com.mattermost.apps/apps/oauth2test/oauth2/remote/{end}");
        assert_eq!(oauth2.remove(&format!("{end}_url")), Some(json!(url)));
    }
    assert_eq!(Value::from(oauth2), four_members());
}

#[tokio::test]
async fn c_oa_15_an_empty_object_is_stored_and_comes_back() {
    let stage = Stage::set().await;
    let asks = vec![store(OBJECT), store("{}"), get()];
    assert_eq!(done(&stage.during(&stage.user, With::ActingUser, asks).await), "{}");
}

#[tokio::test]
async fn c_oa_16_a_sysadmins_call_stores_an_empty_app_record_and_so_clears_it() {
    let stage = Stage::set().await;
    for empty in ["{}", "null", r#"{"client_id":"","client_secret":"","remote_root_url":"","data":null}"#] {
        let asks = [four_members().to_string().as_str(), empty].map(|body| Ask::post(OAUTH2_APP, body));
        assert_eq!(done(&stage.during(&stage.admin, With::ActingUser, asks.to_vec()).await), "");
        let heard = stage.hears(&stage.user, json!({"oauth2_app": "all"})).await;
        let members: Vec<_> = heard["oauth2"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(members, ["complete_url", "connect_url"], "after {empty}");
    }
}

#[tokio::test]
async fn c_oa_17_a_call_without_expand_has_the_bots_token_and_no_other() {
    let stage = Stage::set().await;
    let heard = stage.hears(&stage.user, Value::Null).await;
    assert_eq!(With::Bot.of(&heard).len(), 26);
    assert!(heard.get("acting_user_access_token").is_none(), "{heard}");
    assert_eq!(heard["oauth2"], json!({}));
}

#[tokio::test]
async fn c_oa_20_put_does_what_post_does() {
    let stage = Stage::set().await;
    let put = |route, body: &str| Ask::new("PUT", route).body(Sent::Whole(body.into()));
    let asks =
        vec![put(OAUTH2_APP, &four_members().to_string()), store("1"), put(OAUTH2_USER, OBJECT), get()];
    assert_eq!(done(&stage.during(&stage.admin, With::ActingUser, asks).await), OBJECT);
    let heard = stage.hears(&stage.admin, json!({"oauth2_app": "all", "oauth2_user": "all"})).await;
    assert_eq!(heard["oauth2"]["client_secret"], "test_client_secret");
    assert_eq!(heard["oauth2"]["user"], json!({"test_bool": true, "test_string": "test"}));
}
