//! A bad setting stops the start, with the key's name and what to write; nothing is changed by it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use tessera_testkit::child::{Child, run, serve};
use tessera_testkit::fake_app::FakeApp;
use tessera_testkit::site::PERMISSIONS;

use crate::TESSERA;

/// Runs a command that must refuse to start, and gives what it said.
fn refused(command: Command) -> String {
    let (status, text) = run(command);
    assert_eq!(status.code(), Some(1), "{text}");
    assert!(!text.contains("panicked"), "{text}");
    text
}

fn with_file(data: &Path, text: &str) -> Command {
    let path = data.join("tessera.toml");
    fs::write(&path, text).unwrap();
    let mut command = serve(TESSERA, data);
    command.arg("--config").arg(path);
    command
}

#[test]
fn a_bad_variable_stops_the_start_with_its_name_and_what_to_write() {
    let rows = [
        ("TESSERA_SERVER__LISTNE", "x", "TESSERA_SERVER__LISTNE", "tessera config"),
        ("TESSERA_NOTHING__AT_ALL", "x", "TESSERA_NOTHING__AT_ALL", "tessera config"),
        ("TESSERA_LOG__JSON", "maybe", "TESSERA_LOG__JSON", "true or false"),
        ("TESSERA_LOG__LEVEL", "tessera=loud=very", "log.level", "info"),
        ("TESSERA_STORE__MAX_CONNECTIONS", "many", "TESSERA_STORE__MAX_CONNECTIONS", "whole number"),
        ("TESSERA_STORE__MAX_CONNECTIONS", "-1", "store.max_connections", "u32"),
        ("TESSERA_COMPAT__PROFILE", "strict", "compat.profile", "documented"),
        ("TESSERA_AUDIT__SYNC", "never", "audit.sync", "always"),
        ("TESSERA_CONNECT__BIND", "device", "connect.bind", "browser"),
        ("TESSERA_CONNECT__ORIGINS", "lax", "connect.origins", "strict"),
        ("TESSERA_CONNECT__STATE_LIFE_SECONDS", "901", "connect.state_life_seconds", "1 to 900"),
        ("TESSERA_CONNECT__STATE_LIFE_SECONDS", "0", "connect.state_life_seconds", "1 to 900"),
        (
            "TESSERA_CONNECT__KNOWN_ORIGINS",
            "accounts",
            "connect.known_origins",
            "https://accounts.google.com",
        ),
        ("TESSERA_SITE__URL", "mattermost", "site.url", "https://mattermost.example.com"),
        ("TESSERA_SITE__URL", "ftp://localhost", "site.url", "https"),
        ("TESSERA_SITE__URL", "http://mattermost.example.com", "site.url", "use https"),
        (
            "TESSERA_SITE__URL",
            "https://user@mattermost.example.com",
            "site.url",
            "https://mattermost.example.com",
        ),
        ("TESSERA_EGRESS__ALLOW", "10.0.0.0/99", "egress.allow", "10"),
        ("TESSERA_EGRESS__EXTRA_CA", "/nowhere/ca.pem", "egress", "/nowhere/ca.pem"),
        ("TESSERA_STORE__POSTGRES_URL", "nonsense", "store.postgres_url", "postgres://"),
        ("TESSERA_STORE__POSTGRES_URL_FILE", "/nowhere/url", "store.postgres_url_file", "/nowhere/url"),
        ("TESSERA_VAULT__ROOT_KEY", "nonsense", "vault.root_key", "tessera-root-key-v1:"),
        ("TESSERA_VAULT__ROOT_KEY_FILE", "/nowhere/root.key", "vault.root_key", "/nowhere/root.key"),
        ("TESSERA_AUDIT__DIR", "/dev/null/audit", "audit", "/dev/null/audit"),
    ];
    for (name, value, key, hint) in rows {
        let data = tempfile::tempdir().unwrap();
        let mut command = serve(TESSERA, data.path());
        command.env(name, value);
        let text = refused(command);
        assert!(text.contains(key) && text.contains(hint), "{name}={value}: {text}");
    }
}

#[test]
fn a_bad_settings_file_stops_the_start_without_being_quoted() {
    for (file, key) in [
        ("[server]\nlistne = \"x\"\n", "listne"),
        ("[servers]\n", "servers"),
        ("server = 1\n", "server"),
        ("[log]\njson = 3\n", "log.json"),
        ("[connect]\nknown_origins = \"https://a.example\"\n", "connect.known_origins"),
        ("[vault]\nroot_key = [\"planted-secret\"]\n", "vault.root_key"),
        ("[vault]\nroot_key = \"planted-secret\n", "line 2"),
        ("[vault]\nroot_key = \"planted-secret\"\n", "vault.root_key"),
        ("[store]\npostgres_url = \"postgres://u:planted-secret@127.0.0.1:1/x\"\n", "store.postgres_url"),
    ] {
        let data = tempfile::tempdir().unwrap();
        let text = refused(with_file(data.path(), file));
        assert!(text.contains(key), "{file}: {text}");
        assert!(!text.contains("planted-secret"), "{file}: {text}");
    }
    let data = tempfile::tempdir().unwrap();
    let mut command = serve(TESSERA, data.path());
    command.arg("--config").arg(data.path().join("none.toml"));
    assert!(refused(command).contains("none.toml"));
}

#[test]
fn a_development_server_listens_beyond_loopback_only_when_told_so_twice() {
    let data = tempfile::tempdir().unwrap();
    let mut command = serve(TESSERA, data.path());
    // The later one counts.
    command.args(["--listen", "0.0.0.0:0"]);
    let (status, text) = run(command);
    assert!(!status.success());
    assert!(text.contains("cannot be used multiple times"), "{text}");
    let mut command = Command::new(TESSERA);
    command.args(["serve", "--dev", "--listen", "0.0.0.0:0", "--data"]).arg(data.path());
    let text = refused(command);
    assert!(text.contains("server.listen") && text.contains("--danger-public"), "{text}");
    let mut command = Command::new(TESSERA);
    command.args(["serve", "--dev", "--listen", "nonsense", "--data"]).arg(data.path());
    let text = refused(command);
    assert!(text.contains("server.listen") && text.contains("127.0.0.1:8065"), "{text}");
    let mut command = Command::new(TESSERA);
    command.args(["serve", "--data"]).arg(data.path());
    assert!(refused(command).contains("--dev"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_39_a_wrong_or_open_root_key_stops_the_start_and_the_right_one_still_works() {
    let data = tempfile::tempdir().unwrap();
    let key = data.path().join("root.key");
    let fake = FakeApp::start().await;
    let child = Child::start(TESSERA, data.path());
    let admin = child.site.sign_in("sysadmin").await;
    child.site.install(&admin, &fake.manifest("hello", &PERMISSIONS)).await;
    let (_, bot) = child.site.tokens(&admin, &fake, "hello").await;
    child.site.store(&bot, "{\"kept\":1}").await;

    // A second server must leave the first one's folder alone.
    let text = refused(serve(TESSERA, data.path()));
    assert!(text.contains("in use") || text.contains("another"), "{text}");
    assert_eq!(child.site.record(&bot).await, "{\"kept\":1}");
    child.stop();

    let right = fs::read(&key).unwrap();
    let wrong = {
        let other = tempfile::tempdir().unwrap();
        Child::start(TESSERA, other.path()).stop();
        fs::read(other.path().join("root.key")).unwrap()
    };
    fs::write(&key, &wrong).unwrap();
    let text = refused(serve(TESSERA, data.path()));
    assert!(text.contains("root key"), "{text}");
    fs::write(&key, "tessera-root-key-v1:short").unwrap();
    let text = refused(serve(TESSERA, data.path()));
    assert!(text.contains("root key"), "{text}");
    fs::remove_file(&key).unwrap();
    let text = refused(serve(TESSERA, data.path()));
    assert!(text.contains("root key"), "{text}");
    assert!(!key.exists(), "a key was made for data that has another");

    fs::write(&key, &right).unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    let text = refused(serve(TESSERA, data.path()));
    assert!(text.contains("chmod 600") && text.contains("root.key"), "{text}");
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    let child = Child::start(TESSERA, data.path());
    assert_eq!(child.site.record(&bot).await, "{\"kept\":1}");
}
