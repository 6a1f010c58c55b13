//! Ending a grant at its provider, whatever the provider answers, and what its person is told of that (OS-36).

use serde_json::Value;
use tessera_testkit::browser::Browser;
use tessera_testkit::managed::{APP, CLIENT, Managed, SECRET, at, descriptor};
use tessera_testkit::wire::Ask;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use crate::seen::{Apart, OURS, accounts, end_there, revocations, until};

/// Works until this has become of the person's one ended connection.
async fn became(stage: &Managed, outcome: &str) -> Value {
    until(outcome, async || {
        stage.work().await;
        let told = revocations(stage.cast.site, &stage.cast.user).await;
        assert_eq!(told.len(), 1, "{told:?}");
        (told[0]["outcome"] == outcome).then(|| told[0].clone())
    })
    .await
}

async fn page(stage: &Managed) -> String {
    let mut browser = Browser::signed_in(stage.cast.site, "user-1").await;
    accounts(&mut browser, "?ended=hello").await.text()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_36_a_provider_that_takes_access_tokens_alone_is_given_one() {
    let stage = Managed::with("").await;
    stage.connect().await;
    let token = stage.access_token().await;
    stage.provider.change_behaviour(|behaviour| behaviour.set("revoke-answer=400").unwrap());
    assert_eq!(stage.disconnect().await.status, 204);
    let told = became(&stage, "revoked").await;
    assert!(told["ended_at"].is_i64() && told.get("code").is_none(), "{told}");
    assert!(!stage.works(&token).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_36_a_provider_that_is_busy_is_asked_again_when_it_said_and_its_person_sees_both() {
    let stage = Managed::with("").await;
    stage.connect().await;
    let token = stage.access_token().await;
    stage.provider.change_behaviour(|behaviour| behaviour.set("revoke-answer=503*1").unwrap());
    assert_eq!(stage.disconnect().await.status, 204);
    assert_eq!(stage.ask("").await.text(), "", "deleted here at once");
    let told = until("the first try", async || {
        stage.work().await;
        let told = revocations(stage.cast.site, &stage.cast.user).await.remove(0);
        told["code"].is_string().then_some(told)
    })
    .await;
    assert_eq!(told["outcome"], "waiting", "{told}");
    assert!(stage.works(&token).await);
    let shown = page(&stage).await;
    assert!(shown.contains("Simulator was asked to end it there too, could not yet ("), "{shown}");
    // It asked for thirty seconds.
    stage.later(29);
    stage.work().await;
    assert!(stage.works(&token).await);
    stage.later(2);
    became(&stage, "revoked").await;
    assert!(!stage.works(&token).await);
    let shown = page(&stage).await;
    assert!(shown.contains("It was ended at Simulator too."), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_36_a_grant_that_the_provider_does_not_know_counts_as_ended() {
    let stage = Managed::with("").await;
    stage.connect().await;
    end_there(&stage.provider).await;
    assert_eq!(stage.disconnect().await.status, 204);
    became(&stage, "revoked").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_36_where_a_provider_offers_no_end_its_person_is_led_to_its_page() {
    let stage = Managed::with("").await;
    let url = stage.provider.url();
    let page_there = "https://provider.example/grants";
    let without = descriptor(url, &format!("permissions_url = '{page_there}'"))
        .replace(&format!("revoke = {{ url = '{url}/revoke' }}\n"), "");
    let record = serde_json::json!({"descriptor": without, "client_id": CLIENT, "client_secret": SECRET});
    assert_eq!(stage.set_provider(&record).await.status, 200);
    stage.connect().await;
    let token = stage.access_token().await;
    assert_eq!(stage.disconnect().await.status, 204);
    assert_eq!(stage.ask("").await.text(), "");
    let told = became(&stage, "not_offered").await;
    assert_eq!(told["permissions_url"], page_there);
    assert!(stage.works(&token).await, "so it is said that it stays valid");
    let shown = page(&stage).await;
    assert!(shown.contains("Simulator offers no way to end it from here: it stays valid there"), "{shown}");
    assert!(
        shown.contains(&format!("<a href=\"{page_there}\">What you granted at Simulator</a>")),
        "{shown}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_36_a_refusal_is_told_with_its_code() {
    let stage = Managed::with("").await;
    stage.connect().await;
    let token = stage.access_token().await;
    // The client is another one at the provider by now: it refuses the old one's secret.
    stage.provider.add_client(CLIENT, "another secret", ["http://localhost:1/"]);
    assert_eq!(stage.disconnect().await.status, 204);
    let told = became(&stage, "failed").await;
    assert_eq!(told["code"], "invalid_client");
    assert!(stage.works(&token).await);
    let shown = page(&stage).await;
    assert!(shown.contains("Simulator did not end it (invalid_client): it may stay valid there"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_36_uninstalling_an_app_ends_its_grants_too() {
    let stage = Managed::with("").await;
    stage.connect().await;
    let token = stage.access_token().await;
    let which = serde_json::json!({"app_id": APP});
    let gone = stage.cast.site.post(&stage.cast.admin.token, "/uninstall-app", &which).await;
    assert_eq!(gone.status, 200, "{}", gone.text());
    became(&stage, "revoked").await;
    assert!(!stage.works(&token).await);
}

/// The process dies after the connection was deleted and before its provider could be asked: another one asks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_36_a_process_that_is_killed_between_delete_and_revoke_still_revokes() {
    let door = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = door.local_addr().unwrap();
    let stage = Apart::set_up(|_| format!("http://{address}/revoke"), |_| {}).await;
    let token = stage.ask("").await.json()["access_token"].as_str().unwrap().to_owned();
    let provider = stage.provider.url().strip_prefix("http://").unwrap().to_owned();
    // Behind the door is the provider, but whoever knocks first gets no answer.
    tokio::spawn(async move {
        drop(door.accept().await.unwrap());
        while let Ok((mut from, _)) = door.accept().await {
            let mut to = TcpStream::connect(&provider).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut from, &mut to).await });
        }
    });
    let end = Ask::new("DELETE", format!("{OURS}/connections/{APP}"));
    assert_eq!(stage.child.site.send(&end.bearer(&stage.user.token)).await.status, 204);
    until("the first try", async || {
        let told = revocations(stage.child.site, &stage.user).await.remove(0);
        (told["outcome"] == "waiting" && told["code"].is_string()).then_some(())
    })
    .await;
    let stage = stage.again(true);
    assert_eq!(stage.ask("").await.text(), "", "deleted for good");
    let works = async |token: &str| {
        let ask = Ask::get("/userinfo").bearer(token);
        at(stage.provider.url()).send(&ask).await.status == 200
    };
    until("the end at the provider", async || (!works(&token).await).then_some(())).await;
    until("that it is told", async || {
        (revocations(stage.child.site, &stage.user).await[0]["outcome"] == "revoked").then_some(())
    })
    .await;
}
