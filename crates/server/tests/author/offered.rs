//! The local provider: whose client it makes the App, and what it leaves alone.

#![cfg(feature = "demo")]

use serde_json::{Value, json};
use tessera_testkit::fake_app::{Answer, FakeApp};
use tessera_testkit::site::PERMISSIONS;

use crate::process::Dev;

async fn app(permissions: &[&str]) -> FakeApp {
    let app = FakeApp::start().await;
    app.answer("/manifest.json", Answer::Json(app.manifest("mine", permissions)));
    app
}

/// What the App is told of its client.
async fn client(dev: &Dev, app: &FakeApp) -> Value {
    let user = dev.site.sign_in("user-1").await;
    dev.site.context(&user, app, "mine").await["oauth2"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_app_becomes_a_client_and_its_record_is_kept_fit_in_later_runs() {
    let data = tempfile::tempdir().unwrap();
    let app = app(&PERMISSIONS).await;
    let mut dev = Dev::start(&app.root_url(), data.path(), &[]).await;
    dev.next("installed").await;
    let first = dev.next("provider").await;
    assert_eq!(first["stored"], true, "{first}");
    assert!(first["client_secret"].is_null(), "what is stored need not be seen: {first}");
    let stored = client(&dev, &app).await;
    assert_eq!(stored["client_id"], "tessera-dev-mine");
    assert_eq!(stored["remote_root_url"], first["provider_url"]);
    dev.interrupt().await;

    // With a port of 0 the provider is elsewhere now.
    let mut dev = Dev::start(&app.root_url(), data.path(), &[]).await;
    dev.next("installed").await;
    let second = dev.next("provider").await;
    let stored = client(&dev, &app).await;
    assert_eq!((&second["stored"], &stored["remote_root_url"]), (&json!(true), &second["provider_url"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_author_configured_is_left_alone() {
    let data = tempfile::tempdir().unwrap();
    let app = app(&PERMISSIONS).await;
    let mut dev = Dev::start(&app.root_url(), data.path(), &["--no-provider"]).await;
    dev.next("installed").await;
    let admin = dev.site.sign_in("sysadmin").await;
    let (token, _) = dev.site.tokens(&admin, &app, "mine").await;
    dev.site.store_credentials(&token, "the-authors-own", "and-its-secret").await;
    dev.interrupt().await;

    let mut dev = Dev::start(&app.root_url(), data.path(), &[]).await;
    dev.next("installed").await;
    let told = dev.next("provider").await;
    assert_eq!(told["stored"], false, "{told}");
    assert!(!told["client_secret"].as_str().unwrap().is_empty(), "{told}");
    let stored = client(&dev, &app).await;
    let both = (&stored["client_id"], &stored["client_secret"]);
    assert_eq!(both, (&json!("the-authors-own"), &json!("and-its-secret")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_without_oauth2_is_told_how_to_ask_for_it() {
    let data = tempfile::tempdir().unwrap();
    let app = app(&["act_as_bot"]).await;
    let mut dev = Dev::start(&app.root_url(), data.path(), &[]).await;
    dev.next("installed").await;
    let told = dev.next("no_oauth2").await;
    assert!(told["text"].as_str().unwrap().contains("\"act_as_user\", \"remote_oauth2\""), "{told}");
    dev.next("next").await;
    app.answer("/manifest.json", Answer::Json(app.manifest("mine", &PERMISSIONS)));
    dev.next("installed").await;
    assert_eq!(dev.next("provider").await["stored"], true);
}
