//! Who is deactivated, demoted or signed out: reads follow within ten seconds, everything else at once.

use serde_json::json;
use tessera_testkit::attached::{APP, Attached};
use tessera_testkit::fake_mattermost::Version;
use tessera_testkit::site::{API, OAUTH2_USER, Person};
use tessera_testkit::wire::Ask;

const CONNECTIONS: &str = "/plugins/com.mattermost.apps/tessera/v1/connections";

async fn stage() -> Attached {
    let stage = Attached::to(Version::V11_7).await;
    stage.install(&["act_as_bot", "act_as_user", "remote_oauth2"]).await;
    stage
}

async fn reads(stage: &Attached, token: &str, route: &str) -> u16 {
    stage.site().send(&Ask::get(route).bearer(token)).await.status
}

/// Whether a call gets through to the App.
async fn calls(stage: &Attached, token: &str) -> bool {
    let call = json!({"path": "/hello", "context": {"app_id": APP}});
    stage.site().post(token, "/call", &call).await.json()["type"] == "ok"
}

#[tokio::test]
async fn somebody_who_signed_out() {
    let stage = stage().await;
    let token = stage.user.token.clone();
    assert_eq!(reads(&stage, &token, CONNECTIONS).await, 200);
    stage.mattermost.end_sessions(&stage.user.id);
    // A write is asked about now, whatever a read was told a moment ago.
    assert!(!calls(&stage, &token).await);
    let _ = reads(&stage, &token, CONNECTIONS).await;
    stage.server.clock.advance_ms(10_000);
    assert_eq!(reads(&stage, &token, CONNECTIONS).await, 401);
}

#[tokio::test]
async fn somebody_who_was_deactivated_and_the_apps_that_acted_for_them() {
    let stage = stage().await;
    stage.mattermost.set_roles(&stage.user.id, "system_user");
    agree(&stage).await;
    let (token, _) = stage.site().tokens(&stage.user, &stage.fake, APP).await;
    stage.site().store(&token, r#"{"access_token":"x"}"#).await;
    assert_eq!(reads(&stage, &token, OAUTH2_USER).await, 200);
    stage.mattermost.deactivate(&stage.user.id);
    let stored = stage.site().send(&Ask::post(OAUTH2_USER, r#"{"access_token":"y"}"#).bearer(&token)).await;
    assert_eq!(stored.status, 401, "{}", stored.text());
    assert!(!calls(&stage, &stage.user.token).await);
    stage.server.clock.advance_ms(10_000);
    assert_eq!(reads(&stage, &token, OAUTH2_USER).await, 401);
}

#[tokio::test]
async fn an_administrator_who_is_none_any_more() {
    let stage = stage().await;
    let list = || {
        Ask::post(format!("{API}/disable-app"), json!({"app_id": "none"}).to_string())
            .bearer(&stage.admin.token)
    };
    let before = stage.site().send(&list()).await;
    assert_ne!(before.status, 401, "{}", before.text());
    stage.mattermost.set_roles(&stage.admin.id, "system_user");
    assert_eq!(stage.site().send(&list()).await.status, 401);
}

#[tokio::test]
async fn the_bot_of_an_app_that_is_disabled() {
    let stage = stage().await;
    agree(&stage).await;
    let (token, bot) = stage.site().tokens(&stage.user, &stage.fake, APP).await;
    assert_eq!(reads(&stage, &bot, OAUTH2_USER).await, 200);
    let which = json!({"app_id": APP});
    let disabled = stage.site().post(&stage.admin.token, "/disable-app", &which).await;
    assert_eq!(disabled.status, 200, "{}", disabled.text());
    // At once, reads too: it was done here.
    for token in [&token, &bot] {
        assert_eq!(reads(&stage, token, OAUTH2_USER).await, 401);
        let me = stage.site().send(&Ask::get("/api/v4/users/me").bearer(token)).await;
        assert_eq!(me.status, 401, "it opens nothing at Mattermost either");
    }
    assert!(stage.mattermost.oauth_apps().is_empty());
    // What people stored is kept, and the App comes back with tokens of its own once it is enabled.
    let enabled = stage.site().post(&stage.admin.token, "/enable-app", &which).await;
    assert_eq!(enabled.status, 200, "{}", enabled.text());
    agree(&stage).await;
    let (_, again) = stage.site().tokens(&stage.user, &stage.fake, APP).await;
    assert_ne!(again, bot);
    assert_eq!(reads(&stage, &again, OAUTH2_USER).await, 200);
}

/// The user agrees that the App acts for them, by the link that a call answers with.
pub(crate) async fn agree(stage: &Attached) {
    agree_as(stage, &stage.user).await;
}

/// The same in a session of theirs.
pub(crate) async fn agree_as(stage: &Attached, user: &Person) {
    let call = json!({
        "path": "/hello", "context": {"app_id": APP}, "expand": {"acting_user_access_token": "all"},
    });
    let answer = stage.site().post(&user.token, "/call", &call).await;
    let text = answer.json()["text"].as_str().unwrap_or_default().to_owned();
    let link = text.split(['(', ')']).find(|word| word.contains("/oauth2/mattermost/connect"));
    let link = link.unwrap_or_else(|| panic!("no link in {}", answer.text()));
    let mut browser = stage.browser();
    stage.sign_in(&mut browser, "ada").await;
    let path = link.strip_prefix(&stage.door.url()).unwrap();
    let first = browser.open(path, tessera_testkit::browser::From::Nowhere).await;
    let (_, page) = stage.follow(&mut browser, first).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.text().contains("may act for you now"), "{}", page.text());
}
