//! From an empty folder to a connected user, with what `tessera new` writes and `tessera dev` serves.

#![cfg(feature = "demo")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tessera_testkit::browser::{Browser, From};
use tessera_testkit::child::run;
use tessera_testkit::site::{API, Person, Site, flow};
use tessera_testkit::wire::Ask;

use crate::process::{Dev, Running, new, tessera};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_app_in_python_connects_a_user() {
    let folder = tempfile::tempdir().unwrap();
    new(folder.path(), &["--python"]);
    let mut python = Command::new("python3");
    python.arg("app.py").current_dir(folder.path().join("tea-time"));
    walk(python, folder.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_app_in_rust_builds_passes_its_tests_and_connects_a_user() {
    // In one place always, so that a second run finds what the first one built.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("author");
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).unwrap();
    new(&folder, &[]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::copy(root.join("Cargo.lock"), folder.join("tea-time/Cargo.lock")).unwrap();
    let built = tokio::task::spawn_blocking({
        let folder = folder.clone();
        move || {
            let (status, text) = run(cargo(&folder, &["test", "--quiet"]));
            assert!(status.success() && text.contains("2 passed"), "{text}");
            let (status, text) = run(cargo(&folder, &["build"]));
            assert!(status.success(), "{text}");
        }
    });
    built.await.unwrap();
    walk(Command::new(target().join("debug/tea-time")), &folder).await;
}

/// Cargo without a network, with the workspace's own build folder.
fn cargo(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(words).arg("--offline").current_dir(folder.join("tea-time"));
    // As in the workspace: what it has built is used again where it is the same.
    command.env("CARGO_TARGET_DIR", target()).env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
    // What cargo told this test about itself would look like a changed environment to build scripts.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|about| name.starts_with(about)) {
            command.env_remove(name.as_ref());
        }
    }
    command
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned()
}

/// The App is started, followed, connected with, used and disconnected from.
async fn walk(mut app: Command, folder: &Path) {
    app.env("PORT", "0");
    for name in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        app.env_remove(name);
    }
    let mut app = Running::start(app);
    let line = app.line().await;
    let (_, root_url) = line.split_once("tea-time answers on ").unwrap_or_else(|| panic!("{line}"));
    let checked = run_check(root_url.to_owned()).await;
    assert_eq!(checked["findings"], json!([]), "{checked:#}");

    let mut dev = Dev::start(root_url, &folder.join("data"), &[]).await;
    dev.next("installed").await;
    let provider = dev.next("provider").await["provider_url"].as_str().unwrap().to_owned();
    let next = dev.next("next").await;
    let commands: Vec<&Value> =
        next["commands"].as_array().unwrap().iter().map(|one| &one["command"]).collect();
    assert!(commands.contains(&&json!("/tea-time connect")), "{next}");

    let site = dev.site;
    let user = site.sign_in("user-1").await;
    assert!(typed(site, &user, "me").await["text"].as_str().unwrap().contains("not connected"));
    let link = typed(site, &user, "connect").await["text"].as_str().unwrap().to_owned();
    assert!(link.contains(&flow("tea-time", "connect")), "{link}");
    connect(site, &provider).await;
    assert_eq!(typed(site, &user, "me").await["text"], "At the provider you are `ada`.");
    assert_eq!(typed(site, &user, "disconnect").await["text"], "Your account is forgotten.");
    assert_eq!(typed(site, &user, "me").await["type"], "error");
    dev.interrupt().await;
}

async fn run_check(root_url: String) -> Value {
    let checked = tokio::task::spawn_blocking(move || run(tessera(&["check", &root_url, "--json"])));
    serde_json::from_str(&checked.await.unwrap().1).unwrap()
}

/// What a client does when somebody types `/tea-time …`: finds the call in the bindings, and has it made.
async fn typed(site: Site, person: &Person, word: &str) -> Value {
    let ask = Ask::get(format!("{API}/bindings?user_agent_type=webapp")).bearer(&person.token);
    let bindings = site.send(&ask).await.json();
    let children = bindings[0]["bindings"][0]["bindings"].as_array().unwrap().clone();
    let child = children.into_iter().find(|child| child["location"] == word).unwrap();
    let mut call = child["submit"].clone();
    call["context"] = json!({"app_id": "tea-time"});
    site.post(&person.token, "/call", &call).await.json()
}

/// In a browser: from the link to the provider, through its two pages, and back.
async fn connect(site: Site, provider: &str) {
    let mut here = Browser::signed_in(site, "user-1").await;
    let answer = here.open(&flow("tea-time", "connect"), From::Here).await;
    assert_eq!(answer.status, 307, "{}", answer.text());
    let there = answer.header("location").unwrap().strip_prefix(provider).unwrap().to_owned();

    let address = provider.strip_prefix("http://").unwrap().parse().unwrap();
    let mut elsewhere = Browser::at(Site::at(address), provider);
    let page = elsewhere.open(&there, From::Elsewhere).await.text();
    let (request, csrf) = (hidden(&page, "request"), hidden(&page, "csrf"));
    let fields = [("request", &*request), ("csrf", &*csrf), ("username", "ada"), ("password", "simulator")];
    let signed_in = elsewhere.submit("/sign-in", &fields).await;
    let page = elsewhere.open(&elsewhere.place(&signed_in), From::Here).await.text();
    let csrf = hidden(&page, "csrf");
    let consent = [("request", &*request), ("csrf", &*csrf), ("decision", "approve")];
    let answer = elsewhere.submit("/consent", &consent).await;
    assert_eq!(answer.status, 303, "{}", answer.text());

    let back = here.place(&answer);
    assert!(back.starts_with(&flow("tea-time", "complete")), "{back}");
    let done = here.open(&back, From::Elsewhere).await;
    assert_eq!(done.status, 200, "{}", done.text());
}

fn hidden(page: &str, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(&mark).unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split('"').next().unwrap().to_owned()
}
