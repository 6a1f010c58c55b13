//! From the authorize URL to the grant: what is asked for, what is believed, and what is kept.

use std::collections::{BTreeMap, HashSet};

use serde_json::json;
use tessera_testkit::managed::{APP, Managed, PROVIDER, agree};
use tessera_testkit::site::flow;
use tessera_testkit::wire::Ask;
use url::Url;

fn query(url: &Url) -> BTreeMap<String, String> {
    url.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn os_10_every_flow_has_a_proof_key_of_its_own_hashed_and_sealed_while_it_waits() {
    let stage = Managed::with("").await;
    let mut challenges = HashSet::new();
    for _ in 0..40 {
        let asked = query(&stage.begin().await);
        assert_eq!(asked["code_challenge_method"], "S256");
        assert_eq!(asked["code_challenge"].len(), 43);
        assert!(challenges.insert(asked["code_challenge"].clone()));
    }
    // The provider checks it, so a connect that works says that the verifier came back with the code.
    stage.connect().await;
    // Nothing of a pending one can be read in the data folder.
    let back = agree(&stage.begin().await, "ada").await;
    let text = std::fs::read(stage.cast.server.dir().join("tessera.db")).unwrap();
    assert!(!text.windows(8).any(|bytes| bytes == b"verifier"));
    assert_eq!(stage.come_back(&back).await.status, 200);
    let again = stage.come_back(&back).await;
    assert_eq!(again.status, 403, "a spent state takes its proof key with it");
}

#[tokio::test]
async fn os_11_a_provider_that_ignores_proof_keys_is_flagged_and_one_that_checks_them_is_told() {
    let stage = Managed::with("").await;
    for (switch, word) in [("pkce-ignored=true", "ignores"), ("pkce-ignored=false", "checks")] {
        stage.set(&[switch]);
        let ask = Ask::post(format!("{PROVIDER}/probe"), "").bearer(&stage.cast.admin.token);
        let lead = stage.cast.site.send(&ask).await;
        assert_eq!(lead.status, 200, "{}", lead.text());
        let back = agree(&Url::parse(lead.json()["url"].as_str().unwrap()).unwrap(), "ada").await;
        let target = format!("{}?{}", back.path(), back.query().unwrap());
        let page = stage.cast.site.send(&Ask::get(target).bearer(&stage.cast.admin.token)).await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert!(page.text().contains(word), "{}", page.text());
        let record = stage.cast.site.send(&Ask::get(PROVIDER).bearer(&stage.cast.admin.token)).await.json();
        assert!(record["notes"].to_string().contains(word), "{record}");
    }
    // Nobody was connected by it, and what it brought is given back.
    while stage.work().await > 0 {}
    assert_eq!(stage.connections().await, json!([]));
    let issued = stage.provider.issued_secrets();
    for token in issued {
        assert!(!stage.works(&token).await);
    }
    // Metadata that says nothing of it gives a note, and metadata that lists S256 keeps it on.
    let discovered = format!(
        "name = 'found'\ndisplay_name = 'Found'\nissuer = '{0}'\ndiscovery = true\nclient_auth = 'basic'\n",
        stage.provider.url()
    );
    let set =
        stage.set_provider(&json!({ "descriptor": format!("{discovered}pkce = 'unsupported'\n") })).await;
    assert_eq!(set.status, 400);
    assert!(set.text().contains("pkce"), "{}", set.text());
    assert_eq!(stage.set_provider(&json!({ "descriptor": discovered })).await.status, 200);
}

#[tokio::test]
async fn os_12_a_callback_of_another_issuer_is_refused_also_one_that_brings_an_error() {
    let stage = Managed::with("").await;
    let asked = stage.provider.token_requests();
    let with = |back: &Url, name: &str, value: Option<&str>| {
        let mut changed = back.clone();
        let kept: Vec<_> = query(back).into_iter().filter(|(key, _)| key != name).collect();
        changed.query_pairs_mut().clear().extend_pairs(kept);
        if let Some(value) = value {
            changed.query_pairs_mut().append_pair(name, value);
        }
        changed
    };
    let right = stage.provider.url().to_owned();
    for wrong in ["https://evil.example", &format!("{right}/"), &right.replace("127.0.0.1", "127.0.0.2")] {
        let back = agree(&stage.begin().await, "ada").await;
        let refused = stage.come_back(&with(&back, "iss", Some(wrong))).await;
        assert_eq!(refused.status, 403, "{wrong}: {}", refused.text());
        // The same for a refusal that somebody else brings.
        let back = stage.begin().await;
        let state = query(&back)["state"].clone();
        let mut declined = Url::parse(&query(&back)["redirect_uri"]).unwrap();
        declined.query_pairs_mut().append_pair("state", &state).append_pair("error", "access_denied");
        declined.query_pairs_mut().append_pair("iss", wrong);
        assert_eq!(stage.come_back(&declined).await.status, 403);
    }
    let back = agree(&stage.begin().await, "ada").await;
    let mut doubled = back.clone();
    doubled.query_pairs_mut().append_pair("iss", &right);
    assert_eq!(stage.come_back(&doubled).await.status, 400, "twice is once too often");
    assert_eq!(stage.come_back(&back).await.status, 200, "and nothing was spent by it");
    assert_eq!(stage.provider.token_requests(), asked + 1, "no code of a refused callback was swapped");

    // Where the metadata promises it, a missing one is refused; where it does not, it may be missing.
    let discovered = format!(
        "name = 'found'\ndisplay_name = 'Found'\nissuer = '{right}'\ndiscovery = true\nclient_auth = 'basic'\n\
         scopes = {{ default = ['profile'] }}\n"
    );
    assert_eq!(stage.set_provider(&json!({ "descriptor": discovered })).await.status, 200);
    let back = agree(&stage.begin().await, "ada").await;
    assert_eq!(stage.come_back(&with(&back, "iss", None)).await.status, 403);
    let back = agree(&stage.begin().await, "ada").await;
    assert_eq!(stage.come_back(&back).await.status, 200);
    assert_eq!(stage.set_provider(&stage.record("")).await.status, 200);
    let back = agree(&stage.begin().await, "ada").await;
    assert_eq!(stage.come_back(&with(&back, "iss", None)).await.status, 200);
}

#[tokio::test]
async fn os_07_no_redirect_of_a_managed_flow_repeats_a_request_but_that_of_the_connect_link() {
    let stage = Managed::with("").await;
    let mut browser = tessera_testkit::browser::Browser::signed_in(stage.cast.site, "user-1").await;
    let confirm = browser.open(&flow(APP, "connect"), tessera_testkit::browser::From::Nowhere).await;
    let token = tessera_testkit::browser::form_token(&confirm);
    let begun = browser.submit(&flow(APP, "connect"), &[("token", &token)]).await;
    assert_eq!(begun.status, 303, "after a form");
    let back = agree(&Url::parse(begun.header("location").unwrap()).unwrap(), "ada").await;
    let target = format!("{}?{}", back.path(), back.query().unwrap());
    let page = browser.open(&target, tessera_testkit::browser::From::Elsewhere).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let begun = browser.open(&flow(APP, "connect"), tessera_testkit::browser::From::Nowhere).await;
    assert_eq!(begun.status, 307, "the connect link alone, after a plain GET");
    assert_eq!(
        begun.header("location").unwrap().split('?').next().unwrap(),
        format!("{}/authorize", stage.provider.url())
    );
}

#[tokio::test]
async fn os_24_an_id_token_that_is_not_of_this_flow_connects_nobody() {
    let lines = "jwks_url = 'URL/jwks'\nid_token_issuer = 'URL'";
    let stage = Managed::with(&format!("{lines}\n")).await;
    // The id_token names the account, and the nonce is the flow's.
    let set = json!({
        "descriptor": stage.record(lines)["descriptor"].as_str().unwrap().replace("['profile', 'email']", "['openid', 'email']"),
    });
    assert_eq!(stage.set_provider(&set).await.status, 200);
    let asked = stage.begin().await;
    assert!(query(&asked).contains_key("nonce"));
    // Somebody changes the nonce on the way: the id_token is then another flow's.
    let mut forged = asked.clone();
    let kept: Vec<_> = query(&asked).into_iter().filter(|(key, _)| key != "nonce").collect();
    forged.query_pairs_mut().clear().extend_pairs(kept).append_pair("nonce", "another");
    let back = agree(&forged, "ada").await;
    let refused = stage.come_back(&back).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert_eq!(stage.connections().await, json!([]));
    stage.connect().await;
    assert_eq!(stage.connections().await[0]["managed"]["account_name"], "ada@simulator.example");
}

#[tokio::test]
async fn os_25_what_was_granted_counts_and_a_smaller_consent_takes_nothing_away() {
    let stage = Managed::with("").await;
    stage.set(&["fewer-scopes=email"]);
    stage.connect().await;
    let told = stage.connections().await;
    assert_eq!(told[0]["managed"]["scopes"], json!(["profile"]));
    // Scopes that say who somebody is are not missed; others are.
    let record = json!({
        "descriptor": stage.record("")["descriptor"].as_str().unwrap()
            .replace("['profile', 'email']", "['profile', 'calendar', 'files']"),
    });
    stage.set(&["fewer-scopes=files"]);
    assert_eq!(stage.set_provider(&record).await.status, 200);
    stage.connect().await;
    let answer = stage.ask("").await;
    assert_eq!(answer.header("tessera-connection"), Some("missing_scopes"), "{}", answer.text());
    assert_eq!(answer.json()["scope"], "profile calendar");
    let context = stage.cast.site.context(&stage.cast.user, &stage.cast.fake, APP).await;
    assert_eq!(context["oauth2"]["status"], "missing_scopes");
    assert!(context["oauth2"]["reconnect_url"].as_str().unwrap().ends_with("/oauth2/remote/connect"));
    // The second consent is poorer: the first one stays and works.
    let before = stage.access_token().await;
    stage.set(&["fewer-scopes=calendar,files"]);
    let page = stage.connect_as("ada").await;
    assert!(page.text().contains("stays as it was"), "{}", page.text());
    assert_eq!(stage.access_token().await, before);
    assert!(stage.works(&before).await);
    // A richer one takes its place.
    stage.provider.change_behaviour(|behaviour| behaviour.fewer_scopes = None);
    stage.connect().await;
    assert_eq!(stage.ask("").await.json()["scope"], "profile calendar files");
    assert_eq!(stage.ask("").await.header("tessera-connection"), None);
}

#[tokio::test]
async fn os_26_a_resource_that_a_descriptor_names_is_asked_for_each_time_and_its_token_is_nobody_elses() {
    let lines = "authorize_params = { resource = 'https://a.example' }\n\
                 token_params = { resource = 'https://a.example' }\nrefresh_params = { resource = 'https://a.example' }\n";
    let stage = Managed::with(lines).await;
    assert_eq!(query(&stage.begin().await)["resource"], "https://a.example");
    stage.connect().await;
    let first = stage.access_token().await;
    // Another App, with another resource at the same provider.
    let other = stage.cast.fake.manifest("other", &["remote_oauth2", "act_as_user", "act_as_bot"]);
    stage.cast.site.install(&stage.cast.admin, &other).await;
    let redirect = query(&stage.begin().await)["redirect_uri"].replace("/hello/", "/other/");
    stage.provider.add_client("another-client", "s3cret-of-hello", [redirect]);
    let mut record = stage.record(&lines.replace("a.example", "b.example"));
    record["client_id"] = "another-client".into();
    let route = PROVIDER.replace("/hello/", "/other/");
    let put =
        Ask::new("PUT", route).body(tessera_testkit::wire::Sent::Whole(record.to_string().into_bytes()));
    assert_eq!(stage.cast.site.send(&put.bearer(&stage.cast.admin.token)).await.status, 200);
    let begun =
        stage.cast.site.send(&Ask::get(flow("other", "connect")).bearer(&stage.cast.user.token)).await;
    let asked = Url::parse(begun.header("location").unwrap()).unwrap();
    assert_eq!(query(&asked)["resource"], "https://b.example");
    // The token for one is never handed out for the other.
    let (other_token, _) = stage.cast.site.tokens(&stage.cast.user, &stage.cast.fake, "other").await;
    assert_eq!(stage.ask_with("", &other_token).await.text(), "");
    stage.later(3_600);
    assert_ne!(stage.access_token().await, first);
    assert_eq!(stage.provider.refreshes(), 1);
}

#[tokio::test]
async fn os_37_a_replaced_client_asks_for_a_new_consent_and_its_old_tokens_are_sent_nowhere() {
    let stage = Managed::with("").await;
    stage.connect().await;
    let token = stage.access_token().await;
    // A new secret of the same client changes nothing.
    let mut record = stage.record("");
    record["client_secret"] = "s3cret-of-hello".into();
    assert_eq!(stage.set_provider(&record).await.status, 200);
    assert_eq!(stage.access_token().await, token);
    // Another client does.
    let requests = stage.provider.token_requests();
    record["client_id"] = "quite-another".into();
    assert_eq!(stage.set_provider(&record).await.status, 200);
    let asked_by_probe = stage.provider.token_requests() - requests;
    let answer = stage.ask("").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, ""));
    assert_eq!(answer.header("tessera-connection"), Some("needs_reconnect"));
    assert_eq!(stage.connections().await[0]["managed"]["code"], "client_changed");
    stage.later(3_600);
    for _ in 0..50 {
        assert_eq!(stage.ask("").await.text(), "");
    }
    while stage.work().await > 0 {}
    assert_eq!(stage.provider.token_requests(), requests + asked_by_probe, "nothing was asked for with it");
    // The right client again, and a new consent: all is well.
    assert_eq!(stage.set_provider(&stage.record("")).await.status, 200);
    stage.connect().await;
    assert!(stage.works(&stage.access_token().await).await);
    // Endpoints count as well.
    let moved = stage.record("refresh_url = 'http://localhost:9/token'\n");
    assert_eq!(stage.set_provider(&moved).await.status, 200);
    assert_eq!(stage.ask("").await.header("tessera-connection"), Some("needs_reconnect"));
}
