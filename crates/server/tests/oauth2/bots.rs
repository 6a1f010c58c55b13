//! The bot's token under both profiles (decisions.md section 1.3).

use serde_json::json;
use tessera_testkit::site::{OAUTH2_APP, OAUTH2_USER};
use tessera_testkit::wire::Ask;

use crate::stage::{Stage, With, done, refused};

const OWN: &str = r#"{"service":"account"}"#;
const USERS: &str = r#"{"user":"record"}"#;
const A_BOT: &str = "@oauth2test (tests App's OAuth2 APIs): is a bot: unauthorized";
const NOT_ADMIN: &str =
    "access to this operation is limited to users with permission: manage_system: unauthorized";

/// A site where the user has stored a record.
async fn with_users_record(stage: Stage) -> (Stage, String) {
    let token = stage.token(&stage.user, With::ActingUser).await;
    stage.site.store(&token, USERS).await;
    (stage, token)
}

/// What the App hears of its user record when its bot makes the call.
async fn bot_hears(stage: &Stage, level: &str) -> serde_json::Value {
    let bot = stage.token(&stage.user, With::Bot).await;
    let call = json!({
        "path": "/as-bot",
        "context": {"app_id": crate::stage::APP},
        "expand": {"acting_user": "summary", "oauth2_user": level},
    });
    let answer = stage.site.post(&bot, "/call", &call).await;
    if answer.json()["type"] != "ok" {
        return answer.json()["text"].clone();
    }
    let heard = stage.fake.calls_to("/as-bot").pop().unwrap().json()["context"].clone();
    assert_eq!(heard["acting_user"]["username"], crate::stage::APP);
    heard["oauth2"].clone()
}

#[tokio::test]
async fn c_oa_11_reference_the_bot_reads_no_user_record() {
    let (stage, _) = with_users_record(Stage::reference().await).await;
    let answer = stage.during(&stage.user, With::Bot, vec![Ask::get(OAUTH2_USER)]).await;
    assert_eq!(refused(&answer), A_BOT);
    let bot = stage.token(&stage.user, With::Bot).await;
    assert_eq!(stage.site.send(&Ask::get(OAUTH2_USER).bearer(&bot)).await.status, 401);
    assert_eq!(bot_hears(&stage, "all").await, json!({}));
    let text = bot_hears(&stage, "+all").await;
    assert!(text.as_str().unwrap().ends_with(A_BOT), "{text}");
}

#[tokio::test]
async fn c_oa_11_documented_the_bot_reads_its_own_record_and_no_users() {
    let (stage, token) = with_users_record(Stage::set().await).await;
    let get = || Ask::get(OAUTH2_USER);
    assert_eq!(done(&stage.during(&stage.user, With::Bot, vec![get()]).await), "", "the bot has none yet");
    assert_eq!(bot_hears(&stage, "+all").await, json!({}));
    done(&stage.during(&stage.user, With::Bot, vec![Ask::post(OAUTH2_USER, OWN)]).await);
    assert_eq!(done(&stage.during(&stage.user, With::Bot, vec![get()]).await), OWN);
    assert_eq!(bot_hears(&stage, "+all").await, json!({"user": {"service": "account"}}));
    assert_eq!(stage.site.record(&token).await, USERS);
}

#[tokio::test]
async fn c_oa_12_reference_the_bot_stores_no_user_record() {
    let (stage, token) = with_users_record(Stage::reference().await).await;
    let answer = stage.during(&stage.user, With::Bot, vec![Ask::post(OAUTH2_USER, OWN)]).await;
    assert_eq!(refused(&answer), A_BOT);
    let bot = stage.token(&stage.user, With::Bot).await;
    for ask in [Ask::post(OAUTH2_USER, OWN), Ask::new("DELETE", OAUTH2_USER)] {
        let answer = stage.site.send(&ask.bearer(&bot)).await;
        assert_eq!((answer.status, answer.text()), (401, format!("{A_BOT}\n")));
    }
    assert_eq!(stage.site.record(&token).await, USERS);
}

#[tokio::test]
async fn c_oa_12_documented_the_bot_stores_its_own_record_and_no_users() {
    let (stage, token) = with_users_record(Stage::set().await).await;
    // In a call by the user, too: the bot's token means the bot, whoever made the call.
    done(&stage.during(&stage.user, With::Bot, vec![Ask::post(OAUTH2_USER, OWN)]).await);
    assert_eq!(stage.site.record(&token).await, USERS);
    let heard = stage.hears(&stage.user, json!({"oauth2_user": "all"})).await;
    assert_eq!(heard["oauth2"]["user"], json!({"user": "record"}));
    let other = stage.site.sign_in("user-2").await;
    let other = stage.token(&other, With::ActingUser).await;
    assert_eq!(stage.site.record(&other).await, "", "nor does anybody else have it");
    // It ends without taking the user's along.
    let bot = stage.token(&stage.user, With::Bot).await;
    assert_eq!(stage.site.send(&Ask::new("DELETE", OAUTH2_USER).bearer(&bot)).await.status, 200);
    assert_eq!(stage.site.record(&bot).await, "");
    assert_eq!(stage.site.record(&token).await, USERS);
}

#[tokio::test]
async fn c_oa_14_reference_the_bot_stores_no_app_record() {
    let stage = Stage::reference().await;
    for caller in [&stage.user, &stage.admin] {
        let ask = Ask::post(OAUTH2_APP, r#"{"client_id":"bots"}"#);
        assert_eq!(refused(&stage.during(caller, With::Bot, vec![ask]).await), NOT_ADMIN);
    }
    let heard = stage.hears(&stage.user, json!({"oauth2_app": "all"})).await;
    assert!(heard["oauth2"].get("client_id").is_none(), "{heard}");
}

#[tokio::test]
async fn c_oa_14_documented_the_bot_stores_its_apps_record() {
    let stage = Stage::set().await;
    let ask = Ask::post(OAUTH2_APP, r#"{"client_id":"bots","client_secret":"own"}"#);
    done(&stage.during(&stage.user, With::Bot, vec![ask]).await);
    let heard = stage.hears(&stage.user, json!({"oauth2_app": "all"})).await;
    assert_eq!(
        (&heard["oauth2"]["client_id"], &heard["oauth2"]["client_secret"]),
        (&json!("bots"), &json!("own"))
    );
    // It is its own App's and no other's.
    let mut manifest = stage.manifest();
    manifest["app_id"] = json!("other");
    stage.site.install(&stage.admin, &manifest).await;
    let heard = stage.site.context(&stage.user, &stage.fake, "other").await;
    assert!(heard["oauth2"].get("client_id").is_none(), "{heard}");
}
