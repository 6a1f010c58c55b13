//! What a strict provider asks for: refresh tokens that are never used twice, an issuer on the callback, revocation.

use axum::http::StatusCode;
use serde_json::Value;
use tessera_driver::test;

use crate::common::{ANN, World};

const BOB: &str = "bob";
const ISSUER: &str = "https://idp.example";

#[tokio::test]
async fn of_many_sends_at_once_one_refreshes_and_no_refresh_token_is_used_twice() {
    let world = World::configured().await;
    world.provider.expires_in(1);
    world.connect(ANN).await;
    world.connect(BOB).await;
    world.provider.expires_in(3600);
    let router = hello_oauth2::app(world.settings.clone()).unwrap().into_router();
    let mut sending = tokio::task::JoinSet::new();
    for user in [ANN, BOB].into_iter().cycle().take(16) {
        // Each has the old token in its context.
        let call = test::call("/send").service(&world.service).acting_user(user);
        let router = router.clone();
        sending.spawn(async move { call.send(router).await.unwrap() });
    }
    for response in sending.join_all().await {
        assert!(response.text.contains("Work"), "{}", response.text);
    }
    assert_eq!(world.provider.refreshes(), 2, "one for each user");
}

#[tokio::test]
async fn who_disconnects_while_a_send_waits_is_not_connected() {
    let world = World::configured().await;
    world.provider.expires_in(1);
    world.connect(ANN).await;
    // The context still has the token.
    let late = test::call("/send").service(&world.service).acting_user(ANN);
    let old = world.service.stored_user(ANN).unwrap();
    world.call(ANN, "/disconnect", &[]).await;
    let router = hello_oauth2::app(world.settings.clone()).unwrap().into_router();
    let response = late.oauth2_user(&old).send(router).await.unwrap();
    assert!(response.is_error() && response.text.contains("not connected"), "{}", response.text);
    assert_eq!(world.provider.refreshes(), 0);
    assert_eq!(world.service.stored_user(ANN), Some(Value::Null), "nothing was stored again");
}

#[tokio::test]
async fn os_12_an_issuer_that_is_known_has_to_be_on_the_callback() {
    let mut world = World::configured().await;
    world.settings.provider.issuer = Some(ISSUER.to_owned());
    let code = world.provider.consent(&world.authorize_url(ANN, "s").await);
    let back = |iss: Option<&'static str>| {
        let mut values = vec![("code", code.as_str()), ("state", "s")];
        values.extend(iss.map(|iss| ("iss", iss)));
        values
    };
    for iss in [None, Some("https://idp.example/"), Some("https://evil.example"), Some("")] {
        let response = world.call(ANN, "/oauth2/complete", &back(iss)).await;
        assert!(response.is_error(), "{iss:?}");
        assert!(response.text.contains("did not come from Testing"), "{}", response.text);
    }
    let refused = [("error", "access_denied"), ("iss", "https://evil.example"), ("state", "s")];
    let response = world.call(ANN, "/oauth2/complete", &refused).await;
    assert!(response.text.contains("did not come from Testing"), "{}", response.text);
    assert!(world.provider.token_requests().is_empty(), "a code of a stranger goes nowhere");
    let response = world.call(ANN, "/oauth2/complete", &back(Some(ISSUER))).await;
    assert!(!response.is_error(), "{}", response.text);

    // Who knows no issuer asks for none.
    world.settings.provider.issuer = None;
    let code = world.provider.consent(&world.authorize_url(ANN, "t").await);
    let values = [("code", code.as_str()), ("state", "t"), ("iss", ISSUER)];
    assert!(!world.call(ANN, "/oauth2/complete", &values).await.is_error());
}

#[tokio::test]
async fn disconnecting_revokes_where_the_provider_can_be_told() {
    let mut world = World::configured().await;
    world.settings.provider.revoke_url = Some(format!("{}/revoke", world.provider.url).parse().unwrap());
    for auth in [hello_oauth2::ClientAuth::Basic, hello_oauth2::ClientAuth::Form] {
        world.settings.provider.client_auth = auth;
        world.connect(ANN).await;
        let refresh = world.service.stored_user(ANN).unwrap()["refresh_token"].as_str().unwrap().to_owned();
        let response = world.call(ANN, "/disconnect", &[]).await;
        assert_eq!(response.text, "Disconnected your account, and Testing has revoked the access.");
        let form = world.provider.revocations().pop().unwrap();
        assert_eq!((&form["token"], form["token_type_hint"].as_str()), (&refresh, "refresh_token"));
        assert_eq!(world.service.stored_user(ANN), Some(Value::Null));
    }
    assert_eq!(world.provider.revocations().len(), 2);

    // Whatever the provider says, here it is gone.
    world.provider.revocation_answers(StatusCode::SERVICE_UNAVAILABLE);
    world.connect(ANN).await;
    let response = world.call(ANN, "/disconnect", &[]).await;
    assert_eq!(
        response.text,
        "Disconnected your account here, but Testing could not be asked: it answered with status 503. The access \
         may go on there until it ends."
    );
    assert_eq!(world.service.stored_user(ANN), Some(Value::Null));
}
