//! The App alone: the driver's fake of the server on one side, a provider of a few lines on the other.

use tessera_driver::axum::Router;
use tessera_driver::axum::routing::{get, post};
use tessera_driver::test::{self, FakeService};
use tessera_driver::{CallResponse, ClientSecret, OAuth2App};

/// A provider that gives everybody the same token, and its address.
async fn provider() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    let about = serde_json::json!({
        "issuer": root,
        "authorization_endpoint": format!("{root}/authorize"),
        "token_endpoint": format!("{root}/token"),
        "userinfo_endpoint": format!("{root}/userinfo"),
    });
    let about = about.to_string();
    let routes = Router::new()
        .route("/.well-known/openid-configuration", get(async move || about))
        .route("/token", post(async || r#"{"access_token": "at", "token_type": "Bearer"}"#))
        .route("/userinfo", get(async || r#"{"sub": "1", "name": "Ada"}"#));
    tokio::spawn(async move { tessera_driver::axum::serve(listener, routes).await });
    root
}

/// A call by Ann, as the server makes it.
async fn call(service: &FakeService, path: &str, values: &[(&str, &str)]) -> CallResponse {
    let mut call = test::call(path).service(service).acting_user("ann");
    for (name, value) in values {
        call = call.value(name, value);
    }
    call.send(super::app("http://127.0.0.1").into_router()).await.unwrap()
}

#[tokio::test]
async fn an_account_is_connected_used_and_forgotten() {
    let service = FakeService::start_for(super::APP_ID, "").await.unwrap();
    service.set_stored_app(OAuth2App {
        client_id: "id".into(),
        client_secret: ClientSecret::new("secret"),
        remote_root_url: provider().await,
        ..OAuth2App::default()
    });
    assert!(call(&service, "/me", &[]).await.text.starts_with("You are not connected"));

    let url = call(&service, "/oauth2/connect", &[("state", "the-state")]).await.data.unwrap();
    assert!(url.get().contains("state=the-state"), "{}", url.get());
    let done = call(&service, "/oauth2/complete", &[("code", "c"), ("state", "the-state")]).await;
    assert_eq!(done.kind.as_str(), "ok", "{}", done.text);
    assert_eq!(service.stored_user("ann").unwrap()["access_token"], "at");

    assert_eq!(call(&service, "/me", &[]).await.text, "At the provider you are `Ada`.");
    assert_eq!(call(&service, "/disconnect", &[]).await.text, "Your account is forgotten.");
    assert!(call(&service, "/me", &[]).await.text.starts_with("You are not connected"));
}

#[tokio::test]
async fn a_person_who_says_no_is_told_so() {
    let service = FakeService::start_for(super::APP_ID, "").await.unwrap();
    let told = call(&service, "/oauth2/complete", &[("error", "access_denied")]).await;
    assert_eq!(told.text, "the provider refused: access_denied");
}
