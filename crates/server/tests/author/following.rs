//! `tessera dev`: an App that is not there yet, changes, breaks, goes and comes back.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tessera_testkit::child::run;
use tessera_testkit::fake_app::{Answer, FakeApp};

use crate::process::{Dev, tessera};
use crate::socket::Socket;

const REFRESH: &str = "custom_com.mattermost.apps_refresh_bindings";

/// An App whose manifest the test changes, and which can be as good as gone.
struct Author {
    app: FakeApp,
    answer: Arc<Mutex<Answer>>,
}

impl Author {
    async fn start(manifest: impl FnOnce(&FakeApp) -> Answer) -> Self {
        let app = FakeApp::start().await;
        let answer = Arc::new(Mutex::new(manifest(&app)));
        let shown = Arc::clone(&answer);
        app.answer_with("/manifest.json", move |_| {
            let answer = shown.lock().unwrap().clone();
            async move { answer }
        });
        app.answer("/bindings", bindings(&["greet"]));
        Self { app, answer }
    }

    fn shows(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }
}

fn bindings(commands: &[&str]) -> Answer {
    let children: Vec<Value> =
        commands.iter().map(|name| json!({"location": name, "submit": {"path": "/x"}})).collect();
    let top = json!({"location": "mine", "bindings": children});
    Answer::Json(json!({"type": "ok", "data": [{"location": "/command", "bindings": [top]}]}))
}

fn manifest(app: &FakeApp, permissions: &[&str]) -> Value {
    app.manifest("mine", permissions)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_is_waited_for_listed_installed_and_listed_anew_when_it_changes() {
    let data = tempfile::tempdir().unwrap();
    let author = Author::start(|_| Answer::Close).await;
    let mut dev = Dev::start(&author.app.root_url(), data.path(), &["--no-provider"]).await;
    let waiting = dev.next("waiting").await;
    assert_eq!(waiting["manifest_url"], format!("{}/manifest.json", author.app.root_url()));

    author.shows(Answer::Json(manifest(&author.app, &[])));
    assert_eq!(dev.next("installed").await["how"], "new");
    let next = dev.next("next").await;
    assert_eq!(next["commands"], json!([{"command": "/mine greet", "description": ""}]));

    let mut changed = manifest(&author.app, &["act_as_bot"]);
    changed["requested_locations"] = json!(["/command", "/post_menu"]);
    changed["version"] = json!("v2");
    author.shows(Answer::Json(changed));
    let installed = dev.next("installed").await;
    let changes = json!([
        "permission added: act_as_bot",
        "location added: /post_menu",
        "version: \"v1.0.0\" became \"v2\"",
    ]);
    assert_eq!((&installed["how"], &installed["changes"]), (&json!("changed"), &changes));
    dev.next("next").await;

    // The site has what was said.
    let admin = dev.site.sign_in("sysadmin").await;
    let ask = tessera_testkit::wire::Ask::get(format!("{}/apps/mine", tessera_testkit::site::API));
    let record = dev.site.send(&ask.bearer(&admin.token)).await.json();
    assert_eq!(record["granted_permissions"], json!(["act_as_bot"]));
    assert_eq!(dev.interrupt().await, ["stopped"]);

    // Another run finds the App installed, and installs nothing.
    let mut again = Dev::start(&author.app.root_url(), data.path(), &["--no-provider"]).await;
    assert_eq!(again.next("installed").await["how"], "as before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_manifest_is_told_once_with_every_rule_and_the_old_listing_stays() {
    let data = tempfile::tempdir().unwrap();
    let author = Author::start(|app| Answer::Json(manifest(app, &[]))).await;
    let mut dev = Dev::start(&author.app.root_url(), data.path(), &["--no-provider"]).await;
    dev.next("installed").await;
    dev.next("next").await;

    let mut broken = manifest(&author.app, &["remote_oauth2"]);
    broken["display_name"] = json!("");
    broken["version"] = json!("much too long a version");
    author.shows(Answer::Json(broken));
    let told = dev.next("broken").await;
    let problems: Vec<&str> =
        told["problems"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    for rule in ["display_name is empty", "too long", "requires use Mattermost REST API as connected users"] {
        assert!(problems.iter().any(|problem| problem.contains(rule)), "{rule}: {problems:?}");
    }
    // What one can do about it stands beside each.
    assert!(
        problems.iter().any(|problem| problem.contains("remote_oauth2 needs act_as_user")),
        "{problems:?}"
    );

    // Still the same manifest: nothing is said again before it changes.
    for _ in 0..2 {
        author.app.next_call("/manifest.json").await;
    }
    author.shows(Answer::Raw(status(200), "text/plain", "<html>".into()));
    let told = dev.next("broken").await;
    assert!(told["problems"][0].as_str().unwrap().contains("not a manifest"), "{told}");
    let user = dev.site.sign_in("user-1").await;
    let commands = tessera_testkit::wire::Ask::get(format!("{}/bindings", tessera_testkit::site::API));
    let shown = dev.site.send(&commands.bearer(&user.token)).await.text();
    assert!(shown.contains("greet"), "the old listing stays: {shown}");

    author.shows(Answer::Json(manifest(&author.app, &[])));
    dev.next("back").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_that_comes_back_shows_open_clients_its_new_commands() {
    let data = tempfile::tempdir().unwrap();
    let author = Author::start(|app| Answer::Json(manifest(app, &[]))).await;
    let mut dev = Dev::start(&author.app.root_url(), data.path(), &["--no-provider"]).await;
    dev.next("installed").await;
    dev.next("next").await;
    let user = dev.site.sign_in("user-1").await;
    let mut client = Socket::open(dev.site, &user).await;

    author.shows(Answer::Close);
    assert_eq!(dev.next("gone").await["event"], "gone");
    author.app.answer("/bindings", bindings(&["greet", "two words"]));
    author.shows(Answer::Json(manifest(&author.app, &[])));
    dev.next("back").await;
    let told = dev.next("bindings").await;
    assert!(told["problems"][0].as_str().unwrap().contains("has multiple words"), "{told}");
    while client.next().await["event"] != REFRESH {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_keeps_an_app_from_being_installed_is_told_until_it_is_mended() {
    let data = tempfile::tempdir().unwrap();
    let author = Author::start(|app| Answer::Json(manifest(app, &[]))).await;
    author.app.answer("/ping", Answer::Raw(status(500), "text/plain", "on fire".into()));
    let mut dev = Dev::start(&author.app.root_url(), data.path(), &["--no-provider"]).await;
    let told = dev.next("broken").await;
    assert!(told["problems"][0].as_str().unwrap().contains("on fire"), "{told}");
    author.app.answer("/ping", Answer::ok());
    assert_eq!(dev.next("installed").await["how"], "new");
}

fn status(code: u16) -> http::StatusCode {
    http::StatusCode::from_u16(code).unwrap()
}

#[test]
fn a_port_that_is_taken_and_an_address_that_is_none_are_named() {
    let data = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let mut command = tessera(&["dev", "http://localhost:1", "--listen", &listen]);
    command.arg("--data").arg(data.path());
    let (status, text) = run(command);
    assert_eq!(status.code(), Some(1), "{text}");
    assert!(text.contains(&listen) && text.contains("choose another port with --listen"), "{text}");

    let (status, text) = run(tessera(&["dev", "localhost:4000"]));
    assert_eq!(status.code(), Some(2), "{text}");
    assert!(text.contains("http://localhost:4000"), "{text}");
}
