//! R04 on the wire: what the App is asked, and what whoever clicked gets (section 15.3).

use serde_json::{Value, json};
use tessera_testkit::fake_app::Answer as AppAnswer;
use tessera_testkit::site::{PERMISSIONS, flow};
use tessera_testkit::wire::Ask;

use crate::scene::{APP, Scene, said};

fn default_expand() -> Value {
    json!({"acting_user": "summary", "acting_user_access_token": "all", "oauth2_app": "all"})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_oc_01_connect_asks_the_app_and_leads_to_its_url() {
    let scene = Scene::set().await;
    let (_, bot) = scene.site().tokens(&scene.user, &scene.fake, APP).await;
    scene.site().store_credentials(&bot, "cid", "planted-secret").await;
    let answer = scene.connect(&scene.user).await;

    let calls = scene.fake.calls_to("/oauth2/connect");
    assert_eq!((calls.len(), calls[0].method.as_str()), (1, "POST"));
    let call = calls[0].json();
    let state = call["values"]["state"].as_str().unwrap();
    assert_eq!(call["path"], "/oauth2/connect");
    assert_eq!(call["values"], json!({"state": state}));
    assert_eq!(call["expand"], default_expand());
    assert!(call.get("state").is_none(), "{call}");
    let (random, user) = state.split_once('.').unwrap();
    assert_eq!((random.len(), user), (43, scene.user.id.as_str()));

    let context = &call["context"];
    let root = format!("http://localhost:{}", scene.site().address.port());
    let own = |end: &str| format!("{root}{}", flow(APP, end));
    assert_eq!(
        context["oauth2"],
        json!({
            "client_id": "cid", "client_secret": "planted-secret",
            "connect_url": own("connect"), "complete_url": own("complete"),
        })
    );
    assert_eq!(context["acting_user"]["id"], scene.user.id);
    assert!(!context["acting_user_access_token"].as_str().unwrap().is_empty());
    for absent in ["user_agent", "subject"] {
        assert!(context.get(absent).is_none(), "{absent}: {context}");
    }

    let url = format!("https://provider.example/a?client_id=cid&state={state}");
    let anchor = format!("<a href=\"{}\">Temporary Redirect</a>.\n\n", url.replace('&', "&amp;"));
    assert_eq!(said(&answer), (307, anchor));
    assert_eq!(answer.header("location"), Some(url.as_str()));
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(answer.header("set-cookie"), None, "a token of one's own needs no cookie");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_oc_02_an_answer_without_a_type_is_a_success() {
    let scene = Scene::set().await;
    scene.fake.answer_with("/oauth2/connect", |call| async move {
        let state = call.json()["values"]["state"].as_str().unwrap().to_owned();
        AppAnswer::Json(json!({"data": format!("https://provider.example/ü?state={state}")}))
    });
    let answer = scene.connect(&scene.user).await;
    assert_eq!(answer.status, 307, "{}", answer.text());
    assert!(answer.header("location").unwrap().starts_with("https://provider.example/%c3%bc?state="));
    assert!(answer.text().contains("https://provider.example/ü?state="));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_oc_03_an_answer_whose_data_is_no_string_is_an_error() {
    let scene = Scene::set().await;
    for (data, name) in [
        (json!({"url": "https://provider.example"}), "map[string]interface {}"),
        (json!(null), "<nil>"),
        (json!(true), "bool"),
        (json!(1.5), "float64"),
        (json!([]), "[]interface {}"),
    ] {
        scene.fake.answer("/oauth2/connect", AppAnswer::Json(json!({"type": "ok", "data": data})));
        let text =
            format!("oauth2: unexpected data type from the app: {name}, expected string (connect URL)\n");
        assert_eq!(said(&scene.connect(&scene.user).await), (500, text));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_oc_04_an_answer_of_another_type_is_an_error() {
    let scene = Scene::set().await;
    for kind in ["form", "navigate", "call"] {
        scene
            .fake
            .answer("/oauth2/connect", AppAnswer::Json(json!({"type": kind, "data": "https://a.example"})));
        let text = format!("oauth2: unexpected response type from the app: \"{kind}\"\n");
        assert_eq!(said(&scene.connect(&scene.user).await), (500, text));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_oc_05_an_error_of_the_app_is_passed_on() {
    let scene = Scene::set().await;
    scene.fake.answer("/oauth2/connect", AppAnswer::Json(json!({"type": "error", "text": "boom"})));
    assert_eq!(said(&scene.connect(&scene.user).await), (500, "boom\n".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_oc_06_an_app_without_the_permission_connects_nobody() {
    let scene = Scene::set().await;
    scene.site().install(&scene.admin, &scene.fake.manifest("plain", &PERMISSIONS[..2])).await;
    let connect = scene.open(&scene.user, &flow("plain", "connect")).await;
    assert_eq!(said(&connect), (401, "plain is not authorized to use OAuth2\n".to_owned()));
    let complete = scene.open(&scene.user, &format!("{}?code=c&state=s", flow("plain", "complete"))).await;
    let text = "plain is not authorized to use remote OAuth2: unauthorized\n";
    assert_eq!(said(&complete), (401, text.to_owned()));
    assert!(scene.fake.calls().iter().all(|call| !call.path().starts_with("/oauth2/")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_oc_07_an_app_that_is_not_there_or_disabled_connects_nobody() {
    let scene = Scene::set().await;
    let state = scene.begin(&scene.user).await;
    let off = scene.site().post(&scene.admin.token, "/disable-app", &json!({"app_id": APP})).await;
    assert_eq!(off.status, 200, "{}", off.text());
    for (app, status) in [("nobody", 404), (APP, 403)] {
        for end in ["connect".to_owned(), format!("complete?code=c&state={state}")] {
            let answer = scene.open(&scene.user, &flow(app, &end)).await;
            assert_eq!(answer.status, status, "{app} {end}: {}", answer.text());
        }
    }
    assert_eq!(scene.fake.calls_to("/oauth2/connect").len(), 1);
    assert!(scene.completions().is_empty());
    let on = scene.site().post(&scene.admin.token, "/enable-app", &json!({"app_id": APP})).await;
    assert_eq!(on.status, 200, "{}", on.text());
    let answer = scene.complete(&scene.user, &format!("code=c&state={state}")).await;
    assert_eq!(answer.status, 200, "what was refused was not spent: {}", answer.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_oc_15_an_overridden_path_keeps_the_default_expand() {
    let scene = Scene::set().await;
    let mut manifest = scene.fake.manifest("moved", &PERMISSIONS);
    manifest["get_oauth2_connect_url"] = json!({"path": "/begin/here"});
    manifest["on_oauth2_complete"] = json!({"path": "/end/here"});
    scene.site().install(&scene.admin, &manifest).await;
    scene.fake.answer("/begin/here", AppAnswer::Json(json!({"type": "error", "text": "seen"})));
    let answer = scene.open(&scene.user, &flow("moved", "connect")).await;
    assert_eq!(said(&answer), (500, "seen\n".to_owned()));
    let call = scene.fake.calls_to("/begin/here").pop().unwrap().json();
    assert_eq!((&call["path"], &call["expand"]), (&json!("/begin/here"), &default_expand()));
    assert!(scene.fake.calls_to("/oauth2/connect").is_empty());
    let state = call["values"]["state"].as_str().unwrap();
    let answer = scene.open(&scene.user, &format!("{}?state={state}", flow("moved", "complete"))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(scene.fake.calls_to("/end/here").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_and_apps_connect_nothing() {
    let scene = Scene::set().await;
    let (user_token, bot_token) = scene.site().tokens(&scene.user, &scene.fake, APP).await;
    for end in ["connect", "complete?code=c&state=s"] {
        let answer = scene.site().send(&Ask::get(flow(APP, end))).await;
        assert_eq!(said(&answer), (401, "user ID is required: unauthorized\n".to_owned()), "{end}");
        for token in [&user_token, &bot_token] {
            let answer = scene.site().send(&Ask::get(flow(APP, end)).bearer(token)).await;
            assert_eq!(answer.status, 403, "{end}: {}", answer.text());
        }
    }
    assert!(scene.fake.calls().iter().all(|call| !call.path().starts_with("/oauth2/")));
}
