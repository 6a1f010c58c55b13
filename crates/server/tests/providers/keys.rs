//! A provider's keys between calls: new ones, none, and for how long old ones do.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::Value;
use tessera_server::egress::{Egress, Rules};
use tessera_server::providers::{Cached, Expected, Forged, KeySet, Keys, Unverified};
use url::Url;

use crate::id_tokens::{NOW, claims, expected};
use crate::signer::{ANOTHER_RSA, P256, RSA, Signer, jwks};

/// A provider that publishes keys, and counts how often it is asked.
#[derive(Clone)]
struct Publisher {
    /// What it answers; None for an outage.
    set: Arc<Mutex<Option<Value>>>,
    asked: Arc<AtomicUsize>,
    /// How many may be answered.
    gate: Arc<tokio::sync::Semaphore>,
}

impl Publisher {
    async fn new(set: Value) -> (Self, Keys, Egress) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/jwks", listener.local_addr().unwrap())).unwrap();
        let gate = Arc::new(tokio::sync::Semaphore::new(1_000));
        let publisher = Self { set: Arc::new(Mutex::new(Some(set))), asked: Arc::default(), gate };
        let router = Router::new().fallback(answer).with_state(publisher.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let egress = Egress::new(Rules { allow_loopback: true, ..Rules::default() }).unwrap();
        (publisher, Keys::new(url), egress)
    }

    fn publish(&self, set: Option<Value>) {
        *self.set.lock().unwrap() = set;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn answer(State(publisher): State<Publisher>) -> (StatusCode, String) {
    publisher.asked.fetch_add(1, Ordering::SeqCst);
    publisher.gate.acquire().await.unwrap().forget();
    match &*publisher.set.lock().unwrap() {
        Some(set) => (StatusCode::OK, set.to_string()),
        None => (StatusCode::SERVICE_UNAVAILABLE, String::new()),
    }
}

/// Whether a token of this key is believed so many seconds after the start.
async fn verified(keys: &Keys, egress: &Egress, signer: &Signer, after: i64) -> Result<(), Unverified> {
    let mut claims = claims();
    claims["exp"] = (NOW + after + 60).into();
    let expected = Expected { now_ms: (NOW + after) * 1000, ..expected() };
    keys.verify(egress, &signer.sign(&claims), expected).await.map(|claims| assert_eq!(claims.subject, "u-1"))
}

#[tokio::test]
async fn os_24_a_new_key_is_asked_for_when_it_appears_and_at_most_once_in_a_minute() {
    let (old, new, never) = (
        Signer::rsa(RSA, "RS256"),
        Signer::p256(P256),
        Signer::rsa(ANOTHER_RSA, "RS256").named(Some("mine")),
    );
    let (publisher, keys, egress) = Publisher::new(jwks([&old])).await;
    assert_eq!(verified(&keys, &egress, &old, 0).await, Ok(()));
    assert_eq!(verified(&keys, &egress, &old, 50).await, Ok(()));
    assert_eq!(publisher.asked(), 1);
    publisher.publish(Some(jwks([&old, &new])));
    assert_eq!(
        verified(&keys, &egress, &new, 59).await,
        Err(Forged::UnknownKey.into()),
        "asked a minute ago"
    );
    assert_eq!(publisher.asked(), 1);
    assert_eq!(verified(&keys, &egress, &new, 60).await, Ok(()));
    assert_eq!(verified(&keys, &egress, &old, 60).await, Ok(()), "those of before still do");
    assert_eq!(publisher.asked(), 2);
    for after in [61, 90, 119] {
        assert_eq!(verified(&keys, &egress, &never, after).await, Err(Forged::UnknownKey.into()));
    }
    assert_eq!(publisher.asked(), 2, "whoever invents keys does not have the provider asked each time");
    assert_eq!(verified(&keys, &egress, &never, 120).await, Err(Forged::UnknownKey.into()));
    assert_eq!(publisher.asked(), 3);
    // A key that was taken back is forgotten with the hourly question.
    publisher.publish(Some(jwks([&new])));
    assert_eq!(verified(&keys, &egress, &old, 120 + 3599).await, Ok(()));
    assert_eq!(verified(&keys, &egress, &old, 120 + 3600).await, Err(Forged::UnknownKey.into()));
    assert_eq!(publisher.asked(), 4);
}

#[tokio::test]
async fn os_24_while_the_keys_cannot_be_had_the_old_ones_do_for_a_day() {
    const DAY: i64 = 24 * 3600;
    let (old, new) = (Signer::rsa(RSA, "RS256"), Signer::p256(P256));
    let (publisher, keys, egress) = Publisher::new(jwks([&old])).await;
    assert_eq!(verified(&keys, &egress, &old, 0).await, Ok(()));
    publisher.publish(None);
    for after in [3599, 3600, 3601, DAY - 1] {
        assert_eq!(verified(&keys, &egress, &old, after).await, Ok(()), "{after}");
    }
    assert_eq!(publisher.asked(), 3, "at first, after an hour, and at the end of the day");
    assert_eq!(verified(&keys, &egress, &new, DAY - 1).await, Err(Forged::UnknownKey.into()));
    let Err(Unverified::NoKeys(why)) = verified(&keys, &egress, &old, DAY + 60).await else {
        panic!("believed")
    };
    assert!(why.to_string().contains("answered 503"), "{why}");
    assert_eq!(publisher.asked(), 4);
    // What is answered without a key is no answer, and nobody is asked twice in five seconds.
    publisher.publish(Some(serde_json::json!({ "keys": [] })));
    assert!(verified(&keys, &egress, &old, DAY + 64).await.is_err());
    assert_eq!(publisher.asked(), 4);
    assert!(verified(&keys, &egress, &old, DAY + 65).await.is_err());
    assert_eq!(publisher.asked(), 5);
    publisher.publish(Some(jwks([&old])));
    assert_eq!(verified(&keys, &egress, &old, DAY + 70).await, Ok(()));
    assert_eq!(publisher.asked(), 6);
}

#[tokio::test]
async fn many_at_once_ask_once_and_one_who_gives_up_leaves_nobody_waiting() {
    let signer = Signer::p256(P256);
    let (publisher, keys, egress) = Publisher::new(jwks([&signer])).await;
    let all = futures_util::future::join_all((0..20).map(|_| verified(&keys, &egress, &signer, 0))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(publisher.asked(), 1);

    let (publisher, keys, egress) = Publisher::new(jwks([&signer])).await;
    publisher.gate.forget_permits(1_000);
    let keys = Arc::new(keys);
    let egress = Arc::new(egress);
    let asking = tokio::spawn({
        let (keys, egress) = (Arc::clone(&keys), Arc::clone(&egress));
        async move { verified(&keys, &egress, &Signer::p256(P256), 0).await }
    });
    while publisher.asked() == 0 {
        tokio::task::yield_now().await;
    }
    let waiting = verified(&keys, &egress, &signer, 0);
    let gives_up = async {
        asking.abort();
        publisher.gate.add_permits(1_000);
    };
    let (waited, ()) = tokio::join!(waiting, gives_up);
    assert_eq!(waited, Ok(()));
    assert_eq!(publisher.asked(), 2);
}

#[test]
fn when_keys_are_asked_for_again_is_told_by_data_alone() {
    let set = || KeySet::read(jwks([&Signer::p256(P256)]).to_string().as_bytes()).unwrap();
    let (minute, hour) = (60_000, 3_600_000);
    let mut cached = Cached::default();
    assert!(cached.is_due(false, 0) && cached.usable(0).is_none());
    cached.answered(None, 0);
    assert!(!cached.is_due(false, 4_999) && cached.is_due(false, 5_000));
    cached.answered(Some(set()), 5_000);
    let came = 5_000;
    for (missed, after, due) in [
        (false, 0, false),
        (false, hour - 1, false),
        (false, hour, true),
        (true, minute - 1, false),
        (true, minute, true),
    ] {
        assert_eq!(cached.is_due(missed, came + after), due, "{missed} {after}");
    }
    assert!(cached.usable(came + 24 * hour - 1).is_some() && cached.usable(came + 24 * hour).is_none());
}
