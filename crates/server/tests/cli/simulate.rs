//! `tessera simulate` as people run it.

#![expect(clippy::unwrap_used, reason = "what cannot be had ends the test")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tessera_testkit::child::run;
use tessera_testkit::site::Site;
use tessera_testkit::wire::Ask;

use super::TESSERA;

/// A simulator that said that it is ready; killed when it is dropped.
struct Simulator {
    process: Child,
    out: BufReader<ChildStdout>,
}

impl Simulator {
    fn start(words: &[&str]) -> Self {
        let mut command = Command::new(TESSERA);
        command.args(["simulate", "--listen", "127.0.0.1:0"]).args(words).stdin(Stdio::null());
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(process.stdout.take().unwrap());
        Self { process, out }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.out.read_line(&mut line).unwrap() > 0, "it ended");
        line
    }

    /// Asks it to end; gives whether it ended well, and what it still said.
    fn end(mut self) -> (bool, String) {
        let asked = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status().unwrap();
        assert!(asked.success());
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        (self.process.wait().unwrap().success(), rest)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn simulate(words: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(TESSERA);
    command.arg("simulate").args(words);
    let (status, text) = run(command);
    (status.code(), text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_simulator_says_where_it_is_and_misbehaves_as_it_was_told() {
    let client =
        ["--client-id", "mine", "--client-secret", "s3cret", "--redirect-uri", "http://localhost:1/back"];
    let other =
        ["--client-id", "other", "--client-secret", "0ther", "--redirect-uri", "http://localhost:2/back"];
    let quirks = ["--json", "--quirk", "html-502*1", "--quirk", "rate-limited=9"];
    let mut simulator = Simulator::start(&[&client[..], &other, &quirks].concat());
    let told: Value = serde_json::from_str(&simulator.line()).unwrap();
    let issuer = told["issuer"].as_str().unwrap().to_owned();
    assert_eq!(told["endpoints"]["token"], format!("{issuer}/token"));
    assert_eq!(told["endpoints"]["refresh"], format!("{issuer}/token"));
    assert_eq!((&told["accounts"], &told["password"]), (&json!(["ada", "grace"]), &json!("simulator")));
    let second =
        json!({ "client_id": "other", "client_secret": "0ther", "redirect_uri": "http://localhost:2/back" });
    assert_eq!(told["clients"][1], second);
    assert_eq!(told["quirks"], json!({ "html-502": { "value": true, "times": 1 }, "rate-limited": "9" }));

    let site = Site::at(issuer.strip_prefix("http://").unwrap().parse().unwrap());
    let form = "grant_type=refresh_token&refresh_token=x&client_id=mine&client_secret=s3cret";
    let ask = Ask::post("/token", form).with("Content-Type", "application/x-www-form-urlencoded");
    assert_eq!(site.send(&ask).await.status, 502);
    let limited = site.send(&ask).await;
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("9")));
    let off = Ask::post("/quirks", r#"{"rate-limited":null}"#).with("Content-Type", "application/json");
    assert_eq!(site.send(&off).await.status, 200);
    let refused = site.send(&ask).await;
    assert_eq!(
        (refused.status, &refused.json()["error"]),
        (400, &json!("invalid_grant")),
        "the client is known"
    );
    assert_eq!(simulator.end(), (true, String::new()));
}

#[test]
fn without_words_it_has_a_client_for_the_example_and_no_switch_on() {
    let mut simulator = Simulator::start(&[]);
    let mut text = String::new();
    while !text.contains("Ctrl-C ends it.") {
        text += &simulator.line();
    }
    for told in [
        "ready. Its issuer is http://127.0.0.1:",
        "/.well-known/oauth-authorization-server",
        "/quirks",
        "ada and grace, with the password simulator",
        "hello-oauth2, with the secret simulator, back to http://localhost:8065/plugins/com.mattermost.apps/apps/hello-oauth2/oauth2/remote/complete",
        "switches   none in force",
    ] {
        assert!(text.contains(told), "{told} is not in {text}");
    }
    assert!(simulator.end().0);
}

#[test]
fn the_switches_in_force_are_shown_as_they_are_typed() {
    let mut simulator = Simulator::start(&["--quirk", "html-502*1", "--quirk", "rate-limited=date+5"]);
    let mut text = String::new();
    while !text.contains("Ctrl-C ends it.") {
        text += &simulator.line();
    }
    assert!(text.contains("switches   html-502=true*1, rate-limited=date+5\n"), "{text}");
}

#[test]
fn what_is_wrong_is_told_with_status_2() {
    for (words, told) in [
        (
            &["--quirk", "nonsense"][..],
            "there is no switch \"nonsense\"; there are: token-life, code-life, form-reply",
        ),
        (&["--quirk", "iss=elsewhere"], "--quirk iss=elsewhere: iss: unknown variant `elsewhere`"),
        (&["--quirk", "pkce-ignored*2"], "--quirk pkce-ignored*2: pkce-ignored: "),
        (&["--listen", "0.0.0.0:0"], "loopback only"),
        (&["--listen", "here"], "--listen"),
        (&["--client-id", "mine"], "each client needs all three"),
        (
            &["--client-id", "a", "--client-secret", "b", "--redirect-uri", "/back"],
            "--redirect-uri /back: must be an absolute URL",
        ),
    ] {
        let (code, text) = simulate(words);
        assert_eq!(code, Some(2), "{words:?}: {text}");
        assert!(text.contains(told), "{told} is not in {text}");
    }
}

#[test]
fn the_switches_are_listed() {
    let (code, text) = simulate(&["--list-quirks"]);
    assert_eq!(code, Some(0));
    assert!(text.contains(" 9 rotate-refresh-tokens ") && text.contains("35 callback-twice "), "{text}");
    let (code, text) = simulate(&["--list-quirks", "--json"]);
    let listed: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!((code, listed.len()), (Some(0), 37));
    assert_eq!((&listed[36]["number"], &listed[36]["counted"]), (&json!(35), &json!(true)));
}
