//! The last use of a connection: what counts as one, who is told, and that it outlives the process.

use serde_json::{Value, json};
use tessera_server::boot::config::Config;
use tessera_testkit::child::Child;
use tessera_testkit::fake_app::FakeApp;
use tessera_testkit::postgres::Database;
use tessera_testkit::site::{PERMISSIONS, PLUGIN};
use tessera_testkit::wire::Ask;
use tessera_testkit::within::Within;

use crate::scene::{APP, CONNECTIONS, RECORD, Scene};

/// The binary under test.
const TESSERA: &str = env!("CARGO_BIN_EXE_tessera");
const API_USE: &str = "oauth2/user";
const ROOT_KEY: &str = "tessera-root-key-v1:bGFzdC11c2VzLW9mLXR3by1zZXJ2ZXJzLTMyLWJ5dGU";

fn on(database: &Database) -> impl FnOnce(&mut Config) {
    let url = database.url().to_owned();
    move |config| {
        config.store.postgres_url = url;
        config.vault.root_key = ROOT_KEY.to_owned();
        config.site.url = "http://localhost:8065".to_owned();
    }
}

async fn counts(scene: &Scene) {
    let token = scene.connect(&scene.user, APP).await;
    let used = || scene.used(&scene.user);
    assert_eq!(used().await, (Value::Null, Value::Null), "storing is no use");
    let site = scene.site();
    site.context(&scene.user, &scene.fake, APP).await;
    let (first, by) = used().await;
    assert_eq!(by, "/context", "a call whose context held the record");

    scene.server.clock.advance_ms(7_000);
    assert_eq!(site.record(&token).await, RECORD);
    let second = first.as_i64().unwrap() + 7_000;
    assert_eq!(used().await, (json!(second), json!(API_USE)));
    // Once a second is enough there.
    scene.server.clock.advance_ms(1);
    let same_second = second / 1000 == (second + 1) / 1000;
    site.record(&token).await;
    assert_eq!(used().await.0, json!(if same_second { second } else { second + 1 }));

    // What was written is told as what was not; a later use of either kind counts.
    scene.server.grants.keep_uses().await.unwrap();
    assert_eq!(used().await.1, API_USE);
    scene.server.clock.advance_ms(1_000);
    scene.call(&scene.user, "/a/../send?q=1").await;
    let third = second + 1_001;
    assert_eq!(used().await, (json!(third), json!("/send")));
    scene.server.grants.keep_uses().await.unwrap();
    assert_eq!(used().await, (json!(third), json!("/send")));

    // No use: another person's, a call that does not get the record, and what an App stores to disconnect.
    scene.server.clock.advance_ms(1_000);
    let other = site.sign_in("user-2").await;
    scene.connect(&other, APP).await;
    site.post(&scene.user.token, "/call", &json!({"path": "/x", "context": {"app_id": APP}})).await;
    assert_eq!(used().await.0, json!(third));
    scene.server.clock.advance_ms(1_000);
    site.store(&token, "null").await;
    site.record(&token).await;
    site.store(&token, RECORD).await;
    let list = scene.list(&scene.user).await;
    assert_eq!(list[0]["last_used_at"], Value::Null, "connected anew: {list:?}");
    assert!(list[0]["connected_at"].as_i64().unwrap() > third, "since now: {list:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_54_the_last_release_of_a_record_is_told() {
    counts(&Scene::set().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_54_the_last_release_of_a_record_is_told_from_postgres_too() {
    let database = Database::create().await.unwrap();
    counts(&Scene::set_with(on(&database)).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn administrators_see_last_uses_page_by_page() {
    let scene = Scene::set().await;
    let site = scene.site();
    for name in ["user-1", "user-2", "sysadmin"] {
        let who = site.sign_in(name).await;
        let token = scene.connect(&who, APP).await;
        if name != "sysadmin" {
            site.record(&token).await;
        }
        // One is in the store, one in memory, one nowhere.
        if name == "user-1" {
            scene.server.grants.keep_uses().await.unwrap();
        }
    }
    let target = format!("{PLUGIN}/tessera/v1/apps/{APP}/connections");
    let mut after = String::new();
    let mut seen = Vec::new();
    loop {
        let ask = Ask::get(format!("{target}?limit=1&after={after}")).bearer(&scene.admin.token);
        let page = site.send(&ask).await.json();
        let Some(line) = page.as_array().unwrap().first() else { break };
        after = line["user"].as_str().unwrap().to_owned();
        seen.push((after == scene.admin.id, line["last_used_by"].clone(), line["last_used_at"].is_i64()));
    }
    seen.sort_by_key(|(is_admin, ..)| *is_admin);
    let used = (false, json!(API_USE), true);
    assert_eq!(seen, [used.clone(), used, (true, Value::Null, false)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_use_outlives_an_orderly_stop() {
    let data = tempfile::tempdir().unwrap();
    let fake = FakeApp::start().await;
    let child = Child::start(TESSERA, data.path());
    let site = child.site;
    let (admin, user) = (site.sign_in("sysadmin").await, site.sign_in("user-1").await);
    site.install(&admin, &fake.manifest(APP, &PERMISSIONS)).await;
    let (token, _) = site.tokens(&user, &fake, APP).await;
    site.store(&token, RECORD).await;
    site.record(&token).await;
    let list = Ask::get(CONNECTIONS).bearer(&user.token);
    let before = site.send(&list).await.json();
    assert_eq!(before[0]["last_used_by"], API_USE, "{before}");
    child.stop();
    let child = Child::start(TESSERA, data.path());
    assert_eq!(child.site.send(&list).await.json(), before);
    child.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uses_that_cannot_be_written_wait_and_reads_go_on_over_postgres() {
    let database = Database::create().await.unwrap();
    let scene = Scene::set_with(on(&database)).await;
    let token = scene.connect(&scene.user, APP).await;
    let rename = |from: &str, to: &str| format!("ALTER TABLE {from} RENAME TO {to}");
    database.run(&rename("tessera.connection_uses", "uses_gone")).await.unwrap();
    assert_eq!(scene.site().record(&token).await, RECORD);
    scene.server.grants.keep_uses().await.unwrap_err();
    assert_eq!(scene.site().record(&token).await, RECORD);
    database.run(&rename("tessera.uses_gone", "connection_uses")).await.unwrap();
    scene.server.grants.keep_uses().await.unwrap();
    let told = scene.used(&scene.user).await;
    assert_eq!(told.1, API_USE);

    // Another node knows what was written, and tells of what it saw itself.
    let second = Within::start_with(on(&database)).await;
    let list = Ask::get(CONNECTIONS).bearer(&scene.user.token);
    let there = second.site.send(&list).await.json();
    assert_eq!((&there[0]["last_used_at"], &there[0]["last_used_by"]), (&told.0, &told.1));
}
