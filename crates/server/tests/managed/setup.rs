//! Setting up: what an administrator is told of a provider record, and what is refused.

use serde_json::{Value, json};
use tessera_testkit::managed::{APP, CLIENT, Managed, PROVIDER, SECRET, descriptor};
use tessera_testkit::wire::{Answer, Ask, Sent};

/// The administrator's view, asked for now.
async fn seen(stage: &Managed, query: &str) -> Value {
    let answer =
        stage.cast.site.send(&Ask::get(format!("{PROVIDER}{query}")).bearer(&stage.cast.admin.token)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn with(record: &Value, member: &str, value: impl Into<Value>) -> Value {
    let mut record = record.clone();
    record[member] = value.into();
    record
}

#[tokio::test]
async fn a_wrong_secret_is_told_at_once_and_stands_until_it_is_mended() {
    let stage = Managed::with("").await;
    let record = stage.record("");
    let set = stage.set_provider(&with(&record, "client_secret", "wrong")).await.json();
    assert_eq!(set["fault"], "invalid_client");
    assert_eq!(
        set["probe"],
        "Simulator refuses the client (invalid_client): look at the client id and secret"
    );
    assert_eq!(seen(&stage, "").await["fault"], "invalid_client", "kept, without asking again");
    let begun = stage.cast.site.send(&Ask::get(connect()).bearer(&stage.cast.user.token)).await;
    assert!(begun.status >= 400, "nobody is sent to a provider that will refuse: {}", begun.status);
    assert_eq!(seen(&stage, "?check=true").await["fault"], "invalid_client");

    let set = stage.set_provider(&record).await.json();
    assert_eq!((set.get("fault"), &set["probe"]), (None, &json!("Simulator accepts the client")));
    assert!(seen(&stage, "?check=true").await.get("fault").is_none());
    stage.connect().await;
}

fn connect() -> String {
    tessera_testkit::site::flow(APP, "connect")
}

#[tokio::test]
async fn a_private_key_that_cannot_sign_is_told_like_a_wrong_secret() {
    let stage = Managed::with("").await;
    let text = descriptor(stage.provider.url(), "").replace("'basic'", "'private_key_jwt'");
    let record = json!({"descriptor": text, "client_secret": "s3cret-and-no-key"});
    let answer = stage.set_provider(&record).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let set = answer.json();
    assert_eq!(set["fault"], "client_secret_unusable");
    assert!(!set.to_string().contains("s3cret-and-no-key"), "{set}");
    assert!(set["probe"].as_str().unwrap().contains("set the client's secret again"), "{set}");
}

#[tokio::test]
async fn what_does_not_fit_is_refused_with_its_name_and_changes_nothing() {
    let stage = Managed::with("").await;
    let before = seen(&stage, "").await;
    let good = stage.record("");
    let text = good["descriptor"].as_str().unwrap().to_owned();
    let other = |record: Value| {
        with(&with(&record, "client_id", "another-client"), "client_secret", "another-secret")
    };
    let of = |text: String| other(with(&good, "descriptor", text));
    let preset = |values: Value, name: &str| other(json!({"preset": name, "values": values}));
    for (record, what) in [
        (of(format!("colour = 1\n{text}")), "colour: unknown field"),
        (of(text.replace("default = [", "separator = ', ', default = [")), "scopes.separator: "),
        (of(text.replace("'basic'", "'guess'")), "client_auth: unknown variant"),
        (of(format!("name = 'twice'\n{text}")), "line 2, column 1: "),
        (preset(json!({"subdomain": "a/b"}), "zendesk"), "subdomain: \"a/b\" must be letters"),
        (preset(json!({}), "zendesk"), "subdomain: must be filled in"),
        (preset(json!({"host": "x"}), "google"), "host: is not asked for"),
        (preset(json!({}), "gogle"), "there is no provider \"gogle\": choose one of asana, "),
        (other(json!({})), "name a preset, or bring a descriptor"),
        (other(with(&good, "preset", "google")), "not both"),
        (other(with(&good, "scope", "read")), "the provider record is not valid: unknown member \"scope\""),
        (other(with(&good, "scopes", "read")), "the provider record is not valid: "),
    ] {
        let answer = stage.set_provider(&record).await;
        assert_eq!(answer.status, 400, "{what}: {}", answer.text());
        assert!(answer.text().contains(what), "{what}: {}", answer.text());
        assert!(!answer.text().contains("another-secret"), "{}", answer.text());
    }
    assert_eq!(seen(&stage, "").await, before);
    stage.connect().await;
}

#[tokio::test]
async fn a_client_alone_is_no_record_and_a_record_alone_leaves_the_client() {
    let stage = Managed::with("").await;
    stage.connect().await;
    let token = stage.access_token().await;
    let again = json!({"descriptor": stage.record("")["descriptor"], "scopes": ["profile"]});
    let set = stage.set_provider(&again).await.json();
    assert_eq!((&set["client_id"], &set["has_client_secret"]), (&json!(CLIENT), &json!(true)));
    assert_eq!(set["asks_for"], json!(["profile"]));
    assert_eq!(stage.access_token().await, token, "nobody has to connect again for that");
}

#[tokio::test]
async fn os_50_provider_records_are_for_people_who_manage_the_system() {
    let stage = Managed::with("").await;
    let site = &stage.cast.site;
    let before = seen(&stage, "").await;
    let record = with(&stage.record(""), "client_secret", "another-secret").to_string();
    let asks = || {
        [
            Ask::get("/plugins/com.mattermost.apps/tessera/v1/providers"),
            Ask::get(PROVIDER),
            Ask::get(format!("{PROVIDER}?check=true")),
            Ask::new("PUT", PROVIDER).body(Sent::Whole(record.clone().into_bytes())),
            Ask::new("DELETE", PROVIDER),
        ]
    };
    // An App may act as an administrator, and still not do this.
    let (acting, bot) = site.tokens(&stage.cast.admin, &stage.cast.fake, APP).await;
    for (whose, token, status, text) in [
        ("the App as an administrator", acting.as_str(), 403, "not for an App's token"),
        ("the App's bot", &bot, 403, "not for an App's token"),
        ("an ordinary person", &stage.cast.user.token, 401, "permission: manage_system: unauthorized"),
        ("nobody", "", 401, ""),
    ] {
        for ask in asks() {
            let answer = site.send(&ask.clone().bearer(token)).await;
            let which = format!("{whose}: {} {}: {}", ask.method, ask.target, answer.text());
            assert_eq!(answer.status, status, "{which}");
            assert!(answer.text().contains(text), "{which}");
        }
    }
    let cookie = format!("MMAUTHTOKEN={}", stage.cast.admin.token);
    for ask in asks().into_iter().skip(3) {
        let answer = site.send(&ask.with("cookie", cookie.clone())).await;
        assert_eq!(answer.status, 401, "a cookie alone proves nothing: {}", answer.text());
    }
    assert_eq!(seen(&stage, "").await, before);
}

#[tokio::test]
async fn os_50_each_change_of_a_provider_record_is_audited_with_a_keyed_fingerprint() {
    let stage = Managed::with("").await;
    let ours = |stage: &Managed| -> Vec<(String, String)> {
        let entries = stage.cast.server.audit();
        let text = Value::from(entries.clone()).to_string();
        for secret in [SECRET, "another-secret", CLIENT, "token_url"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        let of = entries.iter().filter(|entry| entry["act"] == "provider_stored");
        of.map(|entry| {
            assert_eq!((&entry["app"], &entry["outcome"]), (&json!(APP), &json!("allowed")));
            (entry["actor"].as_str().unwrap().to_owned(), entry["detail"].as_str().unwrap().to_owned())
        })
        .collect()
    };
    let first = ours(&stage);
    let (actor, detail) = first[0].clone();
    assert_eq!((first.len(), &actor), (1, &stage.cast.admin.id));
    let (name, fingerprint) = detail.split_once(' ').unwrap();
    assert_eq!(name, "simulator");
    assert!(fingerprint.len() >= 16 && fingerprint.bytes().all(|b| b.is_ascii_hexdigit()), "{detail}");

    let record = stage.record("");
    stage.set_provider(&with(&record, "scopes", json!(["profile"]))).await;
    stage.set_provider(&with(&record, "client_secret", "another-secret")).await;
    let all = ours(&stage);
    assert_eq!(all.len(), 3);
    assert_ne!(all[1].1, detail, "another record");
    assert_eq!(all[2].1, detail, "the first again: the client is not in it");
    let removed = stage.cast.site.send(&Ask::new("DELETE", PROVIDER).bearer(&stage.cast.admin.token)).await;
    assert_eq!(removed.status, 204);
    let entries = stage.cast.server.audit();
    assert!(entries.iter().any(|entry| entry["act"] == "provider_removed"), "{entries:?}");
    let answer: Answer = stage.cast.site.send(&Ask::get(PROVIDER).bearer(&stage.cast.admin.token)).await;
    assert_eq!(answer.status, 404, "{}", answer.text());

    // Without the key nobody can tell what a fingerprint is of.
    let same = descriptor("http://127.0.0.1:1", "");
    let same = json!({"descriptor": same, "client_id": "client", "client_secret": "of-that-one"});
    let other = Managed::with("").await;
    let mut prints = Vec::new();
    for stage in [&stage, &other] {
        assert_eq!(stage.set_provider(&same).await.status, 200);
        prints.push(ours(stage).last().unwrap().1.clone());
    }
    assert_ne!(prints[0], prints[1]);
}
