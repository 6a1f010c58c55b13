//! R05 on the wire: what the App is told, and what whoever comes back gets (section 15.3).

use serde_json::json;
use tessera_testkit::fake_app::Answer as AppAnswer;
use tessera_testkit::site::{OAUTH2_USER, flow};
use tessera_testkit::wire::{Ask, send};

use crate::scene::{APP, MISMATCH, Scene, said};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_oc_08_complete_tells_the_app_and_closes_the_window() {
    let scene = Scene::set().await;
    let state = scene.begin(&scene.user).await;
    // Of an argument that comes twice the first counts, unless it decides.
    let answer =
        scene.complete(&scene.user, &format!("code=c%2F1+2&state={state}&scope=a&scope=b&empty=")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.header("content-type").unwrap().starts_with("text/html"));
    assert!(answer.text().contains("Completed connecting your account. Please close this window."));
    assert!(answer.text().contains("window.close()"));

    let calls = scene.completions();
    assert_eq!(calls.len(), 1);
    let call = &calls[0];
    assert_eq!(call["path"], "/oauth2/complete");
    assert_eq!(call["values"], json!({"code": "c/1 2", "state": state, "scope": "a", "empty": ""}));
    let expand = json!({
        "acting_user": "summary", "acting_user_access_token": "all", "oauth2_app": "all", "oauth2_user": "all",
    });
    assert_eq!(call["expand"], expand);
    let oauth2 = &call["context"]["oauth2"];
    assert!(oauth2.get("user").is_none(), "nothing was stored before: {oauth2}");
    let root = format!("http://localhost:{}", scene.site().address.port());
    assert_eq!(oauth2["complete_url"], format!("{root}{}", flow(APP, "complete")));
    assert_eq!(call["context"]["acting_user"]["id"], scene.user.id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_oc_09_a_used_state_is_a_mismatch() {
    let scene = Scene::set().await;
    let query = format!("code=c&state={}", scene.begin(&scene.user).await);
    assert_eq!(scene.complete(&scene.user, &query).await.status, 200);
    assert_eq!(said(&scene.complete(&scene.user, &query).await), (403, MISMATCH.to_owned()));
    assert_eq!(scene.completions().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_oc_10_without_a_state_nothing_completes() {
    let scene = Scene::set().await;
    for query in ["code=c", "code=c&state=", ""] {
        let answer = scene.complete(&scene.user, query).await;
        assert_eq!(said(&answer), (401, "no state arg in the URL: unauthorized\n".to_owned()), "{query}");
    }
    assert!(scene.completions().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_oc_11_another_users_state_is_forbidden_and_works_for_its_owner() {
    let scene = Scene::set().await;
    let query = format!("code=c&state={}", scene.begin(&scene.user).await);
    assert_eq!(said(&scene.complete(&scene.admin, &query).await), (403, "forbidden\n".to_owned()));
    assert!(scene.completions().is_empty());
    assert_eq!(scene.complete(&scene.user, &query).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_oc_12_a_state_lives_for_fifteen_minutes() {
    let scene = Scene::set().await;
    let (early, late) = (scene.begin(&scene.user).await, scene.begin(&scene.user).await);
    scene.server.clock.advance_ms((14 * 60 + 59) * 1000);
    assert_eq!(scene.complete(&scene.user, &format!("code=c&state={early}")).await.status, 200);
    scene.server.clock.advance_ms(2 * 1000);
    let answer = scene.complete(&scene.user, &format!("code=c&state={late}")).await;
    assert_eq!(said(&answer), (403, MISMATCH.to_owned()));
    assert_eq!(scene.completions().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_oc_13_an_error_of_the_app_is_passed_on_and_the_state_is_spent() {
    let scene = Scene::set().await;
    for (answer, text) in [
        (json!({"type": "error", "text": "no such code"}), "no such code\n"),
        (json!({"type": "form"}), "oauth2: unexpected response type from the app: \"form\"\n"),
    ] {
        scene.fake.answer("/oauth2/complete", AppAnswer::Json(answer));
        let query = format!("code=c&state={}", scene.begin(&scene.user).await);
        assert_eq!(said(&scene.complete(&scene.user, &query).await), (500, text.to_owned()));
        scene.fake.answer("/oauth2/complete", AppAnswer::ok());
        assert_eq!(said(&scene.complete(&scene.user, &query).await), (403, MISMATCH.to_owned()));
    }
    assert_eq!(scene.completions().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_oc_14_a_refusal_of_the_provider_reaches_the_app() {
    let scene = Scene::set().await;
    let state = scene.begin(&scene.user).await;
    let answer = scene.complete(&scene.user, &format!("error=access_denied&state={state}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(scene.completions()[0]["values"], json!({"error": "access_denied", "state": state}));
}

/// The App stores this for the user while its complete call is under way.
fn stores_while_completing(scene: &Scene, record: &'static str) {
    let address = scene.site().address;
    scene.fake.answer_with("/oauth2/complete", move |call| async move {
        let token = call.json()["context"]["acting_user_access_token"].as_str().unwrap().to_owned();
        let stored = send(address, &Ask::post(OAUTH2_USER, record).bearer(&token)).await;
        assert_eq!(said(&stored), (200, String::new()));
        AppAnswer::ok()
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_oc_16_what_the_app_stores_while_completing_is_there_at_the_next_call() {
    let scene = Scene::set().await;
    stores_while_completing(&scene, r#"{"access_token":"at-1"}"#);
    let query = format!("code=c&state={}", scene.begin(&scene.user).await);
    assert_eq!(scene.complete(&scene.user, &query).await.status, 200);
    let context = scene.site().context(&scene.user, &scene.fake, APP).await;
    assert_eq!(context["oauth2"]["user"], json!({"access_token": "at-1"}));

    // Connecting again, the App sees what there was.
    let query = format!("code=c&state={}", scene.begin(&scene.user).await);
    assert_eq!(scene.complete(&scene.user, &query).await.status, 200);
    let calls = scene.completions();
    assert_eq!(calls[1]["context"]["oauth2"]["user"], json!({"access_token": "at-1"}));
    let connect = scene.fake.calls_to("/oauth2/connect").pop().unwrap().json();
    assert!(connect["context"]["oauth2"].get("user").is_none(), "connect does not expand it: {connect}");
}
