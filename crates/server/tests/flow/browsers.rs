//! Which browser, and whose: a flow ends where it began (OS-05, OS-06).

use serde_json::json;
use tessera_testkit::browser::{Browser, From, set_cookies};
use tessera_testkit::site::flow;
use tessera_testkit::wire::{Answer, send};

use crate::scene::{APP, MISMATCH, Scene, state_in};

/// Begins a flow with a click on the site's own page. Gives the address that the provider sends the browser to.
async fn begin(browser: &mut Browser) -> String {
    let answer = browser.open(&flow(APP, "connect"), From::Here).await;
    assert_eq!(answer.status, 307, "{}", answer.text());
    format!("{}?code=planted-code&state={}", flow(APP, "complete"), state_in(&answer))
}

fn refused(answer: &Answer, text: &str) {
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert!(answer.text().contains(&format!("<p>{}</p>", text.trim_end())), "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_05_a_flow_ends_in_the_browser_where_it_began() {
    let scene = Scene::set().await;
    let mut browser = Browser::signed_in(scene.site(), "user-1").await;
    let mut second = Browser::signed_in(scene.site(), "user-1").await;
    let callback = begin(&mut browser).await;
    // The second browser's own flow does not help, nor does the cookie of another flow under this one's name.
    begin(&mut second).await;
    refused(&second.open(&callback, From::Elsewhere).await, MISMATCH);
    let (name, other) = (browser.flows()[0].to_owned(), second.flows()[0].to_owned());
    let value = second.jar[&other].clone();
    second.jar.insert(name, value);
    refused(&second.open(&callback, From::Elsewhere).await, MISMATCH);
    assert_eq!(scene.open(&scene.user, &callback).await.status, 403, "a token has no browser");
    assert!(scene.completions().is_empty());

    let answer = browser.open(&callback, From::Elsewhere).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(browser.flows().is_empty(), "deleted after use");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_05_the_cookie_of_a_flow_is_gone_when_the_app_fails_too() {
    let scene = Scene::set().await;
    let mut browser = Browser::signed_in(scene.site(), "user-1").await;
    let callback = begin(&mut browser).await;
    let said = json!({"type": "error", "text": "no such code"});
    scene.fake.answer("/oauth2/complete", tessera_testkit::fake_app::Answer::Json(said));
    let answer = browser.open(&callback, From::Elsewhere).await;
    assert_eq!(answer.status, 500, "{}", answer.text());
    assert!(browser.flows().is_empty(), "the state is spent, so the cookie is worth nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_05_five_tabs_at_once_all_complete() {
    let scene = Scene::set().await;
    let mut browser = Browser::signed_in(scene.site(), "user-1").await;
    let mut callbacks = Vec::new();
    for _ in 0..5 {
        callbacks.push(begin(&mut browser).await);
    }
    assert_eq!(browser.flows().len(), 5);
    let mut tabs = tokio::task::JoinSet::new();
    for callback in callbacks {
        let (address, ask) = (scene.site().address, browser.navigation(&callback, From::Elsewhere));
        tabs.spawn(async move { send(address, &ask).await.status });
    }
    assert_eq!(tabs.join_all().await, [200; 5]);
    assert_eq!(scene.completions().len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_05_the_cookies_of_flows_are_protected_and_small() {
    const SITE: &str = "https://mm.example.com";
    for https in [false, true] {
        let scene = Scene::set_with(|config| {
            if https {
                config.site.url = SITE.into()
            }
        })
        .await;
        let mut browser = match https {
            true => Browser::at(scene.site(), SITE),
            false => Browser::new(scene.site()),
        };
        browser.jar.insert("MMAUTHTOKEN".into(), scene.user.token.clone());
        let answer = browser.open(&flow(APP, "connect"), From::Here).await;
        assert_eq!(answer.status, 307, "{}", answer.text());
        let cookies = set_cookies(&answer);
        assert_eq!(cookies.len(), 1, "{cookies:?}");
        let mut parts = cookies[0].split("; ");
        let name = parts.next().unwrap().split_once('=').unwrap().0;
        assert!(name.starts_with(if https { "__Host-tessera-flow-" } else { "tessera-flow-" }), "{name}");
        let mut attributes: Vec<&str> = parts.collect();
        attributes.sort_unstable();
        let mut expected = vec!["HttpOnly", "Max-Age=900", "Path=/", "SameSite=Lax"];
        expected.extend(https.then_some("Secure"));
        assert_eq!(attributes, expected);
        for _ in 1..50 {
            assert_eq!(browser.open(&flow(APP, "connect"), From::Here).await.status, 307);
        }
        assert_eq!(browser.flows().len(), 50);
        let header = format!("Cookie: {}\r\n", browser.cookies());
        assert!(header.len() < 8 << 10, "{} bytes", header.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_05_the_rule_can_be_relaxed_to_the_person_and_that_is_recorded() {
    use tessera_server::connect::Bind;
    for (bind, status, recorded) in [(Bind::Browser, 403, "browser"), (Bind::User, 200, "person")] {
        let scene = Scene::set_with(|config| config.connect.bind = bind).await;
        let mut browser = Browser::signed_in(scene.site(), "user-1").await;
        let mut second = Browser::signed_in(scene.site(), "user-1").await;
        let mut stranger = Browser::signed_in(scene.site(), "user-2").await;
        let callback = begin(&mut browser).await;
        let started = scene.server.audit().into_iter().rfind(|entry| entry["act"] == "flow_started").unwrap();
        assert_eq!(started["detail"], recorded);
        refused(&stranger.open(&callback, From::Elsewhere).await, "forbidden");
        assert_eq!(second.open(&callback, From::Elsewhere).await.status, status, "{bind:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_06_a_flow_that_somebody_else_began_connects_nobody() {
    let scene = Scene::set().await;
    let mut attacker = Browser::signed_in(scene.site(), "user-2").await;
    let mut victim = Browser::signed_in(scene.site(), "user-1").await;
    let callback = begin(&mut attacker).await;
    // The victim opened the provider's address, agreed there, and is sent back.
    refused(&victim.open(&callback, From::Elsewhere).await, "forbidden");
    // Not signed in either: the callback waits, but whoever signs in then is still not the one who began.
    let mut away = Browser::new(scene.site());
    let parked = away.open(&callback, From::Elsewhere).await;
    assert_eq!(parked.status, 303);
    let bare = flow(APP, "complete");
    let back = away.sign_in("user-1", &bare).await;
    assert_eq!(away.place(&back), bare);
    refused(&away.open(&bare, From::Here).await, "forbidden");
    assert!(scene.completions().is_empty());
    let attacker = scene.site().sign_in("user-2").await;
    assert_eq!([scene.record(&scene.user).await, scene.record(&attacker).await], ["", ""]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_06_a_callback_without_a_session_waits_for_its_owner_to_sign_in() {
    let scene = Scene::set().await;
    let mut browser = Browser::signed_in(scene.site(), "user-1").await;
    let callback = begin(&mut browser).await;
    for name in ["MMAUTHTOKEN", "MMUSERID", "MMCSRF"] {
        browser.forget(name);
    }
    let away = browser.open(&callback, From::Elsewhere).await;
    assert_eq!(away.status, 303);
    let bare = flow(APP, "complete");
    assert_eq!(browser.place(&away), format!("/login?return_to={bare}"));
    assert!(!away.whole().contains("planted-code"), "{}", away.whole());
    assert!(browser.jar.values().all(|value| !value.contains("planted-code")));

    let page = browser.open(&browser.place(&away), From::Elsewhere).await;
    assert_eq!(page.status, 200);
    let back = browser.sign_in("user-1", &bare).await;
    assert_eq!((back.status, browser.place(&back)), (303, bare.clone()));
    let twin = browser.clone();
    let done = browser.open(&bare, From::Here).await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(scene.completions()[0]["values"]["code"], "planted-code");
    assert!(!done.whole().contains("planted-code"), "{}", done.whole());
    assert!(browser.flows().is_empty() && !browser.jar.contains_key("tessera-parked"));

    for mut browser in [browser, twin] {
        let again = browser.open(&bare, From::Here).await;
        assert_eq!(again.status, 401, "once: {}", again.text());
    }
    assert_eq!(scene.completions().len(), 1);
}
