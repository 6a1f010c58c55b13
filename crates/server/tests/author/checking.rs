//! `tessera check`: each fault is found, with its remedy, and the exit code says whether there was an error.

use std::process::Command;

use serde_json::{Value, json};
use tessera_testkit::child::run;
use tessera_testkit::fake_app::{Answer, FakeApp};

use crate::process::tessera;

async fn check_by(words: Vec<String>) -> (i32, String) {
    // In a thread of its own: the App that it asks runs in this one.
    tokio::task::spawn_blocking(move || {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let command: Command = tessera(&words);
        let (status, text) = run(command);
        (status.code().unwrap(), text)
    })
    .await
    .unwrap()
}

async fn check(app: &FakeApp, more: &[&str]) -> (i32, Value) {
    let mut words = vec!["check".to_owned(), app.root_url(), "--json".to_owned()];
    words.extend(more.iter().map(ToString::to_string));
    let (code, text) = check_by(words).await;
    let told: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(told["ok"], code == 0, "{told}");
    (code, told)
}

/// An App that answers its bindings with these.
async fn app(change: impl FnOnce(&mut Value), bindings: Value) -> FakeApp {
    let app = FakeApp::start().await;
    let mut manifest = app.manifest("checked", &["act_as_user", "remote_oauth2"]);
    manifest["requested_locations"] = json!(["/command", "/channel_header"]);
    change(&mut manifest);
    app.answer("/manifest.json", Answer::Json(manifest));
    app.answer("/bindings", Answer::Json(json!({"type": "ok", "data": bindings})));
    app
}

fn command(children: Value) -> Value {
    json!([{"location": "/command", "bindings": [{"location": "checked", "bindings": children}]}])
}

/// The binding that lets people connect, without which there is a warning.
fn connect() -> Value {
    json!({"location": "connect", "submit": {"path": "/connect", "expand": {"oauth2_app": "all"}}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_app_has_no_findings_and_is_told_what_works_where() {
    let app = app(|_| {}, command(json!([connect()]))).await;
    let (code, told) = check(&app, &[]).await;
    assert_eq!((code, &told["findings"]), (0, &json!([])), "{told}");
    let row = |name: &str| {
        let rows = told["features"].as_array().unwrap();
        rows.iter().find(|row| row["feature"] == name).unwrap_or_else(|| panic!("{name}: {told}")).clone()
    };
    assert_eq!(row("deploy type http")["standalone"]["verdict"], "works");
    assert!(
        row("permission remote_oauth2")["original"]["how"].as_str().unwrap().contains("the bot's is refused")
    );
    assert_eq!(told["app_id"], "checked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_of_a_manifest_is_found() {
    type Change = fn(&mut Value);
    let cases: [(Change, &str, &str, &str); 17] = [
        (|m| m["display_name"] = json!(""), "error", "display_name is empty", "display_name"),
        (
            |m| m["homepage_url"] = json!("here"),
            "error",
            "homepage_url \"here\" invalid",
            "https://example.com",
        ),
        (|m| m["icon"] = json!("../i.png"), "error", "bad path", "icon.png"),
        (|m| m["app_id"] = json!("a b"), "error", "invalid character ' '", "letters, digits"),
        (|m| m["version"] = json!("v1.0.0.0.0.0"), "error", "too long", "v1.0.0"),
        (|m| m["requested_permissions"] = json!(["remote_oauth2"]), "error", "requires", "act_as_user"),
        (|m| m["http"] = Value::Null, "error", "no deployment information", "root_url"),
        (|m| m["http"] = json!({"root_url": "x"}), "error", "invalid root_url", "absolute"),
        (|m| m["plugin"] = json!({}), "error", "plugin_id must be set", "plugin_id"),
        (|m| m["aws_lambda"] = json!({}), "error", "at least 1 function", "handler"),
        (|m| m["requested_permission"] = json!([]), "warning", "requested_permission", "correct its name"),
        (|m| m["requested_locations"] = json!(["/command", "/nowhere"]), "warning", "/nowhere", "/post_menu"),
        (
            |m| m["requested_permissions"] = json!(["act_as_user", "remote_oauth2", "fly"]),
            "warning",
            "\"fly\" means nothing",
            "act_as_bot",
        ),
        (|m| m["remote_webhook_auth_type"] = json!("jwt"), "warning", "jwt", "secret or none"),
        (
            |m| m["on_oauth2_complete"] = json!({"expand": {"oauth2_app": "all"}}),
            "error",
            "acting_user_access_token is not expanded",
            "leave expand out",
        ),
        (
            |m| m["get_oauth2_connect_url"] = json!({"path": "/go", "expand": {"locale": "all"}}),
            "error",
            "oauth2_app is not expanded",
            "oauth2_app",
        ),
        (
            |m| m["bindings"] = json!({"path": "/bindings", "expand": {"team": "most"}}),
            "error",
            "most",
            "summary",
        ),
    ];
    for (change, severity, what, mend) in cases {
        let app = app(change, command(json!([connect()]))).await;
        let (code, told) = check(&app, &[]).await;
        assert_found(&told, severity, what, mend);
        assert_eq!(code, i32::from(severity == "error"), "{what}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_of_bindings_is_found() {
    let to = |expand: Value| json!({"path": "/x", "expand": expand});
    let field =
        |field: Value| json!({"location": "f", "form": {"submit": {"path": "/x"}, "fields": [field]}});
    let cases = [
        (
            json!({"location": "b", "label": "two words", "submit": {"path": "/x"}}),
            "error",
            "multiple words",
            "one word",
        ),
        (json!({"submit": {"path": "/x"}}), "error", "no location nor label", "location"),
        (json!({"location": "b"}), "error", "(only) one of", "keep one"),
        (json!({"location": " b ", "submit": {"path": "/x"}}), "warning", "trimmed whitespace", "blanks"),
        (
            json!({"location": "b", "icon": "../x", "submit": {"path": "/x"}}),
            "warning",
            "invalid icon",
            "static",
        ),
        (field(json!({"name": "", "type": "text"})), "error", "field with no name", "one word"),
        (field(json!({"name": "a", "label": "b c", "type": "text"})), "error", "single word", "modal_label"),
        (field(json!({"name": "a", "type": "static_select"})), "error", "no options", "options"),
        (field(json!({"name": "a", "type": "dynamic_select"})), "error", "no lookup", "lookup"),
        (field(json!({"name": "a", "type": "date"})), "error", "type \"date\"", "static_select"),
        (
            field(json!({"name": "a", "type": "text", "subtype": "pin"})),
            "warning",
            "subtype \"pin\"",
            "password",
        ),
        (
            json!({"location": "b", "form": {"fields": []}}),
            "warning",
            "either a submit or a source",
            "submit",
        ),
        (
            json!({"location": "b", "submit": to(json!({"oauth2_user": "summary"}))}),
            "error",
            "gives nothing",
            "all",
        ),
        (json!({"location": "b", "submit": to(json!({"user": "whole"}))}), "error", "whole", "summary"),
        (
            json!({"location": "b", "submit": {"path": "/oauth2/connect"}}),
            "error",
            "people cannot call",
            "another path",
        ),
        (json!({"location": "b", "submit": {"path": "x"}}), "warning", "begin with a slash", "begin it"),
    ];
    for (child, severity, what, mend) in cases {
        let app = app(|_| {}, command(json!([connect(), child]))).await;
        let (code, told) = check(&app, &[]).await;
        assert_found(&told, severity, what, mend);
        assert_eq!(code, i32::from(severity == "error"), "{what}: {told}");
    }
    let outside =
        json!([{"location": "/post_menu", "bindings": [{"location": "b", "submit": {"path": "/x"}}]}]);
    let (_, told) = check(&app(|_| {}, outside).await, &[]).await;
    assert_found(&told, "error", "not granted", "requested_locations");
    assert_found(&told, "warning", "none can show the connect URL", "expand it");
}

fn assert_found(told: &Value, severity: &str, what: &str, mend: &str) {
    let findings = told["findings"].as_array().unwrap();
    let found = findings.iter().any(|finding| {
        let has = |member: &str, text: &str| finding[member].as_str().unwrap().contains(text);
        has("severity", severity) && has("what", what) && has("mend", mend)
    });
    assert!(found, "no {severity} with {what:?} and {mend:?} in {told:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_that_does_not_answer_as_it_should_is_found() {
    let raw = |status: u16, text: &'static str| {
        Answer::Raw(http::StatusCode::from_u16(status).unwrap(), "text/plain", text.into())
    };
    for (path, answer, what) in [
        ("/manifest.json", raw(404, ""), "404"),
        ("/manifest.json", raw(200, "<html>"), "not a manifest"),
        ("/manifest.json", Answer::Close, "EOF"),
        ("/ping", raw(500, "on fire"), "on fire"),
        ("/bindings", raw(500, "on fire"), "on fire"),
        ("/bindings", Answer::Json(json!({"type": "error", "text": "not today"})), "not today"),
        ("/bindings", Answer::Json(json!({"type": "ok", "data": "none"})), "failed to decode bindings"),
        ("/static/i.png", raw(404, ""), "404"),
    ] {
        let app = app(|manifest| manifest["icon"] = json!("i.png"), command(json!([connect()]))).await;
        app.answer("/static/i.png", raw(200, "\u{89}PNG is not how a PNG begins"));
        app.answer(path, answer);
        let (code, told) = check(&app, &[]).await;
        assert_eq!(code, 1, "{path}: {told}");
        assert_found(&told, "error", what, "");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_that_wants_signed_calls_is_asked_with_its_secret_only() {
    const SECRET: &str = "a secret of the App";
    let bindings = command(json!([connect(), {"location": "bad"}]));
    let app = app(|manifest| manifest["http"]["use_jwt"] = json!(true), bindings).await;
    let (code, told) = check(&app, &[]).await;
    assert_found(&told, "note", "wants signed calls", "--jwt-secret-file");
    assert_eq!((code, app.calls_to("/bindings").len()), (0, 0), "{told}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    let (code, told) = check(&app, &["--jwt-secret-file", file.to_str().unwrap()]).await;
    assert_found(&told, "error", "(only) one of", "keep one");
    assert_eq!(code, 1, "{told}");
    for path in ["/ping", "/bindings"] {
        app.next_call(path).await.claims(SECRET);
    }
    let nowhere = ["check".into(), app.root_url(), "--jwt-secret-file".into(), "/nowhere".into()];
    assert_eq!(check_by(nowhere.into()).await.0, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_read_findings_by_weight_and_a_table() {
    let app = app(|m| m["display_nam"] = json!(1), command(json!([connect(), {"location": "b"}]))).await;
    let (code, text) = check_by(vec!["check".into(), format!("{}/manifest.json", app.root_url())]).await;
    assert_eq!(code, 1, "{text}");
    let error = text.find("error: /bindings").unwrap_or_else(|| panic!("{text}"));
    let warning = text.find("warning: manifest").unwrap_or_else(|| panic!("{text}"));
    assert!(error < warning, "{text}");
    for place in
        ["here", "original (to 11)", "10, proxy", "11, proxy", "12, proxy", "10, bridge", "12, bridge"]
    {
        assert!(text.contains(place), "{place}: {text}");
    }
    assert!(text.trim_end().ends_with("1 error, 1 warning, 0 notes"), "{text}");
    assert_eq!(check_by(vec!["check".into(), "nowhere".into()]).await.0, 2);
    assert_eq!(check_by(vec!["check".into()]).await.0, 2);
}
