//! Who may press the page's buttons: nobody but the person, on the page itself (OS-57).

use tessera_testkit::browser::{Browser, From, form_token};
use tessera_testkit::site::flow;
use tessera_testkit::wire::Ask;

use crate::scene::{ACCOUNTS, APP, CONNECTIONS, Scene, by_person, end, page};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_57_a_form_that_the_page_did_not_make_ends_nothing() {
    let scene = Scene::set().await;
    // The confirm page is for who is not connected yet; its form must be good for nothing here.
    let mut browser = Browser::signed_in(scene.site(), "user-1").await;
    let confirm = form_token(&browser.open(&flow(APP, "connect"), From::Elsewhere).await);
    scene.connect(&scene.user, APP).await;
    let own = form_token(&page(&mut browser, "").await);
    let mut second = Browser::signed_in(scene.site(), "user-1").await;
    let session = form_token(&page(&mut second, "").await);
    let other = scene.site().sign_in("user-2").await;
    scene.connect(&other, APP).await;
    let mut stranger = Browser::signed_in(scene.site(), "user-2").await;
    let person = form_token(&page(&mut stranger, "").await);
    let (until, mac) = own.split_once('.').unwrap();
    let longer = format!("{}.{mac}", until.parse::<i64>().unwrap() + 1);
    for wrong in ["", ".", "x", mac, until, &longer, &confirm, &session, &person] {
        let answer = browser.submit(ACCOUNTS, &[("token", wrong), ("app", APP)]).await;
        assert_eq!(answer.status, 400, "{wrong}: {}", answer.text());
        assert!(answer.text().contains("this page is out of date: open it again"), "{}", answer.text());
    }
    for fields in [&[("token", own.as_str())][..], &[("app", APP)], &[]] {
        assert_eq!(browser.submit(ACCOUNTS, fields).await.status, 400);
    }
    // Nor is this page's good for the other.
    assert_eq!(stranger.submit(&flow(APP, "connect"), &[("token", &person)]).await.status, 400);
    scene.server.clock.advance_ms(10 * 60 * 1000 + 1);
    assert_eq!(browser.submit(ACCOUNTS, &[("token", &own), ("app", APP)]).await.status, 400, "too late");
    assert!(scene.removals().is_empty());
    let fresh = form_token(&page(&mut browser, "").await);
    assert_eq!(browser.submit(ACCOUNTS, &[("token", &fresh), ("app", APP)]).await.status, 303);
    assert_eq!(scene.removals(), [by_person(&scene.user, APP)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_57_a_form_of_another_site_ends_nothing() {
    let scene = Scene::set().await;
    scene.connect(&scene.user, APP).await;
    let mut browser = Browser::signed_in(scene.site(), "user-1").await;
    let token = form_token(&page(&mut browser, "").await);
    let fields = [("token", token.as_str()), ("app", APP)];
    for origin in ["https://evil.example", "null", "http://localhost:1", "http://localhost.evil.example"] {
        let form = browser.form(ACCOUNTS, &fields, From::Here).with("Origin", origin);
        assert_eq!(browser.send(&form).await.status, 403, "{origin}");
    }
    let form = browser.form(ACCOUNTS, &fields, From::Elsewhere);
    assert_eq!(browser.send(&form).await.status, 403, "the browser says where it comes from");
    for dest in ["image", "iframe", "empty"] {
        let mut form = browser.form(ACCOUNTS, &fields, From::Here);
        form.headers.retain(|(name, _)| *name != "Sec-Fetch-Dest");
        assert_eq!(browser.send(&form.with("Sec-Fetch-Dest", dest)).await.status, 403, "{dest}");
    }
    let mut text = browser.form(ACCOUNTS, &fields, From::Here);
    text.headers.retain(|(name, _)| *name != "Content-Type");
    assert_eq!(browser.send(&text.with("Content-Type", "text/plain")).await.status, 400);
    assert!(scene.removals().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_57_a_cookie_alone_ends_nothing_by_the_api_either() {
    let scene = Scene::set().await;
    scene.connect(&scene.user, APP).await;
    let browser = Browser::signed_in(scene.site(), "user-1").await;
    let by_cookie = || end(APP).with("Cookie", browser.cookies());
    assert_eq!(scene.site().send(&by_cookie()).await.status, 401);
    assert_eq!(scene.site().send(&by_cookie().with("X-CSRF-Token", "guessed")).await.status, 401);
    assert!(scene.removals().is_empty());
    let proven = by_cookie().with("X-CSRF-Token", browser.jar["MMCSRF"].as_str());
    assert_eq!(scene.site().send(&proven).await.status, 204);
    assert_eq!(scene.removals(), [by_person(&scene.user, APP)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_48_an_apps_token_is_refused_whoever_it_acts_as() {
    let scene = Scene::set().await;
    scene.connect(&scene.user, APP).await;
    let (acting, bot) = scene.site().tokens(&scene.user, &scene.fake, APP).await;
    let form = || {
        Ask::post(ACCOUNTS, format!("token=t&app={APP}"))
            .with("Content-Type", "application/x-www-form-urlencoded")
    };
    for token in [&acting, &bot] {
        for ask in [Ask::get(ACCOUNTS), form(), Ask::get(CONNECTIONS), end(APP), end("nobody")] {
            let answer = scene.site().send(&ask.bearer(token)).await;
            assert_eq!(answer.status, 401, "{}", answer.text());
            assert_eq!(answer.text(), "connections are shown to people, not to Apps: unauthorized\n");
        }
    }
    for ask in [Ask::get(ACCOUNTS), form(), Ask::get(CONNECTIONS), end(APP)] {
        assert_eq!(scene.site().send(&ask).await.status, 401, "nobody");
    }
    assert!(scene.removals().is_empty());
}
