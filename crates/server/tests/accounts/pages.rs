//! The page: everything on the way from a click to the end of a connection, and what is never on it.

use serde_json::json;
use tessera_testkit::browser::{Browser, From, form_token};
use tessera_testkit::site::PERMISSIONS;
use tessera_testkit::wire::Answer;

use crate::scene::{ACCOUNTS, APP, Scene, by_person, connect_in, page};

const MINUTE: i64 = 60 * 1000;
const HOSTILE: &str = "<script>alert(1)</script>\"'&<b>Bold</b> \u{202e}";

fn shows(page: &Answer, texts: &[&str]) {
    for text in texts {
        assert!(page.text().contains(text), "{text}: {}", page.text());
    }
}

fn hides(page: &Answer, texts: &[&str]) {
    for text in texts {
        assert!(!page.whole().contains(text), "{text}: {}", page.whole());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_36_a_connection_is_shown_with_its_last_use_and_ended_with_a_button() {
    let scene = Scene::set().await;
    let mut browser = Browser::signed_in(scene.site(), "user-1").await;
    let empty = page(&mut browser, "").await;
    shows(&empty, &["<strong>user-1</strong>", "No App is connected", "/its-name connect"]);
    hides(&empty, &["<form"]);

    let closing = connect_in(&mut browser).await;
    shows(&closing, &[&format!("{ACCOUNTS}\">All connected accounts</a>")]);
    let fresh = page(&mut browser, "").await;
    let button = "Disconnect<span class=\"hidden\"> Hello, OAuth2!</span></button>";
    shows(&fresh, &["<bdi>Hello, OAuth2!</bdi> <code>hello</code>", "<dd>never</dd>", button]);
    shows(&fresh, &["<code>https://provider.example</code>", ">just now</time>"]);

    scene.server.clock.advance_ms(3 * MINUTE);
    let token = scene.token(&scene.user, APP).await;
    scene.site().record(&token).await;
    scene.server.clock.advance_ms(2 * MINUTE);
    let used = page(&mut browser, "").await;
    shows(&used, &[">5 minutes ago</time></dd>", ">2 minutes ago</time>, by the App on its own"]);
    scene.call(&scene.user, "/send").await;
    shows(&page(&mut browser, "").await, &[">just now</time>, by the call <code>/send</code>"]);

    let fields = [("token", form_token(&used)), ("app", APP.to_owned())];
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let ended = browser.submit(ACCOUNTS, &fields).await;
    assert_eq!((ended.status, browser.place(&ended)), (303, format!("{ACCOUNTS}?ended={APP}")));
    let after = page(&mut browser, "?ended=hello").await;
    shows(&after, &["role=\"status\"", "<bdi>Hello, OAuth2!</bdi> is disconnected.", "No App is connected"]);
    shows(&after, &["At <code>https://provider.example</code> it stays valid until you revoke it there"]);
    assert_eq!(scene.site().record(&token).await, "");
    assert!(scene.list(&scene.user).await.is_empty());
    assert_eq!(scene.removals(), [by_person(&scene.user, APP)]);

    // Pressed once more, as in another tab: that is how things are already.
    let again = browser.submit(ACCOUNTS, &fields).await;
    assert_eq!((again.status, browser.place(&again)), (303, ACCOUNTS.to_owned()));
    assert_eq!(scene.removals().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_36_who_connected_by_an_app_is_led_to_the_providers_own_page_where_it_is_known() {
    let scene = Scene::set().await;
    let mut browser = Browser::signed_in(scene.site(), "user-1").await;
    scene.fake.leads_to("https://accounts.google.com/o/oauth2/v2/auth?state={state}");
    connect_in(&mut browser).await;
    let shown = page(&mut browser, "").await;
    let link = "<a href=\"https://myaccount.google.com/connections\">What you granted at Google</a>";
    shows(&shown, &["<code>https://accounts.google.com</code>", link, "The other service is not told"]);
    let fields = [("token", form_token(&shown)), ("app", APP.to_owned())];
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(browser.submit(ACCOUNTS, &fields).await.status, 303);
    let after = page(&mut browser, "?ended=hello").await;
    shows(&after, &["it stays valid until you revoke it there", link]);
    hides(&after, &["Ended lately"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_48_nobody_sees_or_ends_what_is_somebody_elses() {
    let scene = Scene::set().await;
    let token = scene.connect(&scene.user, APP).await;
    for name in ["user-2", "sysadmin"] {
        let mut browser = Browser::signed_in(scene.site(), name).await;
        let theirs = page(&mut browser, "").await;
        shows(&theirs, &["No App is connected"]);
        hides(&theirs, &["Hello", &scene.user.id]);
        // There is no form to take a token from until they are connected themselves.
        let other = scene.site().sign_in(name).await;
        let others = scene.connect(&other, APP).await;
        let theirs = page(&mut browser, "").await;
        let fields =
            [("token", form_token(&theirs)), ("app", APP.to_owned()), ("user", scene.user.id.clone())];
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(browser.submit(ACCOUNTS, &fields).await.status, 303);
        assert_eq!(scene.site().record(&others).await, "", "their own is gone");
    }
    assert_ne!(scene.site().record(&token).await, "");
    assert_eq!(scene.list(&scene.user).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_16_hostile_names_are_text_and_the_page_is_protected() {
    let scene = Scene::set().await;
    let mut manifest = scene.fake.manifest("evil", &PERMISSIONS);
    manifest["display_name"] = json!(HOSTILE);
    scene.site().install(&scene.admin, &manifest).await;
    let token = scene.connect(&scene.user, "evil").await;
    let call = json!({
        "path": "/<img src=x>?secret=in-a-query", "context": {"app_id": "evil"}, "expand": {"oauth2_user": "all"},
    });
    scene.site().post(&scene.user.token, "/call", &call).await;
    let mut browser = Browser::signed_in(scene.site(), "user-1").await;
    let shown = page(&mut browser, "").await;
    let form = form_token(&shown);
    let fields = [("token", form.as_str()), ("app", "evil")];
    for target in ["", "?ended=%3Cscript%3Ealert(2)%3C/script%3E", "?ended=evil", "?ended=nobody"] {
        let shown = page(&mut browser, target).await;
        shows(&shown, &["alert(1)", "&#60;img src=x&#62;</code>"]);
        hides(
            &shown,
            &["<script", "<b>", "<img", "alert(2)", "in-a-query", "is disconnected", "at-1", &token],
        );
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin-allow-popups"),
            ("referrer-policy", "same-origin"),
        ] {
            assert_eq!(shown.header(name), Some(value), "{name}");
        }
        let policy = shown.header("content-security-policy").unwrap();
        for rule in ["default-src 'none'", "form-action 'self';", "frame-ancestors 'none'", "base-uri 'none'"]
        {
            assert!(policy.contains(rule), "{rule}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
        for fetched in [" src=", "<link", "http-equiv", "@import", "url("] {
            assert!(!shown.text().replace("img src=x", "").contains(fetched), "{fetched}");
        }
    }
    assert_eq!(browser.submit(ACCOUNTS, &fields).await.status, 303);
    let after = page(&mut browser, "?ended=evil").await;
    shows(&after, &["is disconnected", "At the other service it stays valid"]);
    hides(&after, &["<script", "<b>"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_18_who_is_not_signed_in_is_led_there_and_back_and_nowhere_else() {
    let scene = Scene::set().await;
    scene.connect(&scene.user, APP).await;
    let mut browser = Browser::new(scene.site());
    for query in ["", "?ended=hello", "?return_to=https://evil.example/"] {
        let away = browser.open(&format!("{ACCOUNTS}{query}"), From::Elsewhere).await;
        assert_eq!((away.status, browser.place(&away)), (303, format!("/login?return_to={ACCOUNTS}")));
    }
    let away = browser.submit(ACCOUNTS, &[("token", "t"), ("app", APP)]).await;
    assert_eq!((away.status, browser.place(&away)), (303, format!("/login?return_to={ACCOUNTS}")));
    let back = browser.sign_in("user-1", ACCOUNTS).await;
    assert_eq!((back.status, browser.place(&back)), (303, ACCOUNTS.to_owned()));
    shows(&page(&mut browser, "").await, &["Hello, OAuth2!"]);
}
