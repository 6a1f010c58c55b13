//! The same person comes back with another account: nothing changes until they say so.

use serde_json::Value;
use tessera_testkit::browser::Browser;
use tessera_testkit::managed::{APP, Managed};
use tessera_testkit::postgres::Database;
use tessera_testkit::wire::Answer;

use crate::seen::{OURS, connect_in, field, on, revocations, until, working};

const ADA: &str = "ada@simulator.example at Simulator (unverified)";
const GRACE: &str = "grace@simulator.example at Simulator (unverified)";

/// Ada's account is connected, and the person came back with Grace's: the page that asks, and the tokens of both.
async fn asked() -> (Managed, Browser, Answer, [String; 2]) {
    asked_on(Managed::with("").await).await
}

async fn asked_on(stage: Managed) -> (Managed, Browser, Answer, [String; 2]) {
    let mut browser = Browser::signed_in(stage.cast.site, "user-1").await;
    let first = connect_in(&mut browser, "ada").await;
    assert_eq!(first.status, 200, "{}", first.text());
    let old = stage.access_token().await;
    let page = connect_in(&mut browser, "grace").await;
    assert_eq!(page.status, 200, "{}", page.text());
    let text = page.text();
    assert!(text.contains(&format!("<strong>{ADA}</strong>")), "{text}");
    assert!(text.contains(&format!("<strong>{GRACE}</strong>")), "{text}");
    let both = working(&stage).await;
    let new = both.iter().find(|token| **token != old).cloned().unwrap();
    assert_eq!((both.len(), stage.access_token().await), (2, old.clone()), "nothing has changed yet");
    assert!(revocations(stage.cast.site, &stage.cast.user).await.is_empty());
    (stage, browser, page, [old, new])
}

async fn answer(browser: &mut Browser, page: &Answer, answer: &str) -> Answer {
    let fields =
        [("token", field(page, "token")), ("ticket", field(page, "ticket")), ("answer", answer.into())];
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.submit(&format!("{OURS}/connections/{APP}/choice"), &fields).await
}

/// Works until only this account's token works; gives what became of the other.
async fn settled(stage: &Managed, ended: &str) -> Vec<Value> {
    until("the end of the other account", async || {
        stage.work().await;
        let told = revocations(stage.cast.site, &stage.cast.user).await;
        let over = told.first().is_some_and(|told| told["outcome"] == "revoked");
        (over && !stage.works(ended).await).then_some(told)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_yes_takes_the_new_account_and_ends_the_old_one() {
    takes(asked().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_yes_takes_the_new_account_on_postgres_too() {
    let database = Database::create().await.unwrap();
    takes(asked_on(Managed::set_up("", on(&database), |_| {}).await).await).await;
}

async fn takes((stage, mut browser, page, [old, new]): (Managed, Browser, Answer, [String; 2])) {
    let done = answer(&mut browser, &page, "take").await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert!(done.text().contains(GRACE), "{}", done.text());
    assert_eq!(stage.access_token().await, new);
    let told = settled(&stage, &old).await;
    assert_eq!((told.len(), &told[0]["account"]), (1, &Value::from(ADA)), "{told:?}");
    assert_eq!(working(&stage).await, std::slice::from_ref(&new));
    assert_eq!(stage.connections().await[0]["managed"]["account_name"], "grace@simulator.example");

    // A ticket is good once, and the new account does not end when its time to wait is over.
    for again in ["take", "keep"] {
        let stale = answer(&mut browser, &page, again).await;
        assert_eq!(stale.status, 400, "{}", stale.text());
    }
    stage.later(16 * 60);
    stage.work().await;
    assert_eq!(working(&stage).await, [new]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_no_ends_the_new_account_at_once() {
    keeps(asked().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_no_ends_the_new_account_on_postgres_too() {
    let database = Database::create().await.unwrap();
    keeps(asked_on(Managed::set_up("", on(&database), |_| {}).await).await).await;
}

async fn keeps((stage, mut browser, page, [old, new]): (Managed, Browser, Answer, [String; 2])) {
    let kept = answer(&mut browser, &page, "keep").await;
    assert_eq!(kept.status, 200, "{}", kept.text());
    assert!(kept.text().contains("stays as it was"), "{}", kept.text());
    let told = settled(&stage, &new).await;
    assert_eq!((told.len(), &told[0]["account"]), (1, &Value::from(GRACE)), "{told:?}");
    assert_eq!(stage.access_token().await, old);
    assert_eq!(working(&stage).await, [old]);
    assert_eq!(answer(&mut browser, &page, "take").await.status, 400, "too late");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_answer_the_new_account_is_ended_after_a_quarter_of_an_hour() {
    let (stage, mut browser, page, [old, new]) = asked().await;
    stage.later(14 * 60);
    stage.work().await;
    assert!(stage.works(&new).await, "there is still time");
    stage.later(61);
    settled(&stage, &new).await;
    assert_eq!(stage.access_token().await, old);
    assert_eq!(answer(&mut browser, &page, "take").await.status, 400);
    assert_eq!(stage.access_token().await, old);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_yes_to_an_account_of_a_client_that_was_replaced_meanwhile_takes_nothing() {
    let (stage, mut browser, page, [_, new]) = asked().await;
    let mut other = stage.record("");
    other["client_id"] = "another-client".into();
    assert_eq!(stage.set_provider(&other).await.status, 200);
    let refused = answer(&mut browser, &page, "take").await;
    assert!(refused.status >= 400, "{}", refused.text());
    assert!(refused.text().contains("changed meanwhile"), "{}", refused.text());
    // It is ended with the client that it was given to.
    stage.later(16 * 60);
    settled(&stage, &new).await;
    assert_eq!(stage.connections().await[0]["managed"]["account_name"], "ada@simulator.example");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_57_the_question_is_answered_by_its_own_form_alone() {
    let (stage, mut browser, page, [old, _]) = asked().await;
    let target = format!("{OURS}/connections/{APP}/choice");
    let (token, ticket) = (field(&page, "token"), field(&page, "ticket"));
    let mut stranger = Browser::signed_in(stage.cast.site, "user-2").await;
    let fields = [("token", token.as_str()), ("ticket", ticket.as_str()), ("answer", "take")];
    assert_eq!(stranger.submit(&target, &fields).await.status, 400, "another person's");
    let form = browser.form(&target, &fields, tessera_testkit::browser::From::Elsewhere);
    assert_eq!(browser.send(&form).await.status, 403, "another site's");
    for wrong in [
        [("token", "x"), ("ticket", &ticket), ("answer", "take")],
        [("token", &token), ("ticket", "x"), ("answer", "take")],
    ] {
        assert_eq!(browser.submit(&target, &wrong).await.status, 400, "{wrong:?}");
    }
    assert_eq!(stage.access_token().await, old);
}
