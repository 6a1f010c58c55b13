//! What is Mattermost's, on a host name of the service's own: passed on to it, with nothing of ours.

use serde_json::json;
use tessera_testkit::attached::{APP, Attached};
use tessera_testkit::browser::set_cookies;
use tessera_testkit::fake_mattermost::{Failure, Version};
use tessera_testkit::wire::{Ask, Sent, send};

#[tokio::test]
async fn an_app_speaks_to_mattermost_where_it_speaks_to_us() {
    let stage = Attached::apart(Version::V11_7, "/chat").await;
    stage.install(&["act_as_bot", "act_as_user"]).await;
    let call = json!({"path": "/bot", "context": {"app_id": APP}, "expand": {"app": "all"}});
    let called = stage.site().post(&stage.user.token, "/call", &call).await;
    assert_eq!(called.json()["type"], "ok", "{}", called.text());
    let context = stage.fake.calls_to("/bot").pop().unwrap().json()["context"].clone();
    let (bot, id) = (context["bot_access_token"].as_str().unwrap(), context["bot_user_id"].as_str().unwrap());
    stage.mattermost.forget_requests();
    let direct = Ask::post("/api/v4/channels/direct", json!([id, stage.user.id]).to_string()).bearer(bot);
    let channel = stage.site().send(&direct).await;
    assert_eq!(channel.status, 201, "{}", channel.text());
    let post = json!({"channel_id": channel.json()["id"], "message": "hello"}).to_string();
    let posted = stage.site().send(&Ask::post("/api/v4/posts?set_online=false", post).bearer(bot)).await;
    assert_eq!((posted.status, posted.json()["message"].as_str()), (201, Some("hello")), "{}", posted.text());
    let [asked] = &stage.mattermost.requests_to("POST", "/chat/api/v4/posts")[..] else { panic!("once") };
    assert_eq!(asked.query, "set_online=false");
    // What it may not, it may not here either, in Mattermost's own words.
    let refused = stage.site().send(&Ask::get("/api/v4/config").bearer(bot)).await;
    assert_eq!(refused.status, 403);
    assert!(refused.json()["id"].is_string(), "{}", refused.text());
}

#[tokio::test]
async fn no_cookie_goes_over_in_either_direction() {
    let stage = Attached::apart(Version::V11_7, "").await;
    let session = stage.mattermost.session(&stage.user.id).token;
    stage.mattermost.forget_requests();
    let asked = Ask::get("/api/v4/users/me")
        .with("Cookie", format!("tessera-session=secret; MMAUTHTOKEN={session}"))
        .with("X-Forwarded-For", "203.0.113.9")
        .with("Mattermost-User-Id", stage.admin.id.clone())
        .with("Connection", "close, X-Mine")
        .with("X-Mine", "1");
    assert_eq!(send(stage.server.site.address, &asked).await.status, 401);
    let heard = stage.mattermost.requests().pop().unwrap();
    for name in ["cookie", "x-forwarded-for", "mattermost-user-id", "x-mine"] {
        assert!(!heard.headers.contains_key(name), "{name}: {:?}", heard.headers);
    }
    // Who signs in through us gets a token, and no cookie on our host.
    let login = json!({"login_id": "ada", "password": "ada"}).to_string();
    let login = Ask::post("/api/v4/users/login", login).with("X-Requested-With", "XMLHttpRequest");
    let answer = stage.site().send(&login).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.header("token").is_some() && set_cookies(&answer).is_empty(), "{:?}", answer.headers);
    // What comes from there is no page of ours.
    assert_eq!(answer.header("content-security-policy"), Some("sandbox; default-src 'none'"));
}

#[tokio::test]
async fn browsers_are_led_to_mattermost_where_they_are_signed_in() {
    let stage = Attached::apart(Version::V11_7, "/chat").await;
    let led = stage.site().send(&Ask::get("/oauth/authorize?client_id=c&state=s")).await;
    let to = format!("{}/oauth/authorize?client_id=c&state=s", stage.door.url());
    assert_eq!((led.status, led.header("location")), (303, Some(to.as_str())));
    assert_eq!(stage.mattermost.count("GET", "/chat/oauth/authorize"), 0);
    // An App's own server swaps its code through us.
    let body = "grant_type=authorization_code&code=x&client_id=c&client_secret=s&redirect_uri=r";
    let swap =
        Ask::post("/oauth/access_token", body).with("Content-Type", "application/x-www-form-urlencoded");
    assert!((400..500).contains(&stage.site().send(&swap).await.status));
    assert_eq!(stage.mattermost.count("POST", "/chat/oauth/access_token"), 1);
}

#[tokio::test]
async fn what_is_too_large_or_not_answered_is_told() {
    let stage = Attached::apart(Version::V11_7, "").await;
    let large =
        Ask::post("/api/v4/files", Vec::new()).bearer(&stage.user.token).body(Sent::Long((16 << 20) + 1));
    assert_eq!(stage.site().send(&large).await.status, 413);
    // Mattermost's own limit is the caller's, not the service's.
    stage.mattermost.fail_next("/api/v4/users/me", Failure::Limited(7));
    let me = Ask::get("/api/v4/users/me").bearer(&stage.user.token);
    assert_eq!(stage.site().send(&me).await.status, 429);
    assert_eq!(stage.site().send(&me).await.status, 200);
    let down = Attached::set_up(
        Version::V11_7,
        |_| {},
        |config| {
            config.site.url = "https://apps.example.com".to_owned();
            config.mattermost.internal_url = "http://127.0.0.1:1".to_owned();
        },
    )
    .await;
    let answer = send(down.server.site.address, &me).await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert!(answer.text().starts_with("Mattermost does not answer as it should"), "{}", answer.text());
}

#[tokio::test]
async fn beside_mattermost_s_own_proxy_nothing_is_passed_on() {
    let stage = Attached::to(Version::V11_7).await;
    for path in ["/api/v4/users/me", "/oauth/authorize", "/oauth/access_token"] {
        let ask = Ask::get(path).bearer(&stage.user.token);
        assert_eq!(send(stage.server.site.address, &ask).await.status, 404, "{path}");
    }
}
