//! Words from the App's bot: that an account was connected, and that a grant ended. Once each.

use serde_json::json;
use tessera_simulator::Behaviour;
use tessera_testkit::managed::Managed;
use tessera_testkit::postgres::Database;
use tessera_testkit::wire::Answer;

use crate::seen::{Apart, end_there, messages, on, until};

fn needs_reconnect(answer: &Answer) {
    assert_eq!(answer.header("tessera-connection"), Some("needs_reconnect"), "{answer:?}");
}

/// Waits until the bot has said so much, and gives it.
async fn told(stage: &Managed, many: usize) -> Vec<String> {
    until("what the bot has to say", async || {
        stage.work().await;
        let told = messages(stage.cast.site, &stage.cast.user).await;
        (told.len() >= many).then_some(told)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bot_says_once_that_an_account_is_connected_and_once_that_its_grant_ended() {
    let stage = Managed::with("").await;
    stage.connect().await;
    let first = told(&stage, 1).await;
    assert!(first[0].starts_with("You connected ada@\u{200b}simulator.example at Simulator"), "{first:?}");
    assert!(first[0].contains("/tessera/v1/accounts"), "{first:?}");

    stage.provider.change_behaviour(|behaviour| behaviour.set("idle-death=1").unwrap());
    stage.later(3_601);
    let token = stage.token().await;
    for _ in 0..20 {
        assert_eq!(stage.ask_with("", &token).await.header("tessera-connection"), Some("needs_reconnect"));
        stage.work().await;
    }
    let ended = told(&stage, 2).await;
    assert!(ended[1].contains("has ended") && ended[1].contains("/oauth2/remote/connect"), "{ended:?}");

    // Whatever was said twice is there by the time that the next thing is said.
    stage.later(1);
    stage.provider.change_behaviour(|behaviour| behaviour.set("idle-death=off").unwrap());
    stage.connect().await;
    let all = told(&stage, 3).await;
    assert_eq!(all.len(), 3, "{all:?}");
    assert_eq!((&all[0], &all[1], &all[2]), (&first[0], &ended[1], &first[0]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_37_people_whose_client_was_replaced_are_told_once() {
    replaced(Managed::with("").await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_37_people_whose_client_was_replaced_are_told_once_on_postgres_too() {
    let database = Database::create().await.unwrap();
    replaced(Managed::set_up("", on(&database), |_| {}).await).await;
}

async fn replaced(stage: Managed) {
    stage.connect().await;
    told(&stage, 1).await;
    stage.later(1);
    for id in ["another-client", "yet-another"] {
        let mut record = stage.record("");
        record["client_id"] = json!(id);
        assert_eq!(stage.set_provider(&record).await.status, 200);
    }
    let all = told(&stage, 2).await;
    assert!(
        all[1].contains("ada@\u{200b}simulator.example") && all[1].contains("an administrator changed"),
        "{all:?}"
    );
    assert_eq!(stage.ask("").await.header("tessera-connection"), Some("needs_reconnect"));
    stage.later(1);
    assert_eq!(stage.set_provider(&stage.record("")).await.status, 200);
    stage.connect().await;
    let all = told(&stage, 3).await;
    assert_eq!(all.len(), 3, "{all:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_said_again_after_a_restart() {
    let short = |behaviour: &mut Behaviour| behaviour.set("token-life=6").unwrap();
    let stage = Apart::set_up(str::to_owned, short).await;
    let said = async |stage: &Apart, many: usize| {
        until("what the bot has to say", async || {
            let told = messages(stage.child.site, &stage.user).await;
            (told.len() >= many).then_some(told)
        })
        .await
    };
    said(&stage, 1).await;
    let stage = stage.again(false);
    end_there(&stage.provider).await;
    // After a second there is less left than this: the provider must be asked, and does not know the grant any more.
    until("the end of the grant", async || {
        let answer = stage.ask("?min_ttl=5").await;
        (answer.header("tessera-connection") == Some("needs_reconnect")).then_some(())
    })
    .await;
    let told = said(&stage, 2).await;
    assert!(told[1].contains("has ended"), "{told:?}");
    let stage = stage.again(false);
    for _ in 0..20 {
        needs_reconnect(&stage.ask("").await);
    }
    assert_eq!(said(&stage, 2).await, told);
}
