//! The log: one line for a request, with its ids and without its secrets.

use std::path::Path;

use serde_json::{Value, json};
use tessera_testkit::child::{Child, serve};
use tessera_testkit::fake_app::{Answer as AppAnswer, FakeApp};
use tessera_testkit::site::{API, PERMISSIONS, flow};
use tessera_testkit::wire::Ask;

use crate::TESSERA;
use crate::stage::APP;

const COMPLETE: &str = "/plugins/com.mattermost.apps/apps/{app}/oauth2/remote/complete";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn start(data: &Path, settings: &[(&str, &str)]) -> Child {
    let mut command = serve(TESSERA, data);
    command.envs(settings.iter().copied());
    Child::spawn(command)
}

/// Asks with secrets in the address and with ids of our own.
fn asked() -> Ask {
    Ask::get(format!("{}?code=planted-code&state=planted-state", flow("planted-app", "complete")))
        .bearer("planted-token")
        .with("X-Request-ID", "mine-1")
        .with("traceparent", format!("00-{TRACE}-b7ad6b7169203331-01"))
}

fn lines_of(log: &str, part: &str) -> Vec<String> {
    log.lines().filter(|line| line.contains(part)).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_51_a_request_is_one_line_with_its_route_and_never_with_its_address() {
    let data = tempfile::tempdir().unwrap();
    let child = start(data.path(), &[("TESSERA_LOG__LEVEL", "info,tessera_server::requests=debug")]);
    let answer = child.site.send(&asked()).await;
    assert_eq!(answer.header("x-request-id"), Some("mine-1"));
    let log = String::from_utf8(child.stop()).unwrap();
    let lines = lines_of(&log, "request=mine-1");
    let [line] = &lines[..] else { panic!("{lines:#?}") };
    for part in ["DEBUG", "method=\"GET\"", "status=401", " ms=", COMPLETE, &format!("trace={TRACE}")] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(!log.contains("planted"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_51_every_line_is_one_json_object_where_that_is_asked_for() {
    let data = tempfile::tempdir().unwrap();
    let child = start(data.path(), &[("TESSERA_LOG__LEVEL", "debug"), ("TESSERA_LOG__JSON", "true")]);
    child.site.send(&asked()).await;
    let log = String::from_utf8(child.stop()).unwrap();
    let lines: Vec<Value> = log
        .lines()
        .filter(|line| !line.starts_with("tessera ready on "))
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let of_request: Vec<_> = lines
        .iter()
        .filter(|line| line["target"] == "tessera_server::requests" && line["request"] == "mine-1")
        .collect();
    let [line] = &of_request[..] else { panic!("{of_request:#?}") };
    assert_eq!((&line["level"], &line["trace"]), (&json!("DEBUG"), &json!(TRACE)));
    let fields = &line["fields"];
    assert_eq!((&fields["route"], &fields["status"]), (&json!(COMPLETE), &json!(401)));
    assert!(fields["ms"].as_f64().unwrap() > 0.0, "{line}");
    assert!(!log.contains("planted"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_went_wrong_is_told_without_being_asked_and_what_went_well_is_not() {
    let data = tempfile::tempdir().unwrap();
    let child = start(data.path(), &[]);
    let (fake, site) = (FakeApp::start().await, child.site);
    let (admin, user) = (site.sign_in("sysadmin").await, site.sign_in("user-1").await);
    site.install(&admin, &fake.manifest(APP, &PERMISSIONS)).await;
    fake.answer("/oauth2/connect", AppAnswer::Close);
    let ask = Ask::get(flow(APP, "connect")).bearer(&user.token);
    let failed = site.send(&ask.with("X-Request-ID", "it-failed")).await;
    assert_eq!(failed.status, 500, "{}", failed.text());
    let ask = Ask::get("/api/v4/users/me").bearer(&user.token);
    assert_eq!(site.send(&ask.with("X-Request-ID", "it-went-well")).await.status, 200);
    let log = String::from_utf8(child.stop()).unwrap();
    let lines = lines_of(&log, "request=it-failed");
    let line = |part: &str| lines.iter().find(|line| line.contains(part)).unwrap_or_else(|| panic!("{log}"));
    assert!(line("status=500").contains("WARN"));
    let call = line("an App did not answer as it should");
    for part in ["app=\"watched\"", "kind=\"connect\"", "outcome=\"unreachable\"", " ms="] {
        assert!(call.contains(part), "{part}: {call}");
    }
    assert!(lines_of(&log, "it-went-well").is_empty(), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_51_nobody_elses_words_begin_a_line_of_the_log() {
    let data = tempfile::tempdir().unwrap();
    let child = start(data.path(), &[("TESSERA_LOG__LEVEL", "debug")]);
    let (fake, site) = (FakeApp::start().await, child.site);
    let admin = site.sign_in("sysadmin").await;
    let words = "no\nFORGED line\r\nFORGED again";
    fake.answer("/on/install", AppAnswer::Raw(http::StatusCode::BAD_GATEWAY, "text/plain", words.into()));
    let mut manifest = fake.manifest(APP, &PERMISSIONS);
    manifest["on_install"] = json!({"path": "/on/install"});
    site.install(&admin, &manifest).await;
    let ask =
        Ask::new("FORGED", format!("{API}/call")).with("X-Request-ID", "a b").with("traceparent", "FORGED");
    let answer = site.send(&ask).await;
    assert!(answer.header("x-request-id").is_some_and(|id| id.len() == 26), "{answer:?}");
    let log = String::from_utf8(child.stop()).unwrap();
    assert!(log.contains("FORGED line"), "the App's words are not in the log at all: {log}");
    for line in log.lines().filter(|line| !line.starts_with("tessera ready on ")) {
        // Every line begins with its time.
        assert!(line.starts_with("20") && line.as_bytes().get(10) == Some(&b'T'), "{line:?}");
    }
}
