//! Apps that are not there, may not, or were switched off.

use serde_json::json;
use tessera_testkit::fake_app::FakeApp;
use tessera_testkit::site::{OAUTH2_APP, OAUTH2_USER, PLUGIN, flow};
use tessera_testkit::wire::Ask;

use crate::apps::{RECORD, Scene};
use crate::form;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_app_is_not_found_wherever_it_is_named() {
    let scene = Scene::set().await;
    let site = scene.site();
    for id in ["nobody", "..", "a%2Fb", "%00", "x' OR '1'='1", &"a".repeat(4_000), "%F0%9F%99%82"] {
        let escaped = id.replace(' ', "%20").replace('\'', "%27");
        for end in ["connect", "complete?state=a.b"] {
            let reply = site.send(&Ask::get(flow(&escaped, end)).bearer(&scene.user.token)).await;
            assert!(matches!(reply.status, 400 | 404), "{end} of {id:.20}: {reply:?}");
            form::check(&reply, id);
        }
        let reply =
            site.send(&Ask::get(format!("{PLUGIN}/api/v1/apps/{escaped}")).bearer(&scene.admin.token)).await;
        assert!(matches!(reply.status, 400 | 404), "{id:.20}: {reply:?}");
        form::check(&reply, id);
    }
    for id in ["nobody", "..", "a/b", "\u{0}", "x' OR '1'='1", &"a".repeat(4_000)] {
        let call = json!({"path": "/x", "context": {"app_id": id}});
        let reply = site.post(&scene.user.token, "/call", &call).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.json()["type"], "error", "{reply:?}");
        assert_eq!(reply.json()["text"], format!("app {id} is not installed: not found"), "{reply:?}");
        for route in ["/install-app", "/uninstall-app", "/enable-app", "/disable-app"] {
            let which = json!({"app_id": id, "deploy_type": "http"});
            let reply = site.post(&scene.admin.token, route, &which).await;
            assert!(matches!(reply.status, 400 | 404), "{route} {id:.20}: {reply:?}");
            form::check(&reply, route);
        }
    }
    scene.stands("unknown Apps").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_app_is_refused_everywhere_at_once_and_keeps_what_it_stored() {
    let scene = Scene::set().await;
    let site = scene.site();
    let (acting, bot) = site.tokens(&scene.user, &scene.fake, "hello").await;
    let state = scene.begin(&scene.user).await;
    let which = json!({"app_id": "hello"});
    let reply = site.post(&scene.admin.token, "/disable-app", &which).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let calls = scene.fake.calls().len();

    for token in [&acting, &bot] {
        for ask in [
            Ask::get(OAUTH2_USER),
            Ask::post(OAUTH2_USER, "{}"),
            Ask::new("DELETE", OAUTH2_USER),
            Ask::post(OAUTH2_APP, "{}"),
            Ask::get("/api/v4/users/me"),
        ] {
            let reply = site.send(&ask.clone().bearer(token)).await;
            assert_eq!(reply.status, 401, "{} {}: {}", ask.method, ask.target, reply.text());
            form::check(&reply, &ask.target);
        }
    }
    let text = "app is disabled by the administrator: hello: forbidden";
    let reply = scene.call("/x").await;
    assert_eq!((reply["type"].as_str(), reply["text"].as_str()), (Some("error"), Some(text)));
    let reply = site.send(&Ask::get(flow("hello", "connect")).bearer(&scene.user.token)).await;
    assert_eq!((reply.status, reply.text()), (403, format!("{text}\n")));
    let query = format!("code=c&state={state}");
    let reply = scene.complete(&scene.user, &query).await;
    assert_eq!((reply.status, reply.text()), (403, format!("{text}\n")));
    assert_eq!(scene.fake.calls().len(), calls, "a disabled App was called");

    let reply = site.post(&scene.admin.token, "/enable-app", &which).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    // The refused callback consumed nothing, the old tokens stay dead, and the record is there.
    assert_eq!(scene.complete(&scene.user, &query).await.status, 200);
    assert_eq!(site.send(&Ask::get(OAUTH2_USER).bearer(&acting)).await.status, 401);
    let (token, _) = site.tokens(&scene.user, &scene.fake, "hello").await;
    assert_eq!(site.record(&token).await, RECORD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_without_the_permission_stores_nothing_and_connects_nobody() {
    let scene = Scene::set().await;
    let site = scene.site();
    let poor = FakeApp::start().await;
    site.install(&scene.admin, &poor.manifest("poor", &["act_as_bot", "act_as_user"])).await;
    let (acting, bot) = site.tokens(&scene.user, &poor, "poor").await;
    let text = "poor is not authorized to use remote OAuth2: unauthorized\n";
    for ask in [
        Ask::get(OAUTH2_USER).bearer(&acting),
        Ask::post(OAUTH2_USER, "{}").bearer(&acting),
        Ask::new("DELETE", OAUTH2_USER).bearer(&acting),
        Ask::post(OAUTH2_APP, "{}").bearer(&bot),
        Ask::get(flow("poor", "complete?state=a.b")).bearer(&scene.user.token),
    ] {
        let reply = site.send(&ask).await;
        assert_eq!((reply.status, reply.text().as_str()), (401, text), "{} {}", ask.method, ask.target);
    }
    let reply = site.send(&Ask::get(flow("poor", "connect")).bearer(&scene.user.token)).await;
    assert_eq!((reply.status, reply.text().as_str()), (401, "poor is not authorized to use OAuth2\n"));
    assert!(poor.calls_to("/oauth2/connect").is_empty());
}
