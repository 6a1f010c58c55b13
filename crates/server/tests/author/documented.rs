//! What `docs/app-authors.md` says is so.

use std::process::Stdio;

use serde_json::Value;
use tessera_driver::ConnectionStatus;
use tessera_testkit::fake_app::{Answer, FakeApp};
use tessera_testkit::managed::{APP, Managed, PROVIDER};
use tessera_testkit::site::PERMISSIONS;
use tessera_testkit::wire::Ask;
use tokio::io::AsyncWriteExt as _;

use crate::process::{Running, tessera};

const PAGE: &str = include_str!("../../../../docs/app-authors.md");

const MANAGED: &str = "Let the service do it";

/// What stands between a heading and the next one.
fn section(heading: &str) -> &'static str {
    let (_, section) = PAGE.split_once(&format!("\n## {heading}\n")).unwrap();
    section.split("\n## ").next().unwrap()
}

/// What stands between the first fence of this kind after a heading and its end.
fn block(heading: &str, fence: &str) -> &'static str {
    let (_, rest) = section(heading).split_once(&format!("```{fence}\n")).unwrap();
    rest.split("```").next().unwrap()
}

#[test]
fn from_an_empty_folder_to_a_connected_user_are_four_commands() {
    let commands: Vec<&str> = block("Four commands", "sh").lines().collect();
    let typed: Vec<&str> =
        commands.iter().map(|line| line.split(" # ").next().unwrap_or_default().trim()).collect();
    // The very ones that `whole_loop` walks with, the port aside.
    assert_eq!(
        typed,
        ["tessera new my-app", "cd my-app", "cargo run", "tessera dev http://localhost:4000"],
        "{commands:?}"
    );
}

#[test]
fn the_rust_that_is_shown_is_what_is_written() {
    let shown = block("In Rust", "rust");
    assert!(include_str!("../../scaffold/rust/src/main.rs").contains(shown), "{shown}");
}

#[test]
fn the_managed_app_that_is_shown_is_the_example() {
    let shown = block(MANAGED, "rust");
    let written = include_str!("../../../../examples/hello-managed/src/lib.rs");
    assert!(written.ends_with(shown), "{shown}");
}

/// Each row of the section's table of statuses, by its first cell.
#[test]
fn every_status_is_explained() {
    let retry_after = None;
    for status in [
        ConnectionStatus::Connected,
        ConnectionStatus::MissingScopes,
        ConnectionStatus::NeedsReconnect,
        ConnectionStatus::Unavailable { retry_after },
        ConnectionStatus::NotConnected,
    ] {
        let row = format!("\n| `{}` | ", status.word());
        assert!(section(MANAGED).contains(&row), "{row}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_that_is_shown_reads_the_token_that_is_shown_in_python() {
    let stage = Managed::with("").await;
    let asked = async |min_ttl: &str| {
        let context = stage.cast.site.context(&stage.cast.user, &stage.cast.fake, APP).await;
        let shown = block(MANAGED, "python");
        let program = format!("{shown}\nimport sys\nprint(oauth2_token(json.load(sys.stdin), {min_ttl}))\n");
        python(&program, &context.to_string()).await
    };
    assert_eq!(asked("None").await, "(None, '')\n");
    stage.connect().await;
    let token = stage.access_token().await;
    assert_eq!(asked("None").await, format!("('{token}', '')\n"));
    stage.later(3_000);
    let fresher = asked("3000").await;
    assert!(fresher.starts_with("('access-") && !fresher.contains(&token), "{fresher}");

    let shown: Value = serde_json::from_str(block(MANAGED, "json")).unwrap();
    let members = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let real = stage.ask("").await.json();
    assert_eq!(members(&shown), members(&real));
    assert_eq!(shown["account"], real["account"]);
    assert_eq!(shown["scope"], real["scope"]);
}

/// Its client is nobody's, and the provider out of a test's reach.
#[tokio::test]
async fn the_provider_record_that_is_shown_has_known_members_and_a_preset() {
    let stage = Managed::with("").await;
    let (head, body) = block(MANAGED, "http").trim().split_once("\n\n").unwrap();
    let path = head.split(' ').nth(1).unwrap();
    assert_eq!(path.replace("my-app", APP), PROVIDER);
    let record: Value = serde_json::from_str(body).unwrap();
    let ask = Ask::get("/plugins/com.mattermost.apps/tessera/v1/providers").bearer(&stage.cast.admin.token);
    let presets = stage.cast.site.send(&ask).await.json();
    let preset = presets.as_array().unwrap().iter().find(|line| line["name"] == record["preset"]).unwrap();
    assert_eq!(preset["values"], serde_json::json!([]), "nothing else is to be filled in");
    let mut known: Vec<_> = stage.record("").as_object().unwrap().keys().cloned().collect();
    known.push("preset".into());
    assert!(record.as_object().unwrap().keys().all(|member| known.contains(member)), "{record}");
}

/// Runs a program of Python; gives what it prints.
async fn python(program: &str, input: &str) -> String {
    let mut child = tokio::process::Command::new("python3")
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_reason_of_a_mismatch_is_about_the_uri_that_the_types_make() {
    let app = tessera_types::AppId::new("my-app").unwrap();
    let uri = tessera_types::routes::complete_url("http://localhost:8065", &app);
    assert!(block("`redirect_uri_mismatch`", "text").contains(&uri), "{uri}");
}

#[cfg(feature = "demo")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dev_prints_what_the_page_shows() {
    let data = tempfile::tempdir().unwrap();
    let app = FakeApp::start().await;
    app.answer("/manifest.json", Answer::Json(app.manifest("my-app", &PERMISSIONS[1..])));
    let mut command = tessera(&["dev", &app.root_url(), "--listen", "127.0.0.1:0"]);
    command.arg("--data").arg(data.path());
    let mut dev = Running::start(command);
    let ready = dev.line().await;
    let site = ready.strip_prefix("tessera ready on ").unwrap();
    // Site and provider have other ports here; all else is the page's text, line for line.
    for shown in block("Four commands", "text").lines().skip(1).take_while(|line| !line.starts_with("    /"))
    {
        let line = dev.line().await;
        let here = match shown.split_once(" is an OAuth2 provider") {
            Some((_, rest)) => {
                format!("{} is an OAuth2 provider{rest}", line.split(' ').next().unwrap_or_default())
            }
            None => shown.replace("http://localhost:8065", site),
        };
        assert_eq!(line, here.replace(", and type:", ""));
        if shown.contains("sign in as") {
            break;
        }
    }
    let (well, last) = dev.interrupt().await;
    assert!(well && last.last().unwrap().starts_with("stopped"), "{last:?}");
}
