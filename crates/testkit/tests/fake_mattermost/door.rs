//! The front door, the sign-in page, and a site below a path.

use serde_json::json;
use tessera_testkit::browser::{Browser, From, set_cookies};
use tessera_testkit::fake_app::{Answer as Said, FakeApp};
use tessera_testkit::fake_mattermost::{FakeMattermost, FrontDoor, Version};
use tessera_testkit::site::{PLUGIN, Site};
use tessera_testkit::wire::{Ask, send};

use crate::Scene;

#[tokio::test]
async fn the_framework_s_path_leads_to_the_service_and_all_else_to_mattermost() {
    let scene = Scene::of(Version::V11_6).await;
    let service = FakeApp::start().await;
    let door = FrontDoor::start(scene.mattermost.address(), None).await;
    let path = format!("{PLUGIN}/api/v1/x?y=1");
    let ask = Ask::post(path.clone(), "body")
        .with("Mattermost-User-Id", "forged")
        .with("mattermost-plugin-id", "forged")
        .with("Mattermost-Session-Id", "forged")
        .with("X-Forwarded-For", "forged")
        .with("X-Forwarded-Proto", "https")
        .with("Host", "chat.example.com");
    assert_eq!(send(door.address(), &ask).await.status, 502, "nobody is there yet");
    let port = service.root_url().rsplit(':').next().unwrap().parse::<u16>().unwrap();
    door.set_service(([127, 0, 0, 1], port).into());
    service.answer(&format!("{PLUGIN}/api/v1/x"), Said::Json(json!({"from": "service"})));
    assert_eq!(send(door.address(), &ask).await.json()["from"], "service");
    let call = &service.calls()[0];
    assert_eq!((call.target.as_str(), call.text()), (path.as_str(), "body"));
    let header = |name: &str| {
        let values = call.headers.get_all(name).iter();
        values.map(|one| one.to_str().unwrap()).collect::<Vec<_>>().join("; ")
    };
    for (name, value) in [
        ("host", "chat.example.com"),
        ("x-forwarded-host", "chat.example.com"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "http"),
        ("mattermost-user-id", ""),
        ("mattermost-plugin-id", ""),
        ("mattermost-session-id", ""),
    ] {
        assert_eq!(header(name), value, "{name}");
    }
    let ping = send(door.address(), &Ask::get("/api/v4/system/ping").with("Mattermost-User-Id", "x")).await;
    assert_eq!(ping.json()["status"], "OK");
    assert!(!scene.mattermost.requests().last().unwrap().headers.contains_key("mattermost-user-id"));
    // The path as it is, and not what only begins so.
    let other = send(door.address(), &Ask::get("/plugins/com.mattermost.apps-other/x")).await;
    assert_eq!((other.status, service.calls().len()), (404, 1));
}

fn browser(scene: &Scene) -> Browser {
    Browser::new(Site::at(scene.mattermost.address()))
}

#[tokio::test]
async fn signing_in_leads_back_to_pages_of_mattermost_alone() {
    let scene = Scene::of(Version::V11_6).await;
    let origin = format!("http://localhost:{}", scene.mattermost.address().port());
    for (wanted, led_to) in [
        ("", "/"),
        ("/oauth/authorize?client_id=x&state=y", "/oauth/authorize?client_id=x&state=y"),
        ("/plugins/com.mattermost.apps/apps/hello/oauth2/remote/connect", "/"),
        ("https://evil.example.com", "/"),
        ("//evil.example.com", "/"),
    ] {
        let mut browser = browser(&scene);
        let back: String = url::form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
        let place = format!("/login?redirect_to={back}");
        let page = browser.open(&place, From::Nowhere).await;
        assert!(page.text().contains("name=\"login_id\""));
        let answer = browser.submit(&place, &[("login_id", "ada"), ("password", "ada")]).await;
        assert_eq!(answer.header("location"), Some(format!("{origin}{led_to}").as_str()), "{wanted}");
        assert_eq!(browser.jar["MMUSERID"], scene.ada);
        let only_http = set_cookies(&answer).into_iter().filter(|cookie| cookie.contains("HttpOnly"));
        let names: Vec<&str> = only_http.filter_map(|cookie| cookie.split('=').next()).collect();
        assert_eq!(names, ["MMAUTHTOKEN"]);
        assert_eq!(scene.mattermost.holder(&browser.jar["MMAUTHTOKEN"]), Some(scene.ada.clone()));
    }
    let wrong = browser(&scene).submit("/login", &[("login_id", "ada"), ("password", "no")]).await;
    assert_eq!((wrong.status, wrong.header("set-cookie")), (401, None));
}

#[tokio::test]
async fn an_identity_provider_forgets_what_somebody_came_for() {
    let mattermost = FakeMattermost::builder(Version::V11_6).sso().start().await.unwrap();
    let scene = Scene::with(mattermost);
    let mut browser = browser(&scene);
    let page = browser.open("/login?redirect_to=%2Foauth%2Fauthorize", From::Nowhere).await.text();
    let action = page.split("action=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let answer = browser.submit(action, &[("login_id", "ada"), ("password", "ada")]).await;
    assert!(answer.header("location").unwrap().ends_with('/'), "{}", answer.whole());
}

#[tokio::test]
async fn a_site_lies_below_a_path() {
    let mattermost = FakeMattermost::builder(Version::V11_6).subpath("/chat").start().await.unwrap();
    let scene = Scene::with(mattermost);
    assert!(scene.mattermost.url().ends_with("/chat"));
    let address = scene.mattermost.address();
    let door = FrontDoor::below("/chat", address, None).await;
    assert!(door.url().ends_with("/chat"));
    let ping = |path: &str| Ask::get(format!("{path}/api/v4/system/ping"));
    assert_eq!(send(door.address(), &ping("/chat")).await.status, 200);
    assert_eq!(send(door.address(), &ping("")).await.status, 404);
    assert_eq!(send(door.address(), &Ask::get(format!("/chat{PLUGIN}/x"))).await.status, 502);
    // Cookies and redirects are below it too.
    let form = Ask::post("/chat/login?redirect_to=%2Fchat%2Fplugins%2Fx", "login_id=ada&password=ada");
    let answer = send(address, &form).await;
    assert!(answer.header("set-cookie").unwrap().contains("Path=/chat;"), "{}", answer.whole());
    assert!(answer.header("location").unwrap().ends_with("/chat/"));
    let nobody = send(address, &Ask::get("/chat/api/v4/users/me").with("Cookie", "MMAUTHTOKEN=gone")).await;
    assert!(nobody.header("set-cookie").unwrap().contains("Path=/chat;"), "{}", nobody.whole());
    scene.mattermost.set_site_url(&door.url());
    assert_eq!(send(door.address(), &ping("/chat")).await.status, 200);
}
