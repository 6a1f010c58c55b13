//! The App with the driver's fake service on one side, and a list of calendars on the other.

#![expect(clippy::unwrap_used, reason = "a helper of tests that fails is a test that fails")]

use std::time::Duration;

use hello_managed::{APP_ID, app};
use tessera_driver::axum::Router;
use tessera_driver::axum::http::{HeaderMap, StatusCode, header};
use tessera_driver::test::{self, FakeService};
use tessera_driver::{CallResponse, ConnectionStatus};
use tokio::net::TcpListener;

const HOUR: Duration = Duration::from_secs(3600);

/// Calendars for whoever has this token.
async fn calendars_of(token: &'static str) -> String {
    let list = r#"{"items": [{"summary": "Analytical Engine"}, {"summary": "[a](b)"}]}"#;
    let router = Router::new().fallback(async move |headers: HeaderMap| {
        match headers.get(header::AUTHORIZATION).is_some_and(|given| *given == format!("Bearer {token}")) {
            true => (StatusCode::OK, list),
            false => (StatusCode::UNAUTHORIZED, "who are you?"),
        }
    });
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { tessera_driver::axum::serve(listener, router).await });
    url
}

struct World {
    service: FakeService,
    calendars: String,
}

impl World {
    async fn with(token: &'static str) -> Self {
        let service = FakeService::start_for(APP_ID, "").await.unwrap();
        service.manage(HOUR);
        Self { service, calendars: calendars_of(token).await }
    }

    async fn call(&self, path: &str) -> CallResponse {
        let app = app("http://127.0.0.1:1", self.calendars.parse().unwrap());
        test::call(path).service(&self.service).acting_user("ann").send(app.into_router()).await.unwrap()
    }
}

#[tokio::test]
async fn a_token_that_ended_is_another_one_by_the_next_send() {
    let world = World::with("managed-token-2").await;
    world.service.set_connection("ann", ConnectionStatus::Connected);
    let refused = world.call("/send").await;
    assert!(refused.is_error() && refused.text.contains("401"), "{}", refused.text);
    world.service.pass_time(HOUR);
    let sent = world.call("/send").await;
    assert!(!sent.is_error(), "{}", sent.text);
    assert!(sent.text.contains("\n* Analytical Engine\n* \\[a\\](b)"), "{}", sent.text);
}

#[tokio::test]
async fn who_must_go_to_the_provider_gets_a_link_and_who_must_wait_does_not() {
    let world = World::with("").await;
    let link = world.service.context_of("ann").oauth2.connect_url;
    assert_eq!(world.call("/connect").await.text, format!("[Connect your account]({link})."));
    for (status, words, with_link) in [
        (ConnectionStatus::NotConnected, "You are not connected", true),
        (ConnectionStatus::NeedsReconnect, "Your connection has ended", true),
        (ConnectionStatus::Unavailable { retry_after: None }, "Please try again in a moment", false),
    ] {
        world.service.set_connection("ann", status);
        world.service.pass_time(HOUR);
        let told = world.call("/send").await;
        assert!(told.is_error() && told.text.starts_with(words), "{}", told.text);
        assert_eq!(told.text.contains(&link), with_link, "{}", told.text);
    }
}

#[tokio::test]
async fn disconnect_ends_the_grant() {
    let world = World::with("").await;
    world.service.set_connection("ann", ConnectionStatus::Connected);
    assert_eq!(world.call("/disconnect").await.text, "Disconnected your account.");
    assert_eq!(world.service.ended_grants(), ["ann"]);
}
