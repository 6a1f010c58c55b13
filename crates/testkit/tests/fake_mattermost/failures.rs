//! Limits, and what fails because a test wants it to.

use serde_json::json;
use tessera_testkit::fake_mattermost::{Failure, FakeMattermost, Version};
use tessera_testkit::wire::{Ask, try_send};

use crate::Scene;

#[tokio::test]
async fn limits_are_counted_by_address_or_by_token() {
    let limited = async |by_user: bool| {
        let mattermost = FakeMattermost::builder(Version::V11_6)
            .set("RateLimitSettings.Enable", true)
            .set("RateLimitSettings.PerSec", 10)
            .set("RateLimitSettings.MaxBurst", 4)
            .set("RateLimitSettings.VaryByUser", by_user)
            .start()
            .await;
        Scene::with(mattermost.unwrap())
    };
    let scene = limited(false).await;
    for left in [4, 3, 2, 1, 0] {
        let answer = scene.get(&scene.token, "/users/me").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("x-ratelimit-limit"), Some("5"));
        assert_eq!(answer.header("x-ratelimit-remaining"), Some(left.to_string().as_str()));
    }
    let one_too_many = scene.get(&scene.root, "/users/me").await;
    assert_eq!((one_too_many.status, one_too_many.text()), (429, "limit exceeded\n".to_owned()));
    assert_eq!(one_too_many.header("x-ratelimit-reset"), Some("1"));
    assert_eq!(one_too_many.header("retry-after"), Some("1"));
    scene.mattermost.advance_ms(100);
    assert_eq!(scene.get(&scene.root, "/users/me").await.status, 200, "there is room for one again");
    assert_eq!(scene.get(&scene.root, "/users/me").await.status, 429);
    // By token one does not stand in the other's way.
    let scene = limited(true).await;
    for _ in 0..5 {
        assert_eq!(scene.get(&scene.token, "/users/me").await.status, 200);
    }
    assert_eq!(scene.get(&scene.token, "/users/me").await.status, 429);
    assert_eq!(scene.get(&scene.root, "/users/me").await.status, 200);
}

#[tokio::test]
async fn a_test_says_what_fails_and_how_often() {
    let scene = Scene::of(Version::V11_6).await;
    scene.mattermost.fail_times("/api/v4/users/me", Failure::Status(503), 2);
    scene.mattermost.fail_next("/api/v4/users/me", Failure::Limited(30));
    scene.mattermost.fail_next("/api/v4/users/me", Failure::Words("<html>busy</html>"));
    let status = async || scene.get(&scene.token, "/users/me").await.status;
    assert_eq!((status().await, status().await), (503, 503));
    let limited = scene.get(&scene.token, "/users/me").await;
    assert_eq!((limited.status, limited.header("x-ratelimit-reset")), (429, Some("30")));
    assert_eq!(scene.get(&scene.token, "/users/me").await.text(), "<html>busy</html>");
    assert_eq!(status().await, 200);
    assert_eq!(scene.mattermost.count("GET", "/api/v4/users/me"), 5, "each is remembered");
}

#[tokio::test]
async fn a_connection_is_cut_or_left_hanging() {
    let scene = Scene::of(Version::V11_6).await;
    let address = scene.mattermost.address();
    scene.mattermost.fail_next("/api/v4/system/ping", Failure::Hang);
    let ask = Ask::get("/api/v4/system/ping");
    let hanging = tokio::spawn(async move { try_send(address, &ask).await.map(|answer| answer.status) });
    while scene.mattermost.count("GET", "/api/v4/system/ping") == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(scene.send(&Ask::get("/api/v4/system/ping")).await.status, 200, "nobody else hangs");
    assert!(!hanging.is_finished());
    hanging.abort();
    scene.mattermost.fail_next("/api/v4/system/ping", Failure::Cut);
    let cut = tokio::spawn(async move { try_send(address, &Ask::get("/api/v4/system/ping")).await });
    assert!(cut.await.is_err(), "half an answer");
}

#[tokio::test]
async fn every_request_is_remembered_as_it_came() {
    let scene = Scene::of(Version::V11_6).await;
    scene.mattermost.forget_requests();
    scene.post(&scene.token, "/posts?set_online=false", json!({"channel_id": scene.channel})).await;
    let all = scene.mattermost.requests();
    let [one] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((one.method.as_str(), one.path.as_str()), ("POST", "/api/v4/posts"));
    assert_eq!((one.query.as_str(), &one.json()["channel_id"]), ("set_online=false", &json!(scene.channel)));
    assert_eq!(one.headers["authorization"], format!("Bearer {}", scene.token));
    assert!(one.whole().contains(&scene.token));
}

#[tokio::test]
async fn its_clock_may_be_wrong() {
    let date = async |scene: &Scene| {
        let answer = scene.send(&Ask::get("/api/v4/system/ping")).await;
        let named = |name: &String| name.eq_ignore_ascii_case("date");
        let dates: Vec<_> = answer.headers.iter().filter(|(name, _)| named(name)).collect();
        assert_eq!(dates.len(), 1);
        httpdate::parse_http_date(&dates[0].1).unwrap()
    };
    let scene = Scene::of(Version::V11_6).await;
    let right = date(&scene).await;
    scene.mattermost.set_clock_skew(600_000);
    let apart = date(&scene).await.duration_since(right).unwrap().as_secs();
    assert!((600..660).contains(&apart), "{apart}");
}
