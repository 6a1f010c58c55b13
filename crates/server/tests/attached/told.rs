//! A word in chat when a connection is made, where people came from.

use serde_json::json;
use tessera_testkit::attached::{APP, Attached};
use tessera_testkit::browser::{Browser, From};
use tessera_testkit::fake_mattermost::{Failure, Version};
use tessera_testkit::site::flow;
use tessera_testkit::wire::Answer;

/// An App that needs nobody's agreement.
async fn stage() -> Attached {
    let stage = Attached::to(Version::V11_7).await;
    let mut manifest = stage.fake.manifest(APP, &["act_as_user", "remote_oauth2"]);
    manifest["get_oauth2_connect_url"] = json!({"path": "/oauth2/connect", "expand": {}});
    manifest["on_oauth2_complete"] = json!({"path": "/oauth2/complete", "expand": {}});
    stage.site().install(&stage.admin, &manifest).await;
    stage.fake.leads_to("https://provider.example/a?state={state}");
    stage
}

/// Through the flow; `with` is what the provider says beside the state.
async fn connects(browser: &mut Browser, with: &str) -> Answer {
    let page = browser.open(&flow(APP, "connect"), From::Here).await;
    let state = page.header("location").unwrap().split_once("state=").unwrap().1.to_owned();
    browser.open(&format!("{}?{with}&state={state}", flow(APP, "complete")), From::Elsewhere).await
}

/// What bots posted.
fn said(stage: &Attached) -> Vec<String> {
    let posts = stage.mattermost.requests_to("POST", "/api/v4/posts");
    posts.iter().map(|post| post.json()["message"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_bot_says_once_that_an_account_is_connected() {
    let stage = stage().await;
    let mut browser = stage.browser();
    stage.sign_in(&mut browser, "ada").await;
    assert_eq!(connects(&mut browser, "code=c").await.status, 200);
    for _ in 0..3 {
        stage.server.grants.work_once().await.unwrap();
    }
    let told = said(&stage);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("You connected an account with "), "{told:?}");
    let accounts = format!("{}/plugins/com.mattermost.apps/tessera/v1/accounts", stage.door.url());
    assert!(told[0].contains(&accounts), "{told:?}");
    // To whom: the direct channel of the bot and the person.
    let direct = stage.mattermost.requests_to("POST", "/api/v4/channels/direct");
    assert!(direct[0].json().as_array().unwrap().contains(&json!(stage.user.id)));

    // Nothing is said of what was not connected.
    assert_eq!(connects(&mut browser, "error=access_denied").await.status, 200);
    stage.server.grants.work_once().await.unwrap();
    assert_eq!(said(&stage).len(), 1);
}

#[tokio::test]
async fn that_it_cannot_be_said_keeps_nobody_from_connecting() {
    let stage = stage().await;
    let mut browser = stage.browser();
    stage.sign_in(&mut browser, "ada").await;
    stage.mattermost.fail_next("/api/v4/channels/direct", Failure::Status(500));
    assert_eq!(connects(&mut browser, "code=c").await.status, 200);
    stage.server.grants.work_once().await.unwrap();
    assert!(said(&stage).is_empty());
    // It is said when it can be.
    stage.server.clock.advance_ms(5_000);
    stage.server.grants.work_once().await.unwrap();
    assert_eq!(said(&stage).len(), 1);
}
