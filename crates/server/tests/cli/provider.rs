//! `tessera apps provider` as an administrator types it, against a running server and a provider.

#![expect(clippy::unwrap_used, reason = "what cannot be had ends the test")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use tessera_simulator::{Running, Simulator};
use tessera_testkit::child::{Child, run};
use tessera_testkit::fake_app::{Answer, FakeApp};
use tessera_testkit::managed::{APP, CLIENT, SECRET, descriptor};
use tessera_testkit::site::{PERMISSIONS, flow};

use super::TESSERA;

/// A server with an App, and a provider that knows the App's client.
struct Scene {
    child: Child,
    provider: Running,
    data: TempDir,
    _app: FakeApp,
}

impl Scene {
    async fn set() -> Self {
        let data = tempfile::tempdir().unwrap();
        let child = Child::start(TESSERA, data.path());
        let app = FakeApp::start().await;
        app.answer("/context", Answer::ok());
        let admin = child.site.sign_in("sysadmin").await;
        child.site.install(&admin, &app.manifest(APP, &PERMISSIONS)).await;
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let complete = format!("http://localhost:{}{}", child.site.address.port(), flow(APP, "complete"));
        let provider = Simulator::builder().client(CLIENT, SECRET, [complete]).build();
        let provider = provider.start(listener).unwrap();
        Self { child, provider, data, _app: app }
    }

    fn redirect_uri(&self) -> String {
        format!("http://localhost:{}{}", self.child.site.address.port(), flow(APP, "complete"))
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.data.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The descriptor of the simulator, in a file.
    fn description(&self) -> PathBuf {
        self.file("simulator.toml", &descriptor(self.provider.url(), ""))
    }

    /// `tessera apps provider` with these words on the machine of the server.
    fn here(&self, words: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(TESSERA);
        command.args(["apps", "provider"]).args(words).arg("--data").arg(self.data.path());
        told(command)
    }

    /// The same from elsewhere, with this token.
    fn elsewhere(&self, token: &str, words: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(TESSERA);
        let server = format!("http://127.0.0.1:{}", self.child.site.address.port());
        command.args(["apps", "provider"]).args(words).args(["--server", &server]);
        command.env("TESSERA_TOKEN", token);
        told(command)
    }
}

fn told(command: Command) -> (Option<i32>, String) {
    let (status, text) = run(command);
    for secret in [SECRET, "wrong-s3cret"] {
        assert!(!text.contains(secret), "{text}");
    }
    (status.code(), text)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_is_set_checked_mended_and_removed_on_the_servers_machine() {
    let scene = Scene::set().await;
    let (description, good) = (scene.description(), scene.file("secret", &format!("{SECRET}\n")));
    let wrong = scene.file("wrong", "wrong-s3cret");
    let (code, said) = scene.here(&["show", APP]);
    assert_eq!(code, Some(1));
    assert!(said.contains("app hello has no provider: `tessera apps provider set hello`"), "{said}");

    // First without a client, because a provider wants the redirect URI before it gives one.
    let set = ["set", APP, "--descriptor", text(&description)];
    let (code, said) = scene.here(&set);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("hello connects people's accounts at Simulator\n"), "{said}");
    assert!(said.contains(&format!("redirect URI  {}\n", scene.redirect_uri())), "{said}");
    assert!(said.contains("none yet") && said.contains("Nobody can connect yet"), "{said}");
    assert!(said.contains("or your own, and unverified"), "{said}");

    let with = |secret: &Path| {
        let words = ["--client-id", CLIENT, "--client-secret-file", text(secret), "--scope", "profile"];
        scene.here(&[&set[..], &words].concat())
    };
    let (code, said) = with(&wrong);
    assert_eq!(code, Some(0), "it is stored: {said}");
    assert!(said.contains("Simulator refuses the client (invalid_client)"), "{said}");
    let (code, said) = scene.here(&["show", APP]);
    assert_eq!(code, Some(0));
    assert!(said.contains("refused the client the last time (invalid_client)"), "{said}");
    let (code, said) = scene.here(&["check", APP]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("set its id and secret again"), "{said}");

    let (code, said) = with(&good);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("Simulator accepts the client") && said.contains("asks for      profile\n"),
        "{said}"
    );
    let (code, said) = scene.here(&["check", APP, "--json"]);
    let set: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, set["redirect_uri"].as_str()), (Some(0), Some(scene.redirect_uri().as_str())));
    assert_eq!((set.get("fault"), &set["has_client_secret"]), (None, &Value::Bool(true)));
    assert_eq!(set["updated_by"], "", "nobody of the site did it");

    let (code, said) = scene.here(&["remove", APP]);
    assert_eq!(code, Some(0));
    assert!(said.contains("keeps its users' tokens itself"), "{said}");
    assert_eq!(scene.here(&["remove", APP]).0, Some(1));

    let log = std::fs::read_to_string(scene.data.path().join("audit.log")).unwrap();
    assert!(!log.contains(SECRET) && !log.contains("wrong-s3cret"), "{log}");
    let entries: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |act: &str| entries.iter().filter(|entry| entry["act"] == act).collect::<Vec<_>>();
    assert_eq!((of("provider_stored").len(), of("provider_removed").len()), (3, 1), "{log}");
    assert_eq!(of("credentials_stored").len(), 2, "{log}");
    for entry in [of("provider_stored"), of("provider_removed"), of("credentials_stored")].concat() {
        assert_eq!((&entry["actor"], &entry["request"]), (&"".into(), &"local".into()), "{entry}");
    }
    let detail = of("provider_stored")[0]["detail"].as_str().unwrap().to_owned();
    let fingerprint = detail.strip_prefix("simulator ").unwrap();
    assert!(fingerprint.len() >= 16 && fingerprint.bytes().all(|b| b.is_ascii_hexdigit()), "{detail}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_is_set_on_a_server_elsewhere_by_an_administrator_alone() {
    let scene = Scene::set().await;
    let (admin, user) =
        (scene.child.site.sign_in("sysadmin").await, scene.child.site.sign_in("user-1").await);
    let (description, secret) = (scene.description(), scene.file("secret", SECRET));
    let words = [
        "set",
        APP,
        "--descriptor",
        text(&description),
        "--client-id",
        CLIENT,
        "--client-secret-file",
        text(&secret),
    ];
    let (code, said) = scene.elsewhere(&user.token, &words);
    assert_eq!(code, Some(1));
    assert!(said.contains("limited to users with permission: manage_system"), "{said}");
    let (code, said) = scene.elsewhere(&admin.token, &words);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("accepts the client") && said.contains(&scene.redirect_uri()), "{said}");
    let (code, said) = scene.elsewhere(&admin.token, &["show", APP]);
    assert_eq!(code, Some(0));
    assert!(said.contains(&format!("by {}", admin.id)), "{said}");
    assert_eq!(scene.elsewhere(&admin.token, &["check", APP]).0, Some(0));

    let bad = scene.file("bad.toml", &descriptor(scene.provider.url(), "colour = 1"));
    let (code, said) = scene.elsewhere(&admin.token, &["set", APP, "--descriptor", text(&bad)]);
    assert_eq!(code, Some(1));
    assert!(said.contains("bad.toml: ") && said.contains("colour: unknown field"), "{said}");
    let (_, said) = scene.elsewhere(&admin.token, &["list"]);
    assert_eq!(said.lines().count(), 27, "{said}");
    assert_eq!(said.matches("community, unverified").count(), 15, "{said}");
    assert!(said.contains("subdomain (what stands before .zendesk.com)"), "{said}");
    assert_eq!(said, scene.here(&["list"]).1);
    assert_eq!(scene.elsewhere(&admin.token, &["remove", APP]).0, Some(0));
    assert_eq!(scene.elsewhere(&admin.token, &["show", APP]).0, Some(1));
}

#[test]
fn a_command_that_is_wrong_itself_ends_with_2_and_no_secret_is_an_argument() {
    for words in [
        &["set", APP][..],
        &["set", APP, "--preset", "google", "--descriptor", "x.toml"],
        &["set", APP, "--preset", "google", "--value", "host"],
        &["set", APP, "--preset", "google", "--client-secret", "s3cret"],
        &["set", "--preset", "google"],
    ] {
        let mut command = Command::new(TESSERA);
        command.args(["apps", "provider"]).args(words);
        let (status, said) = run(command);
        assert_eq!(status.code(), Some(2), "{words:?}: {said}");
    }
    let empty = tempfile::NamedTempFile::new().unwrap();
    let mut command = Command::new(TESSERA);
    command.args(["apps", "provider", "set", APP, "--preset", "google", "--client-secret-file"]);
    command.arg(empty.path());
    let (status, said) = run(command);
    assert_eq!(status.code(), Some(1));
    assert!(said.contains("is empty: write the client's secret into it"), "{said}");
}

/// Types what it is given into a terminal, each line once its question is there, a secret once nothing is shown of it; prints
/// all that came back.
const TERMINAL: &str = r"
import os, pty, sys, termios
answers = sys.argv[1].split('|')
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
seen, asked = b'', 0
while True:
    try:
        read = os.read(terminal, 4096)
    except OSError:
        break
    if not read:
        break
    seen += read
    while answers and seen.count(b'): ') > asked:
        asked += 1
        while seen.endswith(b'type): ') and termios.tcgetattr(terminal)[3] & termios.ECHO:
            pass
        os.write(terminal, answers.pop(0).encode() + b'\n')
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_a_terminal_the_redirect_uri_comes_first_and_the_secret_is_not_shown_in_python() {
    let scene = Scene::set().await;
    let description = scene.description();
    let at_terminal = |answers: &str| {
        let mut command = Command::new("python3");
        command.args(["-c", TERMINAL, answers, TESSERA, "apps", "provider", "set", APP, "--descriptor"]);
        command.arg(&description).arg("--data").arg(scene.data.path());
        told(command)
    };
    let (code, said) = at_terminal(&format!("{CLIENT}|{SECRET}"));
    assert_eq!(code, Some(0), "{said}");
    let order =
        [scene.redirect_uri(), "Client id (".into(), "Client secret (".into(), "accepts the client".into()];
    let mut rest = said.as_str();
    for text in &order {
        rest = rest.split_once(text.as_str()).unwrap_or_else(|| panic!("{text} is not in {said}")).1;
    }
    // What is stored is not asked for again.
    let (code, said) = at_terminal("never read");
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("Client") && said.contains("accepts the client"), "{said}");
}
