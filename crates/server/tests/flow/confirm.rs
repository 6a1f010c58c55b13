//! The confirm page: nobody connects an account by accident (OS-17), or by somebody else's form (OS-57).

use tessera_testkit::browser::{Browser, From, form_token};
use tessera_testkit::site::{PERMISSIONS, flow};
use tessera_testkit::wire::{Answer, Ask};

use crate::scene::{APP, Scene};

const DETOUR: &str = "tessera-signed-in";

fn asks(answer: &Answer, scene: &Scene) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    for said in ["Hello, OAuth2!", "<code>hello</code>", "<strong>user-1</strong>"] {
        assert!(answer.text().contains(said), "{said}: {}", answer.text());
    }
    assert_eq!(answer.header("referrer-policy"), Some("same-origin"), "else a form's Origin is null");
    nothing_began(scene);
}

fn nothing_began(scene: &Scene) {
    assert!(scene.fake.calls_to("/oauth2/connect").is_empty());
    assert!(scene.server.audit().iter().all(|entry| entry["act"] != "flow_started"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_17_a_click_from_elsewhere_is_asked_about_first() {
    let scene = Scene::set().await;
    let connect = flow(APP, "connect");
    let mut browser = Browser::signed_in(scene.site(), "user-1").await;
    for from in [From::Elsewhere, From::Nowhere] {
        asks(&browser.open(&connect, from).await, &scene);
    }
    let plain = Ask::get(connect.as_str()).with("Cookie", browser.cookies());
    asks(&browser.send(&plain).await, &scene);
    asks(&browser.send(&plain.with("Sec-Fetch-Site", "same-site")).await, &scene);

    let page = browser.open(&connect, From::Elsewhere).await;
    let begun = browser.submit(&connect, &[("token", &form_token(&page))]).await;
    assert_eq!(begun.status, 303, "{}", begun.text());
    assert!(begun.header("location").unwrap().starts_with("https://provider.example/"));
    assert_eq!(browser.flows().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_17_who_clicks_on_this_site_or_is_connected_is_not_asked() {
    let scene = Scene::set().await;
    let connect = flow(APP, "connect");
    let mut browser = Browser::signed_in(scene.site(), "user-1").await;
    assert_eq!(browser.open(&connect, From::Here).await.status, 307);
    assert_eq!(browser.open(&connect, From::Elsewhere).await.status, 200, "asked");
    let (token, _) = scene.site().tokens(&scene.user, &scene.fake, APP).await;
    scene.site().store(&token, r#"{"token":"t"}"#).await;
    assert_eq!(browser.open(&connect, From::Elsewhere).await.status, 307);
    scene.site().store(&token, "{}").await;
    assert_eq!(browser.open(&connect, From::Elsewhere).await.status, 200, "disconnected, so asked again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_17_who_was_sent_to_sign_in_is_asked_though_the_browser_vouches() {
    let scene = Scene::set().await;
    let connect = flow(APP, "connect");
    let mut browser = Browser::new(scene.site());
    let away = browser.open(&connect, From::Elsewhere).await;
    assert_eq!((away.status, browser.place(&away)), (303, format!("/login?return_to={connect}")));
    let back = browser.sign_in("user-1", &connect).await;
    assert_eq!((back.status, browser.place(&back)), (303, connect.clone()));
    let page = browser.open(&connect, From::Here).await;
    asks(&page, &scene);
    let begun = browser.submit(&connect, &[("token", &form_token(&page))]).await;
    assert_eq!(begun.status, 303, "{}", begun.text());
    assert!(!browser.jar.contains_key(DETOUR), "the detour is over");
    assert_eq!(browser.open(&connect, From::Here).await.status, 307);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_17_what_is_no_document_begins_nothing() {
    let scene = Scene::set().await;
    let connect = flow(APP, "connect");
    let mut browser = Browser::signed_in(scene.site(), "user-1").await;
    let page = browser.open(&connect, From::Elsewhere).await;
    let body = format!("token={}", form_token(&page));
    for dest in ["image", "iframe", "frame", "embed", "object", "script", "empty", ""] {
        for from in [From::Here, From::Elsewhere] {
            let post = Ask::post(connect.as_str(), body.clone())
                .with("Content-Type", "application/x-www-form-urlencoded");
            for ask in [Ask::get(connect.as_str()), post] {
                let answer = browser.send(&browser.dress(ask, from).with("Sec-Fetch-Dest", dest)).await;
                assert_eq!(answer.status, 403, "{dest}: {}", answer.text());
            }
        }
    }
    // Nor does a browser that fetches ahead what somebody may click on.
    for (name, value) in [
        ("Sec-Purpose", "prefetch"),
        ("Sec-Purpose", "prefetch;prerender"),
        ("Sec-Purpose", "Prefetch;anonymous-client-ip"),
        ("Purpose", "prefetch"),
        ("X-Moz", "prefetch"),
    ] {
        let ahead = browser.navigation(&connect, From::Here).with(name, value);
        let answer = browser.send(&ahead).await;
        assert_eq!(answer.status, 403, "{name}: {value}: {}", answer.text());
        assert!(answer.text().contains("when somebody clicks"), "{}", answer.text());
    }
    // The same with a person's own token.
    let ask = Ask::get(connect.as_str()).bearer(&scene.user.token).with("Sec-Fetch-Dest", "iframe");
    assert_eq!(scene.site().send(&ask).await.status, 403);
    nothing_began(&scene);
    assert!(browser.flows().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_17_a_form_that_this_page_did_not_make_begins_nothing() {
    let scene = Scene::set().await;
    scene.site().install(&scene.admin, &scene.fake.manifest("other", &PERMISSIONS)).await;
    let connect = flow(APP, "connect");
    let mut browser = Browser::signed_in(scene.site(), "user-1").await;
    let mut second = Browser::signed_in(scene.site(), "user-1").await;
    let mut stranger = Browser::signed_in(scene.site(), "user-2").await;
    let own = form_token(&browser.open(&connect, From::Elsewhere).await);
    let (until, mac) = own.split_once('.').unwrap();
    let longer = format!("{}.{mac}", until.parse::<i64>().unwrap() + 1);
    let other = form_token(&browser.open(&flow("other", "connect"), From::Elsewhere).await);
    let session = form_token(&second.open(&connect, From::Elsewhere).await);
    let person = form_token(&stranger.open(&connect, From::Elsewhere).await);
    for wrong in ["", ".", "x", mac, until, &longer, &other, &session, &person] {
        let answer = browser.submit(&connect, &[("token", wrong)]).await;
        assert_eq!(answer.status, 400, "{wrong}: {}", answer.text());
        assert!(answer.text().contains("this page is out of date"), "{}", answer.text());
    }
    assert_eq!(browser.submit(&connect, &[("other", &own)]).await.status, 400);
    scene.server.clock.advance_ms(10 * 60 * 1000 + 1);
    assert_eq!(browser.submit(&connect, &[("token", &own)]).await.status, 400, "too late");
    nothing_began(&scene);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_57_a_form_of_another_site_begins_nothing() {
    let scene = Scene::set().await;
    let connect = flow(APP, "connect");
    let mut browser = Browser::signed_in(scene.site(), "user-1").await;
    let token = form_token(&browser.open(&connect, From::Elsewhere).await);
    let fields = [("token", token.as_str())];
    for origin in ["https://evil.example", "null", "http://localhost:1", "http://localhost.evil.example"] {
        let form = browser.form(&connect, &fields, From::Elsewhere).with("Origin", origin);
        assert_eq!(browser.send(&form).await.status, 403, "{origin}");
    }
    let form = browser.form(&connect, &fields, From::Elsewhere);
    assert_eq!(browser.send(&form).await.status, 403, "the browser says where it comes from");
    let guessed = browser.form(&connect, &[("token", "guessed")], From::Elsewhere);
    assert!(matches!(browser.send(&guessed).await.status, 400 | 403));
    let mut text = browser.form(&connect, &fields, From::Here);
    text.headers.retain(|(name, _)| *name != "Content-Type");
    assert_eq!(browser.send(&text.with("Content-Type", "text/plain")).await.status, 400);
    nothing_began(&scene);
    assert_eq!(browser.submit(&connect, &fields).await.status, 303);
}
