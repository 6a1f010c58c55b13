//! What `docs/app-authors.md` says is so.

use tessera_testkit::fake_app::{Answer, FakeApp};
use tessera_testkit::site::PERMISSIONS;

use crate::process::{Running, tessera};

const PAGE: &str = include_str!("../../../../docs/app-authors.md");

/// What stands between the first fence of this kind after a heading and its end.
fn block(heading: &str, fence: &str) -> &'static str {
    let (_, section) = PAGE.split_once(&format!("\n## {heading}\n")).unwrap();
    let (_, rest) = section.split_once(&format!("```{fence}\n")).unwrap();
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
