//! Requests that another site makes a signed-in browser send (OS-57): none of them changes anything.

use serde_json::{Value, json};
use tessera_testkit::browser::{Browser, From, set_cookies};
use tessera_testkit::site::API;
use tessera_testkit::wire::{Answer, Ask};

use crate::apps::Scene;

const MULTIPART: &str = "multipart/form-data; boundary=x";
const URLENCODED: &str = "application/x-www-form-urlencoded";

/// A request that changes something, and whether it did.
struct Deed {
    name: &'static str,
    target: String,
    body: String,
}

/// What an administrator's session can do with one request.
fn deeds() -> Vec<Deed> {
    let deed =
        |name, route: &str, body: Value| Deed { name, target: route.to_owned(), body: body.to_string() };
    let which = json!({"app_id": "hello"});
    let manifest = json!({
        "app_id": "evil", "display_name": "Evil", "homepage_url": "https://evil.example",
        "http": {"root_url": "http://127.0.0.1:1"},
    });
    vec![
        deed("list", &format!("{API}/update-app-listing"), manifest),
        deed("disable", &format!("{API}/disable-app"), which.clone()),
        deed("uninstall", &format!("{API}/uninstall-app"), which),
        deed("call", &format!("{API}/call"), json!({"path": "/forged", "context": {"app_id": "hello"}})),
        deed("post", "/api/v4/posts", json!({"channel_id": "forged", "message": "forged"})),
    ]
}

fn refused(answer: &Answer, deed: &Deed) -> bool {
    match deed.name {
        // The wire answers 200 here, and says no in the body (section 2.7).
        "call" => answer.status == 200 && answer.text().contains("user ID is required: unauthorized"),
        _ => answer.status == 401,
    }
}

async fn nothing_happened(scene: &Scene, after: &str) {
    assert!(scene.fake.calls_to("/forged").is_empty(), "{after}");
    let apps = Ask::get("/plugins/com.mattermost.apps/tessera/v1/apps").bearer(&scene.admin.token);
    let apps = scene.site().send(&apps).await.json();
    let apps = apps.as_array().unwrap();
    assert!(apps.len() == 1 && apps[0]["enabled"] == true, "{after}: {apps:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_57_a_cross_site_form_changes_nothing() {
    let scene = Scene::set().await;
    let mut browser = Browser::signed_in(scene.site(), "sysadmin").await;
    for deed in deeds() {
        // A form can send JSON as text by giving it as the name of a field, or a JSON of its own making.
        for kind in [Some(URLENCODED), Some("text/plain"), Some(MULTIPART), None] {
            for from in [Some("cross-site"), Some("same-site"), Some("same-origin"), None] {
                let mut ask = Ask::post(deed.target.as_str(), deed.body.as_str());
                ask = ask.with("Cookie", browser.cookies());
                ask = kind.into_iter().fold(ask, |ask, kind| ask.with("Content-Type", kind));
                ask = from.into_iter().fold(ask, |ask, from| ask.with("Sec-Fetch-Site", from));
                let answer = scene.site().send(&ask).await;
                assert!(refused(&answer, &deed), "{} {kind:?} {from:?}: {answer:?}", deed.name);
                // Browsers name the origin of every cross-site POST, and in development it is not let in at all.
                for origin in ["https://evil.example", "null"] {
                    let answer = scene.site().send(&ask.clone().with("Origin", origin)).await;
                    assert_eq!(answer.status, 403, "{} {origin}: {answer:?}", deed.name);
                }
            }
        }
        nothing_happened(&scene, deed.name).await;
    }
    // Nor does it sign anybody in, as somebody else, or out.
    let fields = [("login_id", "user-2"), ("password", "tessera-dev"), ("return_to", "/")];
    for from in [From::Elsewhere, From::Here] {
        let form = browser.form("/login", &fields, from).with("Origin", "https://evil.example");
        let answer = browser.send(&form).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (403, None), "{}", answer.text());
    }
    let out = Ask::post("/api/v4/users/logout", "").with("Cookie", browser.cookies());
    let answer = scene.site().send(&out.with("Origin", "https://evil.example")).await;
    assert_eq!((answer.status, answer.header("set-cookie")), (403, None), "{}", answer.text());
    let me = Ask::get("/api/v4/users/me").with("Cookie", browser.cookies());
    assert_eq!(scene.site().send(&me).await.json()["username"], "sysadmin");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_57_a_header_of_a_script_is_believed_only_with_what_no_form_sends() {
    let scene = Scene::set().await;
    let browser = Browser::signed_in(scene.site(), "sysadmin").await;
    let stranger = Browser::signed_in(scene.site(), "user-1").await;
    let (csrf, other) = (browser.jar["MMCSRF"].as_str(), stranger.jar["MMCSRF"].as_str());
    let (token, script) = (("X-CSRF-Token", csrf), ("X-Requested-With", "XMLHttpRequest"));
    let kind = |kind: &'static str| ("Content-Type", kind);
    let bent: String = csrf.chars().rev().collect();
    for deed in deeds() {
        for headers in [
            vec![("X-CSRF-Token", other)],
            vec![("X-CSRF-Token", bent.as_str())],
            vec![("X-CSRF-Token", "")],
            vec![("X-CSRF-Token", other), script, kind("application/json")],
            vec![token, kind(URLENCODED)],
            vec![token, kind(MULTIPART)],
            vec![script, kind(URLENCODED)],
            vec![script, kind("text/plain")],
            vec![script, kind(MULTIPART)],
            vec![token, kind("application/json"), ("Sec-Fetch-Site", "cross-site")],
            vec![script, kind("application/json"), ("Sec-Fetch-Site", "same-site")],
        ] {
            let ask = Ask::post(deed.target.as_str(), deed.body.as_str()).with("Cookie", browser.cookies());
            let ask = headers.iter().fold(ask, |ask, (name, value)| ask.with(name, *value));
            let answer = scene.site().send(&ask).await;
            assert!(refused(&answer, &deed), "{} {headers:?}: {answer:?}", deed.name);
        }
        nothing_happened(&scene, deed.name).await;
    }
    // What the site's own pages send is served.
    let call = || deeds().swap_remove(3);
    for (count, headers) in [
        vec![token, kind("application/json"), ("Sec-Fetch-Site", "same-origin")],
        vec![token, kind("text/plain;charset=UTF-8")],
        vec![token],
        vec![script, kind("application/json")],
        vec![script],
    ]
    .into_iter()
    .enumerate()
    {
        let ask = Ask::post(call().target, call().body).with("Cookie", browser.cookies());
        let ask = headers.iter().fold(ask, |ask, (name, value)| ask.with(name, *value));
        let answer = scene.site().send(&ask).await;
        assert_eq!(answer.json()["type"], "ok", "{headers:?}: {}", answer.text());
        assert_eq!(scene.fake.calls_to("/forged").len(), count + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_57_a_bearer_needs_no_content_type_and_no_proof() {
    let scene = Scene::set().await;
    let (token, _) = scene.site().tokens(&scene.user, &scene.fake, "hello").await;
    for kind in
        [None, Some("application/json"), Some("text/plain"), Some(URLENCODED), Some(MULTIPART), Some("?")]
    {
        let body = json!({"kind": kind}).to_string();
        let ask = Ask::post(tessera_testkit::site::OAUTH2_USER, body.as_str()).bearer(&token);
        let ask = kind.into_iter().fold(ask, |ask, kind| ask.with("Content-Type", kind));
        // A cookie beside it changes nothing: the header wins.
        let answer = scene.site().send(&ask.with("Cookie", "MMAUTHTOKEN=another")).await;
        assert_eq!(answer.status, 200, "{kind:?}: {}", answer.text());
        assert_eq!(scene.site().record(&token).await, body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_57_cookies_of_a_session_do_not_go_along_with_what_other_sites_post() {
    let scene = Scene::set().await;
    let mut browser = Browser::new(scene.site());
    let page = browser.sign_in("user-1", "/").await;
    let login = json!({"login_id": "user-1", "password": "tessera-dev"}).to_string();
    let api = scene.site().send(&Ask::post("/api/v4/users/login", login)).await;
    let out = Ask::post("/api/v4/users/logout", "").with("Cookie", browser.cookies());
    let out = scene.site().send(&out.with("X-CSRF-Token", browser.jar["MMCSRF"].as_str())).await;
    assert_eq!(out.status, 200, "{}", out.text());
    for (answer, count) in [(&page, 4), (&api, 3), (&out, 3)] {
        let cookies = set_cookies(answer);
        assert_eq!(cookies.len(), count, "{cookies:?}");
        for cookie in cookies {
            let attributes: Vec<&str> = cookie.split("; ").skip(1).collect();
            assert!(attributes.contains(&"SameSite=Lax") && attributes.contains(&"Path=/"), "{cookie}");
            assert!(!attributes.iter().any(|attribute| attribute.starts_with("Domain")), "{cookie}");
            // Scripts of the site read these two, and no other.
            let open = cookie.starts_with("MMCSRF=") || cookie.starts_with("MMUSERID=");
            assert_eq!(attributes.contains(&"HttpOnly"), !open, "{cookie}");
        }
    }
}
