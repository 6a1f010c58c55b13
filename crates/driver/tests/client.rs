//! The client against the fake service, and against servers that behave badly.

#![expect(clippy::unwrap_used, reason = "a helper of tests that fails is a test that fails")]

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use http::StatusCode;
use serde_json::json;
use tessera_driver::oauth2::OAuth2Token;
use tessera_driver::test::FakeService;
use tessera_driver::{
    AccessToken, CallRequest, CallResponse, Client, ClientSecret, Context, DeployType, Error, Manifest,
    OAuth2App, Post, Stored, UpdateAppListing, manifest,
};
use tokio::net::TcpListener;

const CANARY: &str = "canary-token-0123456789abcdef";

/// A server with one answer to everything.
async fn server(router: Router) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

fn client(site_url: &str) -> Client {
    Client::new(site_url, AccessToken::new(CANARY))
}

#[tokio::test]
async fn a_users_record_is_nothing_then_a_value_then_null() {
    let service = FakeService::start().await.unwrap();
    let ann = service.client_of("ann");
    assert!(matches!(ann.oauth2_user_record().await.unwrap(), Stored::Nothing));
    assert!(ann.get_oauth2_user::<OAuth2Token>().await.unwrap().is_none());

    let token = OAuth2Token::new(AccessToken::new("at-1"));
    ann.store_oauth2_user(&token.expose()).await.unwrap();
    let stored = ann.get_oauth2_user::<OAuth2Token>().await.unwrap().unwrap();
    assert_eq!(stored.access_token.expose(), "at-1");
    let Stored::Value(raw) = ann.oauth2_user_record().await.unwrap() else { panic!("a value is stored") };
    assert_eq!(raw.get(), r#"{"access_token":"at-1","token_type":"Bearer","expiry":"0001-01-01T00:00:00Z"}"#);
    assert!(matches!(service.client_of("bob").oauth2_user_record().await.unwrap(), Stored::Nothing));

    ann.disconnect_oauth2_user().await.unwrap();
    assert!(matches!(ann.oauth2_user_record().await.unwrap(), Stored::Null));
    assert!(ann.get_oauth2_user::<OAuth2Token>().await.unwrap().is_none());
}

#[tokio::test]
async fn a_falsy_value_is_a_value() {
    let service = FakeService::start().await.unwrap();
    let ann = service.client_of("ann");
    for value in [json!(false), json!(0), json!(""), json!({}), json!([])] {
        ann.store_oauth2_user(&value).await.unwrap();
        assert_eq!(ann.get_oauth2_user::<serde_json::Value>().await.unwrap(), Some(value));
    }
}

#[tokio::test]
async fn the_app_record_is_stored_by_an_administrator_and_by_the_bot() {
    let service = FakeService::start().await.unwrap();
    let app = OAuth2App {
        client_id: "id".into(),
        client_secret: ClientSecret::new("s3cr3t&<1>"),
        ..OAuth2App::default()
    };
    let refused = service.client_of("ann").store_oauth2_app(&app).await.unwrap_err();
    assert!(refused.is_unauthorized());
    assert_eq!(
        refused.text(),
        Some("access to this operation is limited to users with permission: manage_system: unauthorized")
    );
    assert!(service.stored_app().is_empty());

    service.make_admin("root");
    Client::as_acting_user(&service.context_of("root")).store_oauth2_app(&app).await.unwrap();
    assert_eq!(service.stored_app().client_secret.expose(), "s3cr3t&<1>");
    Client::as_bot(&service.context_of("ann")).store_oauth2_app(&OAuth2App::default()).await.unwrap();
    assert!(service.stored_app().is_empty());
}

#[tokio::test]
async fn a_site_below_a_path_is_reached() {
    let service = FakeService::start_for("test-app", "/chat").await.unwrap();
    let slashed = format!("{}/", service.site_url());
    let ann = Client::new(slashed, service.token_of("ann"));
    ann.store_oauth2_user(&"x").await.unwrap();
    assert_eq!(ann.get_me().await.unwrap().id, "ann");
    assert_eq!(service.requests()[0].path, "/plugins/com.mattermost.apps/api/v1/oauth2/user");
}

#[tokio::test]
async fn too_large_a_record_is_told_and_nothing_is_repeated() {
    let service = FakeService::start().await.unwrap();
    let ann = service.client_of("ann");
    ann.store_oauth2_user(&"x".repeat(8190)).await.unwrap();
    let error = ann.store_oauth2_user(&"x".repeat(8191)).await.unwrap_err();
    assert!(error.is_too_large(), "{error}");

    service.fail_next(StatusCode::SERVICE_UNAVAILABLE, "try later");
    let before = service.requests().len();
    let error = ann.store_oauth2_user(&"y").await.unwrap_err();
    assert_eq!((error.status(), error.text()), (Some(503), Some("try later")));
    assert_eq!(service.requests().len(), before + 1);
}

#[tokio::test]
async fn a_missing_token_is_an_error_that_says_what_to_expand() {
    let error = Client::as_acting_user(&Context::default()).get_me().await.unwrap_err();
    assert!(error.is_unauthorized());
    assert!(error.to_string().contains("expand it with level all"), "{error}");
    let error = Client::as_bot(&Context::default()).get_me().await.unwrap_err();
    assert!(error.to_string().contains("act_as_bot"), "{error}");

    let service = FakeService::start().await.unwrap();
    let ann = service.client_of("ann");
    service.expire_tokens();
    let error = ann.get_oauth2_user::<String>().await.unwrap_err();
    assert_eq!(error.text(), Some("user ID is required: unauthorized"));
}

#[tokio::test]
async fn a_bad_site_url_is_told_without_its_password() {
    for (url, reason) in [
        ("", "the context has no mattermost_site_url"),
        ("mattermost.example", "not an absolute URL"),
        ("ftp://mattermost.example", "only http and https"),
        ("http://user:hunter2@mattermost.example", "not used"),
        ("http://mattermost.example/?hunter2", "makes no sense"),
    ] {
        let error = client(url).get_me().await.unwrap_err();
        assert!(error.to_string().contains(reason), "{url}: {error}");
        assert!(!format!("{error} {error:?} {:?}", client(url)).contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let seen = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = seen.clone();
    let url = server(Router::new().fallback(async move |request: Request| {
        counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let to = format!("https://elsewhere.example{}?q=1", request.uri().path());
        (StatusCode::TEMPORARY_REDIRECT, [("location", to)])
    }))
    .await;
    let error = client(&url).store_oauth2_user(&"x").await.unwrap_err();
    assert!(matches!(&error, Error::Redirected { status: 307, to }
        if to == "https://elsewhere.example/plugins/com.mattermost.apps/api/v1/oauth2/user"));
    assert_eq!(seen.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn only_the_headers_that_are_needed_go_out() {
    let url = server(Router::new().fallback(async |request: Request| {
        let mut names: Vec<_> = request.headers().keys().map(|name| name.as_str().to_owned()).collect();
        names.sort();
        names.push(request.headers()["authorization"].to_str().unwrap().to_owned());
        format!(r#"{{"id": "{}"}}"#, names.join(" "))
    }))
    .await;
    assert_eq!(client(&url).get_me().await.unwrap().id, format!("accept authorization host Bearer {CANARY}"));
    let post = client(&url).create_post(&Post::default()).await.unwrap();
    assert_eq!(post.id, format!("accept authorization content-length content-type host Bearer {CANARY}"));
}

#[tokio::test]
async fn an_endless_answer_is_cut_off_and_a_silent_server_given_up() {
    let body = || axum::body::Body::from_stream(Endless);
    let url = server(Router::new().fallback(async move || body())).await;
    let error = client(&url).get_me().await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");

    let silent = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let error = client(&url).timeout(Duration::from_millis(50)).get_me().await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
}

#[tokio::test]
async fn no_secret_is_in_an_error_or_in_debug() {
    let closed = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    let unreachable = client(&format!("http://{closed}"));
    let error = unreachable.store_oauth2_user(&CANARY).await.unwrap_err();
    assert!(matches!(error, Error::Transport { .. }), "{error}");
    assert!(!format!("{error} {error:?} {unreachable:?}").contains(CANARY));

    // A stored string that is read as something else: the decoder must not quote it.
    let service = FakeService::start().await.unwrap();
    let ann = service.client_of("ann");
    ann.store_oauth2_user(&CANARY).await.unwrap();
    let error = ann.get_oauth2_user::<OAuth2Token>().await.unwrap_err();
    assert!(matches!(error, Error::Decode(_)), "{error}");
    assert!(!format!("{error} {error:?}").contains(CANARY), "{error}");

    let error = Client::new("http://localhost", AccessToken::new("canary\n")).get_me().await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
}

#[tokio::test]
async fn a_value_that_cannot_be_encoded_is_an_error_and_sends_nothing() {
    let service = FakeService::start().await.unwrap();
    let keys_are_lists = std::collections::HashMap::from([(vec![1], 1)]);
    let error = service.client_of("ann").store_oauth2_user(&keys_are_lists).await.unwrap_err();
    assert!(matches!(error, Error::Encode(_)), "{error}");
    assert!(service.requests().is_empty());
}

#[tokio::test]
async fn direct_messages_need_a_sender() {
    let service = FakeService::start().await.unwrap();
    let context = service.context_of("ann");
    let post = Client::as_bot(&context).dm("bob", "Hello **bob**").await.unwrap();
    assert_eq!((post.channel_id.as_str(), post.message.as_str()), ("bob__test-app-bot", "Hello **bob**"));
    assert_eq!(service.posts()[0].user_id, service.bot_user_id());

    let stranger = Client::new(service.site_url(), service.token_of("ann"));
    let error = stranger.dm("bob", "x").await.unwrap_err();
    assert_eq!(error.to_string(), "empty sender user_id, perhaps Call does not expand acting_user");
    assert_eq!(service.posts().len(), 1);

    let rest = Client::new(service.site_url(), AccessToken::new("unknown")).get_me().await.unwrap_err();
    assert_eq!(rest.text(), Some("Invalid or expired session, please login again."));
}

#[tokio::test]
async fn an_app_is_listed_installed_and_removed() {
    let service = FakeService::start().await.unwrap();
    service.make_admin("root");
    let root = service.client_of("root");
    let manifest: Manifest =
        manifest("hello", "Hello").homepage("https://example.com").http("http://h:1").into();
    let listing = UpdateAppListing { manifest, replace: true, ..UpdateAppListing::default() };
    assert_eq!(root.update_app_listing(&listing).await.unwrap().display_name, "Hello");
    assert!(
        service.client_of("ann").install_app("hello", &DeployType::Http).await.unwrap_err().is_unauthorized()
    );
    assert!(root.install_app("other", &DeployType::Http).await.unwrap_err().is_not_found());
    assert_eq!(root.install_app("hello", &DeployType::Http).await.unwrap().bot_username, "hello");
    let listed = root.get_listed_apps(" HELL", false).await.unwrap();
    assert_eq!((listed.len(), listed[0].installed, listed[0].enabled), (1, true, true));
    assert!(root.get_listed_apps("a&b=c", true).await.unwrap().is_empty());
    assert_eq!(root.disable_app("hello").await.unwrap(), "Disabled Hello");
    assert!(!root.get_listed_apps("hello", true).await.unwrap()[0].enabled);
    assert!(root.get_app("hello").await.unwrap().disabled);
    assert_eq!(root.enable_app("hello").await.unwrap(), "Enabled Hello");
    root.uninstall_app("hello").await.unwrap();
    assert!(root.get_app("hello").await.unwrap_err().is_not_found());
    assert!(matches!(root.get_app("").await, Err(Error::Argument(_))));
}

#[tokio::test]
async fn a_call_answers_also_when_it_is_an_error() {
    let service = FakeService::start().await.unwrap();
    service.answer_call("/send", CallResponse::text("sent"));
    let ann = service.client_of("ann");
    let mut creq = CallRequest { path: "/send".into(), ..CallRequest::default() };
    let error = ann.call(&creq).await.unwrap_err();
    assert_eq!(error.text(), Some("app ID is not set in Call request: invalid input"));
    creq.context.app_id = "hello".into();
    assert_eq!(ann.call(&creq).await.unwrap().text, "sent");
    creq.path = "/other".into();
    assert!(ann.call(&creq).await.unwrap().is_error());
}

/// A body without an end.
struct Endless;

impl futures_util::Stream for Endless {
    type Item = Result<bytes::Bytes, std::io::Error>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(Some(Ok(bytes::Bytes::from_static(&[b' '; 65536]))))
    }
}
