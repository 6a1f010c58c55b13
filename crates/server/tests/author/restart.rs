//! An author's App that is started again, quicker than anybody looks.

use std::path::Path;
use std::process::Command;

use crate::process::{Dev, Running, new};

/// The App on this port, and where it is.
async fn start(folder: &Path, port: &str) -> (Running, String) {
    let mut python = Command::new("python3");
    python.arg("app.py").current_dir(folder.join("tea-time")).env("PORT", port);
    let mut app = Running::start(python);
    let line = app.line().await;
    (app, line.rsplit_once("http://127.0.0.1:").unwrap().1.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_is_seen_however_quick_it_is_in_python() {
    let folder = tempfile::tempdir().unwrap();
    new(folder.path(), &["--python"]);
    let (app, port) = start(folder.path(), "0").await;
    let root_url = format!("http://localhost:{port}");
    let mut dev = Dev::start(&root_url, &folder.path().join("data"), &["--no-provider"]).await;
    dev.next("installed").await;
    dev.next("next").await;

    let file = folder.path().join("tea-time/app.py");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"location\": \"me\"", "\"location\": \"who am i\"")).unwrap();
    drop(app);
    let (_app, _) = start(folder.path(), &port).await;
    // Where a look fell into the gap, the App was gone first.
    let mut event = dev.event().await;
    if event["event"] == "gone" {
        event = dev.event().await;
    }
    assert_eq!(event["event"], "back", "{event}");
    let told = dev.next("bindings").await;
    assert!(told["problems"][0].as_str().unwrap().contains("\"who am i\" has multiple words"), "{told}");
}
