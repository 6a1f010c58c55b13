//! What people see at the end, and every redirect on the way there (OS-07, OS-16, OS-18).

use tessera_testkit::browser::{Browser, From, form_token};
use tessera_testkit::site::flow;
use tessera_testkit::wire::{Answer, Ask};

use crate::scene::{APP, Scene, state_in};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_07_only_the_connect_get_answers_307() {
    let scene = Scene::set().await;
    let (connect, complete) = (flow(APP, "connect"), flow(APP, "complete"));
    let mut browser = Browser::new(scene.site());
    let status = |answer: &Answer| answer.status;

    assert_eq!(status(&browser.open(&connect, From::Elsewhere).await), 303, "to sign in");
    assert_eq!(status(&browser.sign_in("user-1", &connect).await), 303, "back");
    let page = browser.open(&connect, From::Here).await;
    let begun = browser.submit(&connect, &[("token", &form_token(&page))]).await;
    assert_eq!(status(&begun), 303, "to the provider, after a form");
    let session = browser.jar.remove("MMAUTHTOKEN").unwrap();
    let callback = format!("{complete}?code=c&state={}", state_in(&begun));
    assert_eq!(status(&browser.open(&callback, From::Elsewhere).await), 303, "to sign in");
    assert_eq!(status(&browser.sign_in("user-1", &complete).await), 303, "back");
    assert_eq!(status(&browser.open(&complete, From::Here).await), 200);
    browser.jar.insert("MMAUTHTOKEN".into(), session);
    browser.forget("tessera-signed-in");
    assert_eq!(status(&browser.open(&connect, From::Here).await), 307, "to the provider, after a click");
    assert_eq!(status(&scene.connect(&scene.user).await), 307);

    // A form is not sent on to anywhere when the session is gone: 303 drops its body.
    let mut gone = Browser::new(scene.site());
    assert_eq!(status(&gone.submit(&connect, &[("token", "t")]).await), 303);
    // A browser under another of this machine's names is led to the site's.
    let port = scene.site().address.port();
    let mut other = Browser::at(scene.site(), &format!("http://127.0.0.1:{port}"));
    let led = other.open(&connect, From::Nowhere).await;
    assert_eq!(led.status, 303);
    assert_eq!(led.header("location"), Some(format!("http://localhost:{port}{connect}").as_str()));
}

/// The directives of a page's policy.
fn policy(answer: &Answer) -> Vec<&str> {
    answer.header("content-security-policy").unwrap().split(';').map(str::trim).collect()
}

fn protected(answer: &Answer) {
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin-allow-popups"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    let policy = policy(answer);
    for directive in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(&directive), "{directive}: {policy:?}");
    }
    assert!(policy.iter().all(|directive| !directive.contains("unsafe")), "{policy:?}");
    let text = answer.text();
    for fetched in [" src=", "<link", "http-equiv", "@import", "url("] {
        assert!(!text.contains(fetched), "{fetched}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_16_the_pages_hold_no_secret_and_are_protected() {
    let scene = Scene::set().await;
    let mut browser = Browser::signed_in(scene.site(), "user-1").await;
    let (connect, complete) = (flow(APP, "connect"), flow(APP, "complete"));
    protected(&browser.open(&connect, From::Elsewhere).await);
    let begun = browser.open(&connect, From::Here).await;
    let state = state_in(&begun);
    let cookies: Vec<String> = browser.jar.values().cloned().collect();
    let callback = format!("{complete}?code=planted-code&state={state}&scope=planted-scope");
    let done = browser.open(&callback, From::Elsewhere).await;
    assert_eq!(done.status, 200, "{}", done.text());
    let failed = browser.open(&callback, From::Elsewhere).await;
    assert_eq!(failed.status, 403);
    for page in [&done, &failed] {
        protected(page);
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        assert!(page.header("content-type").unwrap().starts_with("text/html"));
        let random = state.split('.').next().unwrap();
        let secrets = ["planted", random].into_iter().chain(cookies.iter().map(String::as_str));
        for secret in secrets.chain([scene.user.token.as_str(), "planted-code"]) {
            assert!(!page.whole().contains(secret), "{secret}: {}", page.whole());
        }
    }
    // One script, named by its hash; without it there are a text and a link.
    assert_eq!(done.text().matches("<script").count(), 1);
    assert!(policy(&done).iter().any(|directive| directive.starts_with("script-src 'sha256-")));
    assert!(!done.text().contains("postMessage") && !done.text().contains("opener"));
    assert!(!failed.text().contains("<script") && done.text().contains("Please close this window."));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_18_nothing_leads_away_from_the_site() {
    let scene = Scene::set().await;
    let (connect, complete) = (flow(APP, "connect"), flow(APP, "complete"));
    let site = format!("http://localhost:{}/", scene.site().address.port());
    let accounts = format!("{site}plugins/com.mattermost.apps/tessera/v1/accounts");
    for name in ["return_to", "redirect_to", "redirect_uri", "next", "url"] {
        let evil = format!("{name}=https%3A%2F%2Fevil.example%2F");
        let mut browser = Browser::new(scene.site());
        let away = browser.open(&format!("{connect}?{evil}"), From::Elsewhere).await;
        assert_eq!(browser.place(&away), format!("/login?return_to={connect}"), "{name}");

        let state = scene.begin(&scene.user).await;
        let query = format!("code=c&state={state}&{evil}");
        let ask = Ask::get(format!("{complete}?{query}")).bearer(&scene.user.token);
        let done = scene.site().send(&ask.with("Accept", "text/html")).await;
        assert_eq!(done.status, 200, "{}", done.text());
        assert!(!done.whole().contains("evil.example"), "{name}: {}", done.whole());
        assert!(done.header("location").is_none() && done.header("refresh").is_none());
        let text = done.text();
        let links: Vec<&str> =
            text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(links, [accounts.as_str(), site.as_str()], "{name}");
    }
}
