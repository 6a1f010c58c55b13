//! The whole way, from the provider record to the end of a grant.

use std::sync::Arc;

use serde_json::Value;
use tessera_simulator::Counted;
use tessera_testkit::managed::{APP, Managed};
use tessera_testkit::wire::Ask;

#[tokio::test]
async fn a_token_is_given_refreshed_when_it_ends_and_taken_back() {
    let stage = Managed::with("").await;
    stage.connect().await;

    let record = stage.ask("").await;
    assert_eq!(record.status, 200);
    let record = record.json();
    let first = record["access_token"].as_str().unwrap().to_owned();
    assert!(stage.works(&first).await);
    assert_eq!(record["token_type"], "Bearer");
    assert!(record["expiry"].as_str().unwrap().ends_with('Z'), "{record}");
    assert_eq!(record["account"]["name"], "ada@simulator.example");
    assert!(record.get("refresh_token").is_none(), "{record}");
    assert_eq!(stage.access_token().await, first, "one that lives is given again");

    // The App was told afterwards: with the record, without the code.
    let greeted = stage.cast.fake.calls_to("/oauth2/complete");
    let greeted = greeted.last().unwrap().json();
    assert_eq!(greeted["context"]["oauth2"]["user"]["access_token"], first.as_str());
    assert_eq!(greeted["context"]["oauth2"]["status"], "connected");
    assert!(greeted["values"].get("code").is_none(), "{greeted}");

    let refreshes = stage.provider.refreshes();
    stage.later(3_600);
    assert!(!stage.works(&first).await);
    let second = stage.access_token().await;
    assert_ne!(second, first);
    assert!(stage.works(&second).await);
    assert_eq!(stage.provider.refreshes(), refreshes + 1);

    let listed = stage.connections().await;
    assert_eq!(listed[0]["managed"]["account_name"], "ada@simulator.example");
    assert_eq!(listed[0]["managed"]["status"], "connected");

    assert_eq!(stage.disconnect().await.status, 204);
    assert_eq!(stage.ask("").await.text(), "");
    stage.work().await;
    assert!(!stage.works(&second).await, "ended at the provider as well");
    assert_eq!(stage.connections().await, Value::Array(Vec::new()));
}

#[tokio::test]
async fn os_49_a_managed_app_gets_neither_client_secret_nor_refresh_token() {
    let stage = Managed::with("").await;
    stage.connect().await;
    let context = stage.cast.site.context(&stage.cast.user, &stage.cast.fake, APP).await;
    let oauth2 = &context["oauth2"];
    assert_eq!(oauth2["client_id"], "hello-client");
    assert!(oauth2.get("client_secret").is_none(), "{oauth2}");
    assert!(oauth2["user"]["access_token"].is_string());
    let text = oauth2.to_string();
    for secret in stage.provider.issued_secrets() {
        let is_current = oauth2["user"]["access_token"] == secret.as_str();
        assert!(is_current || !text.contains(&secret), "{text}");
    }
}

#[tokio::test]
async fn a_managed_app_stores_nothing_but_a_disconnect() {
    let stage = Managed::with("").await;
    let route = "/plugins/com.mattermost.apps/api/v1/oauth2/user";
    let token = stage.token().await;
    let store = async |body: &str| stage.cast.site.send(&Ask::post(route, body).bearer(&token)).await;
    assert_eq!(store(r#"{"access_token":"mine"}"#).await.status, 409);
    stage.connect().await;
    let given = stage.access_token().await;
    let refused = store(r#"{"access_token":"mine"}"#).await;
    assert_eq!(refused.status, 409);
    assert!(refused.text().contains("managed"), "{}", refused.text());
    assert_eq!(stage.access_token().await, given);
    assert_eq!(store("null").await.status, 200);
    assert_eq!(stage.ask("").await.text(), "");
    stage.work().await;
    assert!(!stage.works(&given).await);
}

#[tokio::test]
async fn an_orderly_stop_waits_for_a_refresh_that_is_under_way() {
    let mut stage = Managed::with("").await;
    stage.connect().await;
    stage.access_token().await;
    // Begun by the service itself, so that no reader keeps it from stopping.
    let refreshes = stage.provider.refreshes();
    stage.provider.change_behaviour(|switches| switches.delayed_reply = Counted::times(1_500, 1));
    stage.later(3_300);
    let grants = Arc::clone(&stage.cast.server.grants);
    let working = tokio::spawn(async move { grants.work_once().await });
    while stage.provider.refreshes() == refreshes {
        tokio::task::yield_now().await;
    }
    working.abort();
    stage.cast.server.stop().await.unwrap();
    // What is in the log before a reply is stored is there once one came.
    let stored =
        stage.cast.server.audit().iter().filter(|entry| entry["act"] == "connection_refreshed").count();
    assert_eq!(stored, 1);
}

#[tokio::test]
async fn how_long_a_token_must_live_is_said_in_the_query_or_in_a_header() {
    let stage = Managed::with("").await;
    stage.connect().await;
    let token = stage.token().await;
    let refreshes = stage.provider.refreshes();
    let ask = async |query: &str, header: &str| {
        let target = format!("/plugins/com.mattermost.apps/api/v1/oauth2/user{query}");
        let ask = Ask::get(target).bearer(&token);
        let ask = if header.is_empty() { ask } else { ask.with("Tessera-Min-TTL", header) };
        stage.cast.site.send(&ask).await
    };
    for (query, header) in
        [("?min_ttl=x", ""), ("?min_ttl=-1", ""), ("", "soon"), ("?min_ttl=300", "31622401")]
    {
        let answer = ask(query, header).await;
        assert_eq!(answer.status, 400, "{query} {header}: {}", answer.text());
        assert!(answer.text().starts_with("min_ttl must be a whole number of seconds"), "{}", answer.text());
    }
    assert_eq!(ask("?min_ttl=7200", "").await.status, 422);
    assert_eq!(ask("", "7200").await.status, 422);
    // The query wins.
    assert_eq!(ask("?min_ttl=300", "7200").await.status, 200);
    assert_eq!(stage.provider.refreshes(), refreshes, "there was enough of it each time");
    stage.later(3_000);
    assert_eq!(stage.ask("?min_ttl=1200").await.status, 200);
    assert_eq!(stage.provider.refreshes(), refreshes + 1);
}

#[tokio::test]
async fn an_app_that_moves_to_the_service_and_back_keeps_what_its_people_have_until_they_connect_again() {
    let stage = Managed::with("").await;
    let admin = &stage.cast.admin.token;
    let remove = || Ask::new("DELETE", tessera_testkit::managed::PROVIDER).bearer(admin);
    assert_eq!(stage.cast.site.send(&remove()).await.status, 204);
    // The App's own way: its record is what it stored.
    stage
        .cast
        .site
        .store(&stage.token().await, r#"{"access_token":"its-own","refresh_token":"its-own-too"}"#)
        .await;
    assert_eq!(stage.set_provider(&stage.record("")).await.status, 200);
    assert_eq!(stage.access_token().await, "its-own");
    // It goes on refreshing what it has: that must not be lost.
    stage
        .cast
        .site
        .store(&stage.token().await, r#"{"access_token":"renewed","refresh_token":"once-more"}"#)
        .await;
    assert_eq!(stage.access_token().await, "renewed");
    assert!(stage.connections().await[0].get("managed").is_none());
    stage.connect().await;
    let kept = stage.access_token().await;
    assert!(stage.works(&kept).await);
    // And back: what the service keeps serves as long as it lives, and what the App stores then is its own again.
    assert_eq!(stage.cast.site.send(&remove()).await.status, 204);
    assert_eq!(stage.access_token().await, kept);
    stage.cast.site.store(&stage.token().await, r#"{"access_token":"its-own-again"}"#).await;
    assert_eq!(stage.access_token().await, "its-own-again");
    assert!(stage.connections().await[0].get("managed").is_none());
}
