//! Codes that are typed elsewhere, and tokens of the client's own.

use serde_json::Value;
use tessera_testkit::managed::{APP, Managed};
use tessera_testkit::wire::{Answer, Ask};

const DEVICE: &str = "/plugins/com.mattermost.apps/tessera/v1/connections/hello/device";

async fn begin(stage: &Managed) -> Value {
    let begun = stage.cast.site.send(&Ask::post(DEVICE, "").bearer(&stage.cast.user.token)).await;
    assert_eq!(begun.status, 201, "{}", begun.text());
    begun.json()
}

async fn state(stage: &Managed, token: &str, id: &Value) -> Answer {
    let target = format!("{DEVICE}/{}", id.as_str().unwrap());
    stage.cast.site.send(&Ask::get(target).bearer(token)).await
}

#[tokio::test]
async fn os_29_a_typed_code_connects_who_asked_for_it_and_the_provider_is_asked_no_more_often_than_it_says() {
    let stage = Managed::with("device_url = 'URL/device_authorization'\n").await;
    let flow = begin(&stage).await;
    let code = flow["user_code"].as_str().unwrap();
    assert!(flow["verification_uri"].as_str().unwrap().starts_with(stage.provider.url()), "{flow}");
    assert!(flow["warning"].as_str().unwrap().contains("only if you asked"), "{flow}");
    // Nobody else is told of it, an administrator neither.
    let admin = &stage.cast.admin.token;
    assert_eq!(state(&stage, admin, &flow["id"]).await.status, 404);
    assert_eq!(state(&stage, &stage.cast.user.token, &flow["id"]).await.json()["state"], "waiting");

    // Asked only when it is time, by whoever takes it: of several at once, one.
    let before = stage.provider.token_requests();
    assert_eq!(stage.work().await, 0, "not yet");
    stage.later(5);
    let (one, other, third) = tokio::join!(stage.work(), stage.work(), stage.work());
    assert_eq!((one + other + third, stage.provider.token_requests() - before), (1, 1));
    // Too fast, says the provider three times: five seconds more each.
    stage.provider.slow_devices_down(3);
    for interval in [5, 10, 15] {
        stage.later(interval - 1);
        assert_eq!(stage.work().await, 0, "not before {interval} seconds");
        stage.later(1);
        assert_eq!(stage.work().await, 1, "after {interval} seconds");
    }
    stage.later(19);
    assert_eq!(stage.work().await, 0, "twenty by now");
    assert!(stage.provider.answer_device(code, "ada", true));
    stage.later(60);
    assert!(stage.work().await >= 1);
    assert_eq!(state(&stage, &stage.cast.user.token, &flow["id"]).await.json()["state"], "connected");
    assert!(stage.works(&stage.access_token().await).await);
}

#[tokio::test]
async fn a_code_that_nobody_types_runs_out_and_one_that_is_refused_says_so() {
    let stage = Managed::with("device_url = 'URL/device_authorization'\n").await;
    let (forgotten, refused) = (begin(&stage).await, begin(&stage).await);
    assert!(stage.provider.answer_device(refused["user_code"].as_str().unwrap(), "ada", false));
    stage.later(6);
    assert_eq!(stage.work().await, 2);
    let user = &stage.cast.user.token;
    assert_eq!(state(&stage, user, &refused["id"]).await.json()["state"], "denied");
    stage.later(7_200);
    while stage.work().await > 0 {}
    assert_eq!(state(&stage, user, &forgotten["id"]).await.json()["state"], "expired");
    let asked = stage.provider.token_requests();
    stage.later(7_200);
    stage.work().await;
    assert_eq!(stage.provider.token_requests(), asked, "nobody asks any more");
}

#[tokio::test]
async fn an_app_without_such_a_provider_has_no_such_way() {
    let stage = Managed::with("").await;
    let begun = stage.cast.site.send(&Ask::post(DEVICE, "").bearer(&stage.cast.user.token)).await;
    assert_eq!(begun.status, 404, "{}", begun.text());
}

#[tokio::test]
async fn a_bot_has_the_clients_own_token_and_it_is_asked_for_again_when_it_ends() {
    let stage = Managed::with("").await;
    let (_, bot) = stage.cast.site.tokens(&stage.cast.user, &stage.cast.fake, APP).await;
    assert_eq!(stage.ask_with("", &bot).await.text(), "", "not where nobody said so");
    let mut record = stage.record("");
    record["bot_scopes"] = serde_json::json!(["profile"]);
    assert_eq!(stage.set_provider(&record).await.status, 200);
    let first = stage.ask_with("", &bot).await.json();
    assert_eq!(first["scope"], "profile", "{first}");
    let asked = stage.provider.token_requests();
    assert_eq!(stage.ask_with("", &bot).await.json()["access_token"], first["access_token"]);
    assert_eq!(stage.provider.token_requests(), asked);
    stage.later(3_600);
    let (_, bot) = stage.cast.site.tokens(&stage.cast.user, &stage.cast.fake, APP).await;
    let second = stage.ask_with("", &bot).await.json();
    assert_ne!(second["access_token"], first["access_token"]);
    // A person has none of it.
    assert_eq!(stage.ask("").await.text(), "");
}

#[tokio::test]
async fn a_bot_whose_client_is_refused_is_told_so_and_the_provider_is_left_alone() {
    let stage = Managed::with("").await;
    let mut record = stage.record("");
    record["bot_scopes"] = serde_json::json!(["profile"]);
    record["client_secret"] = "wrong".into();
    assert_eq!(stage.set_provider(&record).await.status, 200);
    let (_, bot) = stage.cast.site.tokens(&stage.cast.user, &stage.cast.fake, APP).await;
    let asked = stage.provider.token_requests();
    for _ in 0..5 {
        let answer = stage.ask_with("", &bot).await;
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert!(answer.text().contains("an administrator must look"), "{}", answer.text());
    }
    assert_eq!(stage.provider.token_requests(), asked);
}
