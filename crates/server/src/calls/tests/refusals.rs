//! Calls that never reach the App (apps-framework.md section 2.7), and what is answered instead.

use std::time::Duration;

use tessera_testkit::fake_app::Answer;
use tessera_types::{Call, Context, DeployType};
use tokio::time::Instant;

use super::super::Profile;
use super::stage::*;

async fn text(scene: &Scene, path: &str) -> String {
    let outcome = scene.invoke(ANN, to(path)).await;
    assert!(outcome.response.is_error());
    assert_eq!(outcome.metadata.bot_user_id, BOT, "errors after the App is known say who it is");
    assert!(scene.app.calls().is_empty(), "the App was not reached");
    outcome.response.text
}

#[tokio::test]
async fn nobody_and_nothing() {
    let scene = Scene::new().await;
    let outcome = scene.calls.invoke(None, to("/send"), "r", soon()).await;
    assert_eq!(outcome.response.text, "user ID is required: unauthorized");
    assert_eq!(outcome.metadata, Default::default());
    let mut request = to("/send");
    request.context = Context { app_id: "nobody".into(), ..Context::default() };
    let outcome = scene.invoke(ANN, request).await;
    assert_eq!(outcome.response.text, "app nobody is not installed: not found");
    assert_eq!(outcome.metadata, Default::default());
}

#[tokio::test]
async fn disabled_apps() {
    let scene = Scene::with(Profile::Documented, ALL, |app| app.disabled = true).await;
    let outcome = scene.invoke(ANN, to("/send")).await;
    assert_eq!(outcome.response.text, "app is disabled by the administrator: hello-oauth2: forbidden");
    assert_eq!(outcome.metadata, Default::default());
}

#[tokio::test]
async fn paths_that_are_none() {
    let scene = Scene::new().await;
    for path in ["", "send", "https://x/y"] {
        let wanted = format!("call path must start with a \"/\": \"{path}\": invalid input");
        assert_eq!(text(&scene, path).await, wanted);
    }
}

#[tokio::test]
async fn c_cl_01_the_servers_own_paths_are_forbidden() {
    let scene = Scene::new().await;
    for (path, label) in [
        ("/ping", "/ping"),
        ("/oauth2/connect", "get_oauth2_connect_url.path"),
        ("/oauth2/complete", "on_oauth2_complete.path"),
        ("/webhook", "on_remote_webhook.path"),
    ] {
        let wanted = format!("forbidden call path: path {path} defined as {label}");
        assert_eq!(text(&scene, path).await, wanted);
        assert_eq!(text(&scene, &format!("/x/..{path}/")).await, wanted, "also by a detour");
    }
    for open in ["/webhook/x", "/bindings", "/pingx"] {
        assert_eq!(scene.invoke(ANN, to(open)).await.response.kind, "ok", "{open}");
    }
}

#[tokio::test]
async fn c_cl_02_the_manifests_own_callbacks_are_forbidden() {
    let scene = Scene::with(Profile::Documented, ALL, |app| {
        let manifest = &mut app.manifest;
        let at = |name: &str| Some(Call::new(format!("/prefix/{name}")));
        manifest.on_install = at("on_install");
        manifest.on_uninstall = at("on_uninstall");
        manifest.on_version_changed = at("on_version_changed");
        manifest.on_enable = at("on_enable");
        manifest.on_disable = at("on_disable");
        manifest.get_oauth2_connect_url = at("get_oauth2_connect_url");
        manifest.on_oauth2_complete = at("on_oauth2_complete");
        manifest.on_remote_webhook = at("on_remote_webhook");
    })
    .await;
    for name in [
        "on_install",
        "on_uninstall",
        "on_version_changed",
        "on_enable",
        "on_disable",
        "get_oauth2_connect_url",
        "on_oauth2_complete",
        "on_remote_webhook",
    ] {
        let path = format!("/prefix/{name}");
        assert_eq!(
            text(&scene, &path).await,
            format!("forbidden call path: path {path} defined as {name}.path")
        );
    }
    assert_eq!(scene.invoke(ANN, to("/oauth2/connect")).await.response.kind, "ok", "not the one in effect");
}

#[tokio::test]
async fn apps_that_run_otherwise() {
    let scene =
        Scene::with(Profile::Documented, ALL, |app| app.deploy_type = Some(DeployType::AwsLambda)).await;
    assert_eq!(
        text(&scene, "/send").await,
        "no available upstream for hello-oauth2: deployment type \"AWS Lambda\" is not configured on this Mattermost \
         server"
    );
}

#[tokio::test]
async fn a_slow_app_costs_no_more_than_the_callers_time() {
    let scene = Scene::new().await;
    scene.app.answer("/send", Answer::Hang);
    let deadline = Instant::now() + Duration::from_millis(150);
    let outcome = scene.calls.invoke(Some(&identity(ANN)), to("/send"), "r", deadline).await;
    let root = scene.app.root_url();
    assert_eq!(
        outcome.response.text,
        format!(
            "upstream call failed: failed to invoke via HTTP: Post \"{root}/send\": context deadline exceeded"
        )
    );
}
