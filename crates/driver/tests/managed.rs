//! Managed connections: the client and the context against the fake service.

#![expect(clippy::unwrap_used, reason = "a helper of tests that fails is a test that fails")]

use std::time::Duration;

use axum::Router;
use http::StatusCode;
use tessera_driver::test::{self, FakeService};
use tessera_driver::{
    AccessToken, Client, ClientSecret, ConnectionStatus, Error, LiveToken, OAuth2App, OAuth2ContextExt as _,
};

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

async fn managed() -> FakeService {
    let service = FakeService::start().await.unwrap();
    service.manage(HOUR);
    service
}

async fn token(client: &Client) -> String {
    client.oauth2_token(None).await.unwrap().token.unwrap().access_token.expose().to_owned()
}

#[tokio::test]
async fn a_token_is_the_same_while_it_lives_and_another_one_afterwards() {
    let service = managed().await;
    let ann = service.client_of("ann");
    let none = ann.oauth2_token(None).await.unwrap();
    assert_eq!((none.status, none.token.is_none()), (ConnectionStatus::NotConnected, true));

    service.set_connection("ann", ConnectionStatus::Connected);
    let connection = ann.oauth2_token(None).await.unwrap();
    assert_eq!(connection.status, ConnectionStatus::Connected);
    let first = connection.token.unwrap();
    assert_eq!(
        (first.account.name.as_str(), first.token_type.as_str()),
        ("somebody@provider.example", "Bearer")
    );
    assert!(!format!("{first:?}").contains("managed-token"), "{first:?}");
    assert_eq!(token(&ann).await, first.access_token.expose());

    service.pass_time(HOUR - MINUTE / 2);
    assert_ne!(token(&ann).await, first.access_token.expose());
    assert_eq!(service.issued_tokens(), 2);
    assert_eq!(
        service.client_of("bob").oauth2_token(None).await.unwrap().status,
        ConnectionStatus::NotConnected
    );
}

#[tokio::test]
async fn who_insists_gets_that_much_life_or_is_told_why_not() {
    let service = managed().await;
    service.set_connection("ann", ConnectionStatus::Connected);
    let ann = service.client_of("ann");
    service.pass_time(MINUTE);
    let first = token(&ann).await;
    // Fractions of seconds count upwards.
    let longer = ann.oauth2_token(HOUR - MINUTE + Duration::from_millis(1)).await.unwrap().token.unwrap();
    assert_ne!(longer.access_token.expose(), first);
    assert_eq!(service.requests().last().unwrap().path, "/plugins/com.mattermost.apps/api/v1/oauth2/user");

    let Error::TokenTooShort { text } = ann.oauth2_token(2 * HOUR).await.unwrap_err() else { panic!() };
    assert!(text.contains("live 3600 seconds"), "{text}");

    service.set_connection("ann", ConnectionStatus::Unavailable { retry_after: Some(MINUTE) });
    service.pass_time(HOUR / 2);
    let away = ann.oauth2_token(HOUR).await.unwrap_err();
    assert!(matches!(away, Error::TokenUnavailable { retry_after: MINUTE, .. }), "{away:?}");
    assert_eq!((away.status(), away.text().is_some()), (Some(503), true));
    // What lives serves whoever does not insist.
    assert_eq!(token(&ann).await, longer.access_token.expose());
    service.pass_time(HOUR);
    let ended = ann.oauth2_token(None).await.unwrap();
    assert_eq!(ended.status, ConnectionStatus::Unavailable { retry_after: Some(MINUTE) });
    assert!(ended.token.is_none() && !ended.status.needs_consent());
}

#[tokio::test]
async fn an_app_stores_nothing_but_a_disconnect() {
    let service = managed().await;
    service.set_connection("ann", ConnectionStatus::MissingScopes);
    let ann = service.client_of("ann");
    assert_eq!(ann.oauth2_token(None).await.unwrap().status, ConnectionStatus::MissingScopes);
    assert!(ann.store_oauth2_user(&"mine").await.unwrap_err().is_conflict());
    ann.disconnect_oauth2_user().await.unwrap();
    assert_eq!(service.ended_grants(), ["ann"]);
    assert_eq!(ann.oauth2_token(None).await.unwrap().status, ConnectionStatus::NotConnected);
}

#[tokio::test]
async fn the_context_says_how_a_connection_stands_and_where_to_mend_it() {
    let service = managed().await;
    let secret = ClientSecret::new("withheld");
    service.set_stored_app(OAuth2App { client_secret: secret, ..OAuth2App::default() });
    let oauth2 = || service.context_of("ann").oauth2;
    assert_eq!(oauth2().status(), ConnectionStatus::NotConnected);
    assert_eq!(oauth2().connect_link(), oauth2().connect_url);
    assert!(oauth2().client_secret.is_empty());

    service.set_connection("ann", ConnectionStatus::Connected);
    assert_eq!((oauth2().status(), oauth2().reconnect_url.as_str()), (ConnectionStatus::Connected, ""));
    let token: LiveToken = oauth2().user.unwrap().to().unwrap();
    assert_eq!(token.access_token.expose(), "managed-token-1");

    service.set_connection("ann", ConnectionStatus::NeedsReconnect);
    assert_eq!((oauth2().status(), oauth2().user.is_none()), (ConnectionStatus::NeedsReconnect, true));
    assert_eq!(oauth2().reconnect_url, oauth2().connect_url);

    service.set_connection("ann", ConnectionStatus::Unavailable { retry_after: None });
    service.pass_time(HOUR);
    assert_eq!(oauth2().status(), ConnectionStatus::Unavailable { retry_after: None });
}

#[tokio::test]
async fn a_connection_that_the_app_keeps_is_told_in_the_same_words() {
    let service = FakeService::start().await.unwrap();
    let ann = service.client_of("ann");
    assert_eq!(ann.oauth2_token(None).await.unwrap().status, ConnectionStatus::NotConnected);
    ann.store_oauth2_user(&serde_json::json!({"access_token": "mine", "scope": "a b"})).await.unwrap();
    let connection = ann.oauth2_token(MINUTE).await.unwrap();
    assert_eq!(connection.status, ConnectionStatus::Connected);
    let token = connection.token.unwrap();
    assert!(token.has_scope("b") && !token.has_scope("c") && token.expiry.is_none());
    assert_eq!(
        test::call("/x").service(&service).acting_user("ann").call_request().context.oauth2.status(),
        ConnectionStatus::Connected
    );
    ann.store_oauth2_user(&"no token object").await.unwrap();
    assert!(matches!(ann.oauth2_token(None).await, Err(Error::Decode(_))));
}

/// A 503 of somebody in between is no word about the token.
#[tokio::test]
async fn an_outage_of_the_site_is_not_taken_for_one_of_the_provider() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(async || (StatusCode::SERVICE_UNAVAILABLE, "down"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let error = Client::new(url, AccessToken::new("t")).oauth2_token(None).await.unwrap_err();
    assert!(matches!(error, Error::Status { status: 503, .. }), "{error:?}");
}
