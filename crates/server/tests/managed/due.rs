//! What the service does by itself when it is time, and what it leaves alone.

use serde_json::json;
use tessera_testkit::managed::{CLIENT, Managed, SECRET};
use tessera_testkit::site::flow;

/// Seconds that the simulator's tokens live.
const LIFE: i64 = 3_600;

#[tokio::test]
async fn a_token_that_is_used_is_renewed_before_anybody_needs_it_and_one_that_is_not_is_left() {
    let stage = Managed::with("").await;
    stage.connect().await;
    // Nobody used it since it was given but the App that was greeted: that counts.
    let first = stage.access_token().await;
    while stage.work().await > 0 {}
    stage.later(LIFE / 2);
    assert_eq!(stage.work().await, 0, "half of its life is left");
    stage.later(LIFE / 2 - 300);
    assert!(stage.work().await > 0);
    assert_eq!(stage.provider.refreshes(), 1);
    let second = stage.access_token().await;
    assert_ne!(second, first);
    assert_eq!(stage.provider.refreshes(), 1, "who reads does not wait");

    // From now on nobody reads: one more renewal for the last use, and then none.
    for _ in 0..20 {
        stage.later(LIFE / 2);
        while stage.work().await > 0 {}
    }
    assert_eq!(stage.provider.refreshes(), 2);
    assert_ne!(stage.access_token().await, second, "and who comes back gets a fresh one all the same");
    assert_eq!(stage.provider.refreshes(), 3);
}

#[tokio::test]
async fn a_refresh_token_that_would_end_unused_is_kept_alive_once_before_it_does() {
    let mut stage = Managed::with("[refresh]\nrotation = 'always'\nidle_days = 10\n").await;
    stage.set(&["idle-death=864000"]);
    stage.connect().await;
    let used = stage.access_token().await;
    let mut asked = Vec::new();
    for day in 0..40 {
        let before = stage.provider.refreshes();
        stage.later(86_400);
        while stage.work().await > 0 {}
        asked.extend((stage.provider.refreshes() > before).then_some(day));
    }
    assert!((4..=8).contains(&asked.len()), "{asked:?}");
    // The person's own session has ended meanwhile.
    stage.cast.user = stage.cast.site.sign_in("user-1").await;
    assert_ne!(stage.access_token().await, used, "forty days later it lives");
    assert!(stage.works(&stage.access_token().await).await);
}

#[tokio::test]
async fn os_33_trouble_at_the_provider_ends_no_grant_and_is_not_met_with_more_requests() {
    let stage = Managed::with("").await;
    stage.connect().await;
    let first = stage.access_token().await;
    // Too many, says the provider: it is left alone as long as it asks, and the old token serves as long as it lives.
    stage.later(LIFE - 50);
    stage.set(&["rate-limited=40"]);
    let before = stage.provider.token_requests();
    for _ in 0..20 {
        assert_eq!(stage.access_token().await, first);
    }
    assert_eq!(stage.provider.token_requests(), before + 1);
    // Who insists on more is told when to come back.
    let insisted = stage.ask("?min_ttl=600").await;
    assert_eq!(insisted.status, 503, "{}", insisted.text());
    let wait: i64 = insisted.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=41).contains(&wait), "{wait}");
    assert_eq!(stage.provider.token_requests(), before + 1);

    // A page of HTML from a gateway, again and again, beyond the token's end: nobody gets an ended one.
    stage.provider.change_behaviour(|behaviour| behaviour.set_json(&json!({"rate-limited": null})).unwrap());
    stage.set(&["html-502=true"]);
    stage.later(60);
    let ended = stage.ask("").await;
    assert_eq!(ended.status, 503, "{}", ended.text());
    let mut asked = stage.provider.token_requests();
    for _ in 0..12 {
        stage.later(60);
        stage.ask("").await;
        while stage.work().await > 0 {}
    }
    asked = stage.provider.token_requests() - asked;
    assert!(asked <= 12, "{asked} requests in twelve minutes");
    assert_eq!(stage.connections().await[0]["managed"]["status"], "unavailable");

    // And then all is well again, without anybody's doing.
    stage.set(&["html-502=false"]);
    stage.later(600);
    while stage.work().await > 0 {}
    assert!(stage.works(&stage.access_token().await).await);
    assert_eq!(stage.connections().await[0]["managed"]["status"], "connected");
}

#[tokio::test]
async fn a_refused_client_stops_all_its_grants_and_loses_none() {
    let stage = Managed::with("").await;
    stage.connect().await;
    let first = stage.access_token().await;
    // Somebody changed the secret at the provider.
    let complete =
        format!("http://localhost:{}{}", stage.cast.site.address.port(), flow("hello", "complete"));
    stage.provider.add_client(CLIENT, "renewed-there", [complete.clone()]);
    stage.later(LIFE);
    let before = stage.provider.token_requests();
    for _ in 0..20 {
        let answer = stage.ask("").await;
        assert_eq!(answer.status, 503, "{}", answer.text());
    }
    while stage.work().await > 0 {}
    assert_eq!(stage.provider.token_requests(), before + 1, "asked once for everybody");
    let route = tessera_testkit::managed::PROVIDER;
    let ask = tessera_testkit::wire::Ask::get(route).bearer(&stage.cast.admin.token);
    assert_eq!(stage.cast.site.send(&ask).await.json()["fault"], "invalid_client");
    // The right secret again: what waited goes on by itself.
    let mut record = stage.record("");
    record["client_secret"] = "renewed-there".into();
    let set = stage.set_provider(&record).await.json();
    assert!(set["probe"].as_str().unwrap().contains("accepts"), "{set}");
    while stage.work().await > 0 {}
    let renewed = stage.access_token().await;
    assert_ne!(renewed, first);
    assert!(stage.works(&renewed).await);
    assert_ne!("renewed-there", SECRET);
}

#[tokio::test]
async fn grants_of_one_moment_are_not_renewed_in_one() {
    let stage = Managed::with("").await;
    // Many people connect within the same second of the clock.
    let mut dues = std::collections::BTreeSet::new();
    for _ in 0..12 {
        stage.connect().await;
        let managed = stage.connections().await[0]["managed"].clone();
        dues.insert(managed["next_refresh_at"].as_i64().unwrap());
        // Another consent of the same person stands for another person's: it is another grant with another number.
        stage.later(1);
    }
    let spread: Vec<i64> = dues.iter().copied().collect();
    let apart: std::collections::BTreeSet<i64> = spread.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(apart.len() > 6, "each is due by a chance of its own: {spread:?}");
}
