//! How an App's client says who it is, over real HTTP.

use serde_json::{Value, json};
use tessera_testkit::managed::{APP, Managed, descriptor};
use tessera_testkit::site::flow;
use tessera_testkit::wire::Ask;

/// With everything in it that encodings get wrong.
const ID: &str = "cli:ent%41 ü+/";
const ODD_SECRET: &str = "s3:cr%65t-of-an-odd-client+/&=ö \u{1f511}";

/// Sets the provider so that the client says who it is this way; gives what was answered.
async fn set(stage: &Managed, how: &str, (id, secret): (&str, &str)) -> Value {
    let text = descriptor(stage.provider.url(), "").replace("client_auth = 'basic'", how);
    let record = json!({"descriptor": text, "client_id": id, "client_secret": secret});
    let answer = stage.set_provider(&record).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[tokio::test]
async fn os_19_a_client_says_who_it_is_in_one_way_that_is_not_guessed() {
    let stage = Managed::with("").await;
    let complete = format!("http://localhost:{}{}", stage.cast.site.address.port(), flow(APP, "complete"));
    stage.provider.add_client(ID, ODD_SECRET, [complete]);
    let place = |place: &str| {
        let place = serde_json::from_value(json!(place)).unwrap();
        stage.provider.change_behaviour(|behaviour| behaviour.secret_place = place);
    };
    // What the provider's own word is, where the descriptor has none.
    let by_metadata = "discovery = true";
    for (takes, how) in [
        ("basic", "client_auth = 'basic'"),
        ("body", "client_auth = 'post'"),
        ("body", by_metadata),
        ("basic", by_metadata),
    ] {
        place(takes);
        let before = stage.provider.token_requests();
        let set = set(&stage, how, (ID, ODD_SECRET)).await;
        assert_eq!(set.get("fault"), None, "{takes} {how}: {set}");
        assert_eq!(stage.provider.token_requests(), before + 1, "{takes} {how}");
        // The simulator takes a secret in one of the two places alone, never in both.
        stage.connect().await;
        assert_eq!(stage.provider.token_requests(), before + 2, "{takes} {how}");
        stage.later(3_600);
        assert!(stage.works(&stage.access_token().await).await, "{takes} {how}");
        assert_eq!(stage.provider.token_requests(), before + 3, "{takes} {how}");
        assert_eq!(stage.disconnect().await.status, 204);
        while stage.work().await > 0 {}
    }

    // The wrong way is told of, and no other one is tried: neither by the probe nor when somebody comes back.
    for (takes, how) in [("body", "client_auth = 'basic'"), ("basic", "client_auth = 'post'")] {
        place("either");
        set(&stage, how, (ID, ODD_SECRET)).await;
        let begun =
            stage.cast.site.send(&Ask::get(flow(APP, "connect")).bearer(&stage.cast.user.token)).await;
        let to = url::Url::parse(begun.header("location").unwrap()).unwrap();
        assert!(!to.as_str().contains("odd-client"), "no secret in an address: {to}");
        let back = tessera_testkit::managed::agree(&to, "ada").await;
        place(takes);
        let before = stage.provider.token_requests();
        let page = stage.come_back(&back).await;
        assert_eq!(page.status, 502, "{takes} {how}: {}", page.text());
        assert_eq!(stage.provider.token_requests(), before + 1, "{takes} {how}");
        let set = set(&stage, how, (ID, ODD_SECRET)).await;
        assert_eq!(set["fault"], "invalid_client", "{takes} {how}: {set}");
        assert_eq!(stage.provider.token_requests(), before + 2, "{takes} {how}");
    }
}

#[tokio::test]
async fn a_secret_is_not_sent_to_another_provider_than_it_was_stored_for() {
    let stage = Managed::with("").await;
    let other = Managed::provider_of(&stage.cast.server, |_| {}).await;
    let moved = json!({ "descriptor": tessera_testkit::managed::descriptor(other.url(), "") });
    let refused = stage.set_provider(&moved).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("another provider"), "{}", refused.text());
    assert_eq!(other.token_requests(), 0, "nothing was tried with it");
    stage.connect().await;
    // With the client that is registered there it may go.
    let mut with_client = stage.record("");
    with_client["descriptor"] = moved["descriptor"].clone();
    assert_eq!(stage.set_provider(&with_client).await.status, 200);
}
