//! What an App has to do with it: next to nothing, and what there is the driver knows.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use tessera_driver::{Client, ConnectionStatus, Error, OAuth2ContextExt as _};
use tessera_simulator::Counted;
use tessera_testkit::fake_app::Answer;
use tessera_testkit::managed::{APP, Managed};
use tessera_types::{Context, OAuth2Context, json as go};

/// The context of a call by `user-1` with everything expanded, as an App reads it.
async fn context(stage: &Managed) -> Context {
    let context = stage.cast.site.context(&stage.cast.user, &stage.cast.fake, APP).await;
    go::from_slice_strict(context.to_string().as_bytes()).unwrap()
}

#[tokio::test]
async fn an_app_without_a_greeting_is_not_missed_and_one_that_fails_is_a_note() {
    for (answer, is_noted) in [
        (Answer::Raw(StatusCode::NOT_FOUND, "text/plain", "404 page not found".into()), false),
        (Answer::ok(), false),
        (Answer::Raw(StatusCode::BAD_GATEWAY, "text/plain", "".into()), true),
    ] {
        let stage = Managed::with("").await;
        stage.cast.fake.answer("/oauth2/complete", answer);
        let page = stage.connect_as("ada").await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert_eq!(page.text().contains("could not be told"), is_noted, "{}", page.text());
        assert_eq!(stage.cast.fake.calls_to("/oauth2/complete").len(), 1);
        assert!(stage.works(&stage.access_token().await).await);
    }
}

#[tokio::test]
async fn the_drivers_client_reads_a_token_with_as_much_life_as_it_wants() {
    let stage = Managed::with("").await;
    let client = Client::as_acting_user(&context(&stage).await);
    let none = client.oauth2_token(None).await.unwrap();
    assert_eq!((none.status, none.token.is_none()), (ConnectionStatus::NotConnected, true));

    stage.connect().await;
    let connection = client.oauth2_token(None).await.unwrap();
    assert_eq!(connection.status, ConnectionStatus::Connected);
    let first = connection.token.unwrap();
    assert!(stage.works(first.access_token.expose()).await);
    assert_eq!((first.account.id.as_str(), first.account.name.as_str()), ("ada", "ada@simulator.example"));
    assert!(first.has_scope("email") && first.expiry.is_some());

    stage.later(200);
    let least = Duration::from_millis(3_400_500);
    let longer = client.oauth2_token(least).await.unwrap().token.unwrap();
    assert!(longer.expiry.unwrap() > first.expiry.unwrap());
    let never = client.oauth2_token(Duration::from_secs(7_200)).await.unwrap_err();
    assert!(matches!(never, Error::TokenTooShort { .. }), "{never:?}");

    stage.provider.change_behaviour(|behaviour| behaviour.html_502 = Counted::always(true));
    stage.later(200);
    let away = client.oauth2_token(least).await.unwrap_err();
    assert!(matches!(away, Error::TokenUnavailable { .. }), "{away:?}");
    let old = client.oauth2_token(None).await.unwrap().token.unwrap();
    assert_eq!(old.access_token.expose(), longer.access_token.expose());
}

#[tokio::test]
async fn the_drivers_context_says_how_a_connection_stands_and_where_to_mend_it() {
    let stage = Managed::with("").await;
    let oauth2 = async || -> OAuth2Context { context(&stage).await.oauth2 };
    let fresh = oauth2().await;
    assert_eq!(fresh.status(), ConnectionStatus::NotConnected);
    assert!(fresh.connect_link().ends_with("/apps/hello/oauth2/remote/connect"), "{}", fresh.connect_link());

    stage.connect().await;
    let connected = oauth2().await;
    assert_eq!((connected.status(), connected.reconnect_url.as_str()), (ConnectionStatus::Connected, ""));

    stage.provider.change_behaviour(|behaviour| behaviour.html_502 = Counted::always(true));
    stage.later(3_601);
    let away = oauth2().await;
    assert_eq!(away.status(), ConnectionStatus::Unavailable { retry_after: None });
    assert!(away.user.is_none());
    let client = Client::as_acting_user(&context(&stage).await);
    let ConnectionStatus::Unavailable { retry_after: Some(wait) } =
        client.oauth2_token(None).await.unwrap().status
    else {
        panic!("the provider is away")
    };
    assert!(!wait.is_zero());

    stage.provider.change_behaviour(|behaviour| behaviour.html_502 = Counted::always(false));
    stage.later(3_600);
    assert_eq!(oauth2().await.status(), ConnectionStatus::Connected);

    Client::as_acting_user(&context(&stage).await).disconnect_oauth2_user().await.unwrap();
    assert_eq!(oauth2().await.status(), ConnectionStatus::NotConnected);
}

#[tokio::test]
async fn who_calls_an_app_that_needs_a_token_is_told_that_the_provider_is_away() {
    let stage = Managed::with("").await;
    stage.connect().await;
    stage.provider.change_behaviour(|behaviour| behaviour.html_502 = Counted::always(true));
    stage.later(3_601);
    let call = json!({"path": "/x", "context": {"app_id": APP}, "expand": {"oauth2_user": "+all"}});
    let told = stage.cast.site.post(&stage.cast.user.token, "/call", &call).await.json();
    assert_eq!(told["type"], "error");
    assert!(told["text"].as_str().unwrap().contains("can't be refreshed right now"), "{told}");
}
