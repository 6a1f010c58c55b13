//! The commands that a running server is given, and those that need none.

#[cfg(feature = "demo")]
#[path = "cli/provider.rs"]
mod provider;
#[cfg(feature = "demo")]
#[path = "cli/simulate.rs"]
mod simulate;

use std::path::Path;
use std::process::Command;

use tessera_testkit::child::{Child, run};
use tessera_testkit::fake_app::{Answer, FakeApp};
use tessera_testkit::site::PERMISSIONS;

/// The binary under test.
const TESSERA: &str = env!("CARGO_BIN_EXE_tessera");

/// Runs `tessera` with these words; gives whether it ended well, and what it printed.
fn tessera(words: &[&str], data: &Path) -> (bool, String) {
    let mut command = Command::new(TESSERA);
    command.args(words).arg("--data").arg(data);
    let (status, text) = run(command);
    (status.success(), text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_is_added_installed_switched_and_uninstalled() {
    let data = tempfile::tempdir().unwrap();
    let child = Child::start(TESSERA, data.path());
    let app = FakeApp::start().await;
    app.answer("/context", Answer::ok());
    let manifest = data.path().join("manifest.json");
    std::fs::write(&manifest, app.manifest("by-hand", &PERMISSIONS).to_string()).unwrap();
    let apps = |words: &[&str]| tessera(&[&["apps"], words].concat(), data.path());

    let (fine, text) = apps(&["install", "by-hand"]);
    assert!(!fine && text.contains("failed to find manifest to install app: by-hand"), "{text}");
    assert_eq!(apps(&["add", manifest.to_str().unwrap()]), (true, "Listed by-hand\n".to_owned()));
    let (fine, text) = apps(&["install", "by-hand"]);
    assert!(fine && text.starts_with("Installed "), "{text}");
    assert!(apps(&["list"]).1.contains("enabled"));
    assert!(apps(&["disable", "by-hand"]).1.starts_with("Disabled "));
    assert!(apps(&["list"]).1.contains("disabled"));
    assert!(apps(&["enable", "by-hand"]).1.starts_with("Enabled "));

    let user = child.site.sign_in("user-1").await;
    let (token, _) = child.site.tokens(&user, &app, "by-hand").await;
    child.site.store(&token, "{\"token\":\"not to be shown\"}").await;
    let (fine, text) = tessera(&["connections", "--app", "by-hand"], data.path());
    assert!(fine && text.contains(&user.id) && !text.contains("not to be shown"), "{text}");
    assert!(text.contains("never"), "{text}");
    child.site.record(&token).await;
    let (_, text) = tessera(&["connections", "--app", "by-hand"], data.path());
    assert!(text.contains("oauth2/user") && !text.contains("never"), "{text}");

    child.site.store(&token, "null").await;
    let (fine, text) = tessera(&["connections"], data.path());
    assert!(fine && !text.contains(&user.id), "an App's disconnect: {text}");

    assert_eq!(apps(&["uninstall", "by-hand"]), (true, "Uninstalled by-hand\n".to_owned()));
    assert!(!tessera(&["connections"], data.path()).1.contains(&user.id));
    child.stop();
    let (fine, text) = apps(&["list"]);
    assert!(!fine && text.contains("no server runs on"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_54_a_log_that_was_meddled_with_is_named() {
    let data = tempfile::tempdir().unwrap();
    let child = Child::start(TESSERA, data.path());
    let app = FakeApp::start().await;
    app.answer("/context", Answer::ok());
    let admin = child.site.sign_in("sysadmin").await;
    child.site.install(&admin, &app.manifest("audited", &PERMISSIONS)).await;
    let (token, _) = child.site.tokens(&admin, &app, "audited").await;
    child.site.store(&token, "1").await;
    child.stop();

    let verify = || tessera(&["audit", "verify"], data.path());
    let (fine, text) = verify();
    assert!(fine && text.starts_with("The audit log is whole: "), "{text}");
    let log = data.path().join("audit.log");
    let whole = std::fs::read_to_string(&log).unwrap();
    assert!(whole.contains("\"act\":\"connection_stored\""), "{whole}");
    let second = whole.lines().nth(1).unwrap();
    std::fs::write(&log, whole.replace(&format!("{second}\n"), "")).unwrap();
    let (fine, text) = verify();
    assert!(!fine && text.contains("line 2 does not follow"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_elsewhere_takes_the_same_commands_from_an_administrator() {
    let data = tempfile::tempdir().unwrap();
    let child = Child::start(TESSERA, data.path());
    let app = FakeApp::start().await;
    app.answer("/context", Answer::ok());
    let (admin, user) = (child.site.sign_in("sysadmin").await, child.site.sign_in("user-1").await);
    let manifest = data.path().join("manifest.json");
    std::fs::write(&manifest, app.manifest("afar", &PERMISSIONS).to_string()).unwrap();
    let server = format!("http://127.0.0.1:{}", child.site.address.port());
    let by = |token: &str, words: &[&str]| {
        let mut command = Command::new(TESSERA);
        command.args(words).args(["--server", &server]).env("TESSERA_TOKEN", token);
        let (status, text) = run(command);
        (status.success(), text)
    };
    let words = ["apps", "add", manifest.to_str().unwrap()];
    let (fine, text) = by(&user.token, &words);
    assert!(!fine && text.contains("limited to system administrators"), "{text}");
    assert_eq!(by(&admin.token, &words), (true, "Listed afar\n".to_owned()));
    let (fine, text) = by(&admin.token, &["apps", "install", "afar"]);
    assert!(fine && text.starts_with("Installed ") && text.lines().count() == 1, "{text}");
    let (token, _) = child.site.tokens(&user, &app, "afar").await;
    child.site.store(&token, "\"kept\"").await;
    let (fine, text) = by(&admin.token, &["connections", "--app", "afar"]);
    assert!(fine && text.contains(&user.id) && !text.contains("kept"), "{text}");
    assert!(by(&admin.token, &["apps", "disable", "afar"]).1.starts_with("Disabled "));
    assert!(by(&admin.token, &["apps", "list"]).1.contains("disabled"));
    assert_eq!(by(&admin.token, &["apps", "uninstall", "afar"]), (true, "Uninstalled afar\n".to_owned()));
}

#[test]
fn a_root_key_is_made_in_its_form() {
    let mut command = Command::new(TESSERA);
    command.args(["keys", "generate"]);
    let (status, text) = run(command);
    assert!(status.success());
    assert!(tessera_server::vault::RootKey::parse(&text).is_ok(), "not a root key");
}
