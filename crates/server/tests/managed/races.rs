//! What happens while a refresh is on its way: it is one request whoever waits, and what it brings belongs to the grant
//! that asked.

use std::time::Duration;

use tessera_testkit::managed::Managed;

/// Waits until the provider has done so many refreshes; its replies may still be on the way.
async fn refreshed(stage: &Managed, many: u64) {
    let enough = async {
        while stage.provider.refreshes() < many {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), enough).await.unwrap();
}

/// Tokens that the provider still takes.
async fn alive(stage: &Managed) -> usize {
    let mut alive = 0;
    for secret in stage.provider.issued_secrets() {
        alive += usize::from(stage.works(&secret).await);
    }
    alive
}

#[tokio::test]
async fn of_many_readers_at_the_end_of_a_token_one_asks_and_all_get_what_it_brings() {
    let stage = Managed::with("").await;
    stage.connect().await;
    let first = stage.access_token().await;
    stage.later(3_600);
    let token = stage.token().await;
    let before = stage.provider.token_requests();
    stage.set(&["delayed-reply=100"]);
    let readers = (0..100).map(|_| stage.ask_with("", &token));
    let answers = futures_util::future::join_all(readers).await;
    let given: std::collections::BTreeSet<String> =
        answers.iter().map(|answer| answer.json()["access_token"].as_str().unwrap().to_owned()).collect();
    assert_eq!(given.len(), 1);
    assert!(!given.contains(&first));
    assert_eq!(stage.provider.token_requests(), before + 1);
}

#[tokio::test]
async fn what_a_refresh_brings_after_a_disconnect_is_ended_as_well() {
    let stage = Managed::with("").await;
    stage.connect().await;
    stage.later(3_600);
    let token = stage.token().await;
    stage.set(&["delayed-reply=500*1"]);
    let (answer, ended) = tokio::join!(stage.ask_with("", &token), async {
        refreshed(&stage, 1).await;
        stage.disconnect().await
    });
    assert_eq!(ended.status, 204);
    assert_eq!((answer.status, answer.text().as_str()), (200, ""), "nothing of it is given to anybody");
    while stage.work().await > 0 {}
    assert_eq!(alive(&stage).await, 0);
}

#[tokio::test]
async fn what_a_refresh_brings_after_a_new_consent_is_ended_and_the_new_grant_lives() {
    let stage = Managed::with("").await;
    stage.connect().await;
    stage.later(3_600);
    let token = stage.token().await;
    stage.set(&["delayed-reply=500*1"]);
    let (answer, ()) = tokio::join!(stage.ask_with("", &token), async {
        refreshed(&stage, 1).await;
        stage.connect().await;
    });
    assert_eq!(answer.status, 200, "{}", answer.text());
    let given = answer.json()["access_token"].as_str().unwrap().to_owned();
    while stage.work().await > 0 {}
    assert!(stage.works(&given).await, "who waited got the new grant's");
    assert_eq!(stage.access_token().await, given);
    assert_eq!(alive(&stage).await, 1);
}

#[tokio::test]
async fn os_37_what_a_refresh_brings_after_the_client_was_replaced_is_given_to_nobody() {
    let stage = Managed::with("").await;
    stage.connect().await;
    stage.later(3_600);
    let token = stage.token().await;
    let mut other = stage.record("");
    other["client_id"] = "quite-another".into();
    stage.set(&["delayed-reply=500*1"]);
    let (answer, set) = tokio::join!(stage.ask_with("", &token), async {
        refreshed(&stage, 1).await;
        stage.set_provider(&other).await
    });
    assert_eq!(set.status, 200, "{}", set.text());
    assert_eq!((answer.status, answer.text().as_str()), (200, ""));
    assert_eq!(answer.header("tessera-connection"), Some("needs_reconnect"));
    while stage.work().await > 0 {}
    assert_eq!(stage.connections().await[0]["managed"]["status"], "needs_reconnect");
    assert_eq!(alive(&stage).await, 0);
}
