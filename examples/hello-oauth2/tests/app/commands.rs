//! The commands, one by one.

use axum::http::StatusCode;
use serde_json::json;

use crate::common::{ANN, CLIENT_ID, CLIENT_SECRET, ROOT, World};

const BOB: &str = "bob";

#[tokio::test]
async fn configure_stores_the_credentials_and_prints_the_redirect_uri() {
    let world = World::start().await;
    let values = [("client_id", " hello-client "), ("client_secret", CLIENT_SECRET)];
    let response = world.call(ROOT, "/configure", &values).await;
    assert_eq!(response.kind.as_str(), "ok", "{}", response.text);
    let complete = format!(
        "{}/plugins/com.mattermost.apps/apps/hello-oauth2/oauth2/remote/complete",
        world.service.site_url()
    );
    assert!(response.text.contains(&complete), "{}", response.text);
    assert!(!response.text.contains(CLIENT_SECRET));
    let stored = world.service.stored_app();
    assert_eq!(stored.client_id, CLIENT_ID);
    assert_eq!(stored.client_secret.expose(), CLIENT_SECRET);
}

#[tokio::test]
async fn configure_is_for_administrators_and_needs_both_values() {
    let world = World::start().await;
    let refused = world.call(ANN, "/configure", &[("client_id", "a"), ("client_secret", "b")]).await;
    assert_eq!(refused.kind.as_str(), "error");
    assert_eq!(refused.text, "only a system administrator can configure this App");

    let half = world.call(ROOT, "/configure", &[("client_id", "a"), ("client_secret", "  ")]).await;
    assert_eq!(half.kind.as_str(), "error");
    let errors: serde_json::Value = serde_json::from_slice(half.data.unwrap().get().as_bytes()).unwrap();
    assert_eq!(errors, json!({"errors": {"client_secret": "is needed"}}));
    assert_eq!(world.service.stored_app().client_id, "");
}

#[tokio::test]
async fn connect_gives_the_link_or_says_that_it_is_not_configured() {
    let world = World::start().await;
    let response = world.call(ANN, "/connect", &[]).await;
    assert_eq!(response.kind.as_str(), "error");
    assert!(response.text.contains("not configured"), "{}", response.text);
    let response = world.call(ANN, "/oauth2/connect", &[("state", "x")]).await;
    assert!(response.text.contains("not configured"), "{}", response.text);

    let world = World::configured().await;
    let response = world.call(ANN, "/connect", &[]).await;
    assert_eq!(response.kind.as_str(), "ok");
    assert!(response.text.contains("/apps/hello-oauth2/oauth2/remote/connect)"), "{}", response.text);
}

#[tokio::test]
async fn the_whole_way_connect_send_disconnect() {
    let world = World::configured().await;
    world.provider.expires_in(3600);
    world.connect(ANN).await;

    let stored = world.service.stored_user(ANN).unwrap();
    assert!(stored["access_token"].as_str().unwrap().starts_with("at-"));
    assert!(stored["refresh_token"].as_str().unwrap().starts_with("rt-"));
    assert_ne!(stored["expiry"], "0001-01-01T00:00:00Z");

    let response = world.call(ANN, "/send", &[]).await;
    assert_eq!(response.text, "Hello from Testing! Your calendars:\n* Work\n* \\*Home\\*");

    let response = world.call(BOB, "/send", &[]).await;
    assert_eq!(response.kind.as_str(), "error");
    assert!(response.text.contains("not connected") && response.text.contains("`/hello-oauth2 connect`"));

    assert_eq!(world.call(ANN, "/disconnect", &[]).await.text, "Disconnected your account.");
    assert_eq!(world.service.stored_user(ANN), Some(serde_json::Value::Null));
    assert!(world.call(ANN, "/send", &[]).await.text.contains("not connected"));
    assert_eq!(world.call(ANN, "/disconnect", &[]).await.text, "You were not connected.");
}

#[tokio::test]
async fn the_authorization_url_has_what_the_provider_needs() {
    let world = World::configured().await;
    let url = url::Url::parse(&world.authorize_url(ANN, "abc.ann").await).unwrap();
    let query: std::collections::HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(query["state"], "abc.ann");
    assert!(query["redirect_uri"].ends_with("/apps/hello-oauth2/oauth2/remote/complete"));
    assert_eq!(query["scope"].split(' ').count(), 3);
    assert_eq!(query["access_type"], "offline");
    assert!(!url.as_str().contains("s3cr3t"), "the client secret is not for the browser");
}

#[tokio::test]
async fn a_code_brought_back_under_another_state_is_refused() {
    let world = World::configured().await;
    let code = world.provider.consent(&world.authorize_url(ANN, "state-of-ann").await);
    let response = world.call(BOB, "/oauth2/complete", &[("code", &code), ("state", "state-of-bob")]).await;
    assert_eq!(response.kind.as_str(), "error");
    assert!(response.text.contains("invalid_grant"), "{}", response.text);
    assert_eq!(world.service.stored_user(BOB), None);
}

#[tokio::test]
async fn an_error_from_the_provider_is_told_plainly() {
    let world = World::configured().await;
    let values =
        [("error", "access_denied"), ("error_description", "[you](http://evil) said <b>no"), ("state", "x")];
    let response = world.call(ANN, "/oauth2/complete", &values).await;
    assert_eq!(response.kind.as_str(), "error");
    assert_eq!(response.text, "Testing refused: `access_denied`: youhttp://evil said bno");
    assert!(world.provider.token_requests().is_empty());

    let response = world.call(ANN, "/oauth2/complete", &[("state", "x")]).await;
    assert_eq!((response.kind.as_str(), response.text.as_str()), ("error", "the call has no code"));
}

#[tokio::test]
async fn an_expired_token_is_refreshed_once_and_stored() {
    let world = World::configured().await;
    world.provider.expires_in(1);
    world.connect(ANN).await;
    let old = world.service.stored_user(ANN).unwrap();

    world.provider.expires_in(3600);
    let response = world.call(ANN, "/send", &[]).await;
    assert!(response.text.contains("Work"), "{}", response.text);
    let new = world.service.stored_user(ANN).unwrap();
    assert_ne!(old["access_token"], new["access_token"]);
    assert_ne!(old["refresh_token"], new["refresh_token"]);

    world.call(ANN, "/send", &[]).await;
    let refreshes =
        world.provider.token_requests().iter().filter(|form| form["grant_type"] == "refresh_token").count();
    assert_eq!(refreshes, 1);
}

#[tokio::test]
async fn a_refresh_that_another_call_won_uses_what_that_one_stored() {
    let world = World::configured().await;
    world.provider.expires_in(1);
    world.connect(ANN).await;
    // The context of this call still has the old token; meanwhile another one refreshed it.
    let late = tessera_driver::test::call("/send").service(&world.service).acting_user(ANN);
    let old = world.service.stored_user(ANN).unwrap();
    world.provider.expires_in(3600);
    world.call(ANN, "/send", &[]).await;

    let app = hello_oauth2::app(world.settings.clone()).unwrap();
    let response = late.oauth2_user(&old).send(app.into_router()).await.unwrap();
    assert!(response.text.contains("Work"), "{}", response.text);
}

#[tokio::test]
async fn a_revoked_token_asks_to_connect_again() {
    let world = World::configured().await;
    world.connect(ANN).await;
    world.provider.revoke_all();
    let response = world.call(ANN, "/send", &[]).await;
    assert_eq!(response.kind.as_str(), "error");
    assert!(response.text.contains("`/hello-oauth2 connect` to connect again"), "{}", response.text);

    // The same where the refresh token is not accepted any more.
    world.provider.expires_in(1);
    world.connect(ANN).await;
    world.provider.revoke_all();
    let response = world.call(ANN, "/send", &[]).await;
    assert!(response.text.contains("`/hello-oauth2 connect` to connect again"), "{}", response.text);
}

#[tokio::test]
async fn a_provider_that_fails_is_an_error_response_without_its_words() {
    let world = World::configured().await;
    world.connect(ANN).await;
    world.provider.calendars(StatusCode::INTERNAL_SERVER_ERROR, json!({"secret": "canary"}));
    let response = world.call(ANN, "/send", &[]).await;
    assert_eq!(response.text, "Testing could not be asked: it answered with status 500");
    world.provider.calendars(StatusCode::OK, json!("canary"));
    let response = world.call(ANN, "/send", &[]).await;
    assert_eq!(response.text, "Testing could not be asked: its answer is not a list of calendars");
}

#[tokio::test]
async fn a_record_of_another_shape_asks_to_connect_again() {
    let world = World::configured().await;
    world.service.set_stored_user(ANN, &json!({"token": "xxxxxxxxxxxx"})).unwrap();
    let response = world.call(ANN, "/send", &[]).await;
    assert_eq!(response.kind.as_str(), "error");
    assert!(response.text.contains("cannot be read as a token"), "{}", response.text);
}

#[tokio::test]
async fn a_connection_that_the_server_manages_is_greeted_and_used_as_it_is() {
    let world = World::start().await;
    // No client secret and no code reach the App, and the record has no refresh token.
    let client_id = CLIENT_ID.to_owned();
    world.service.set_stored_app(tessera_driver::OAuth2App { client_id, ..Default::default() });
    assert!(world.call(ANN, "/oauth2/complete", &[("state", "x")]).await.is_error());
    world
        .service
        .set_stored_user(ANN, &json!({"access_token": "at-0", "expiry": "2999-01-01T00:00:00Z"}))
        .unwrap();
    let response = world.call(ANN, "/oauth2/complete", &[("state", "x")]).await;
    assert_eq!(response.text, "Your account with Testing is connected.");
    world.provider.calendars(StatusCode::OK, json!({"items": []}));
    assert_eq!(world.call(ANN, "/send", &[]).await.text, "Hello from Testing! You have no calendars.");
    assert!(world.provider.token_requests().is_empty());
}

#[tokio::test]
async fn a_redirecting_token_endpoint_is_not_followed() {
    let mut world = World::configured().await;
    world.settings.provider.token_url = format!("{}/moved", world.provider.url).parse().unwrap();
    let code = world.provider.consent(&world.authorize_url(ANN, "s").await);
    let response = world.call(ANN, "/oauth2/complete", &[("code", &code), ("state", "s")]).await;
    assert_eq!(response.kind.as_str(), "error");
    assert!(world.provider.token_requests().is_empty());
}

#[tokio::test]
async fn client_auth_form_puts_the_credentials_into_the_form() {
    let mut world = World::configured().await;
    world.settings.provider.client_auth = hello_oauth2::ClientAuth::Form;
    world.connect(ANN).await;
    assert_eq!(world.provider.token_requests()[0]["client_secret"], CLIENT_SECRET);
}
