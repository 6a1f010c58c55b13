//! Ids along the way: of the request, and of the trace, from who asks to every App that hears of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tessera_testkit::child::{Child, run};
use tessera_testkit::fake_app::{FakeApp, Received};
use tessera_testkit::site::{API, PERMISSIONS, PLUGIN, flow};
use tessera_testkit::wire::Ask;

use crate::TESSERA;
use crate::stage::{APP, Stage, begin, complete};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// Trace, span and flags of a request, in the form that the standard gives them.
fn parts(heard: &Received) -> (String, String, String) {
    let text = heard.headers["traceparent"].to_str().unwrap();
    let parts: Vec<&str> = text.split('-').collect();
    let ["00", trace, span, flags] = parts[..] else { panic!("{text}") };
    let hex = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase());
    assert!(
        trace.len() == 32 && span.len() == 16 && flags.len() == 2 && parts[1..].iter().all(|part| hex(part))
    );
    (trace.to_owned(), span.to_owned(), flags.to_owned())
}

fn request_id(heard: &Received) -> &str {
    heard.headers["x-request-id"].to_str().unwrap()
}

#[tokio::test]
async fn every_request_to_an_app_carries_the_ids_of_the_request_that_caused_it() {
    let stage = Stage::set().await;
    let state = begin(stage.site, &stage.user).await;
    let call = json!({"path": "/do", "context": {"app_id": APP}}).to_string();
    let mut manifest = stage.fake.manifest("second", &PERMISSIONS);
    manifest["on_install"] = json!({"path": "/on/install"});
    manifest["Replace"] = json!(true);
    let listed = stage.site.post(&stage.admin.token, "/update-app-listing", &manifest).await;
    assert_eq!(listed.status, 200, "{}", listed.text());
    let install = json!({"app_id": "second", "deploy_type": "http"}).to_string();
    let asks = [
        (Ask::post(format!("{API}/call"), call), &stage.user, vec!["/do"]),
        (Ask::get(format!("{API}/bindings")), &stage.user, vec!["/bindings"]),
        (Ask::get(flow(APP, "connect")), &stage.user, vec!["/oauth2/connect"]),
        (
            Ask::get(format!("{}?code=c&state={state}", flow(APP, "complete"))),
            &stage.user,
            vec!["/oauth2/complete"],
        ),
        (Ask::get(format!("{PLUGIN}/apps/{APP}/static/icon.png")), &stage.user, vec!["/static/icon.png"]),
        (Ask::post(format!("{API}/install-app"), install), &stage.admin, vec!["/ping", "/on/install"]),
    ];
    let mut spans = BTreeSet::from([PARENT.to_owned()]);
    for (number, (ask, who, paths)) in asks.into_iter().enumerate() {
        let before = stage.fake.calls().len();
        let (id, what) = (format!("mine-{number}"), ask.target.clone());
        let given = format!("00-{TRACE}-{PARENT}-01");
        let ask = ask.bearer(&who.token).with("X-Request-ID", id.as_str()).with("traceparent", given);
        let answer = stage.site.send(&ask).await;
        assert!(answer.status < 400, "{what}: {}", answer.text());
        assert_eq!(answer.header("x-request-id"), Some(id.as_str()), "{what}");
        let heard = stage.fake.calls().split_off(before);
        for path in paths {
            assert!(heard.iter().any(|heard| heard.path() == path), "{what}: {path} was not asked for");
        }
        for heard in heard {
            assert_eq!(request_id(&heard), id, "{}", heard.target);
            let (trace, span, flags) = parts(&heard);
            assert_eq!((trace.as_str(), flags.as_str()), (TRACE, "01"), "{}", heard.target);
            assert!(spans.insert(span), "{}: two requests are one part of the trace", heard.target);
        }
    }
}

#[tokio::test]
async fn a_trace_begins_here_where_none_came_or_none_that_is_valid() {
    let stage = Stage::set().await;
    let call = json!({"path": "/do", "context": {"app_id": APP}}).to_string();
    let bad = format!("00-{}-{PARENT}-01", "0".repeat(32));
    let asks = [
        Ask::post(format!("{API}/call"), call.as_str()),
        Ask::post(format!("{API}/call"), call.as_str()).with("traceparent", bad),
        Ask::post(format!("{API}/call"), call.as_str())
            .with("traceparent", "anything")
            .with("X-Request-ID", "a b"),
    ];
    let (mut traces, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for ask in asks {
        let answer = stage.site.send(&ask.bearer(&stage.user.token)).await;
        let heard = stage.fake.calls_to("/do").pop().unwrap();
        assert_eq!(answer.header("x-request-id"), Some(request_id(&heard)));
        assert_eq!(request_id(&heard).len(), 26);
        let (trace, span, flags) = parts(&heard);
        assert_eq!(flags, "01");
        assert!(trace != "0".repeat(32) && span != "0".repeat(16));
        assert!(traces.insert(trace) && ids.insert(request_id(&heard).to_owned()));
    }
}

#[tokio::test]
async fn apps_are_told_when_nobody_records_the_trace() {
    let stage = Stage::with(|config| config.trace.ratio = 0.0).await;
    let call = json!({"path": "/do", "context": {"app_id": APP}});
    stage.site.post(&stage.user.token, "/call", &call).await;
    assert_eq!(parts(&stage.fake.calls_to("/do")[0]).2, "00");
}

#[tokio::test]
async fn the_audit_log_and_the_inspector_name_the_request_that_the_app_heard_of() {
    let stage = Stage::set().await;
    let state = begin(stage.site, &stage.user).await;
    let answer = complete(stage.site, &stage.user, &format!("code=c&state={state}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let heard = stage.fake.calls_to("/oauth2/complete").pop().unwrap();
    let audited = stage.server.audit();
    let completed = audited.iter().find(|entry| entry["act"] == "flow_completed").unwrap();
    assert_eq!(completed["request"], request_id(&heard));
    let calls = Ask::get(format!("{PLUGIN}/tessera/v1/console/calls")).bearer(&stage.user.token);
    let shown: Value = stage.site.send(&calls).await.json()["calls"][0].clone();
    assert_eq!((&shown["kind"], &shown["id"]), (&json!("complete"), &json!(request_id(&heard))), "{shown}");
    assert_eq!(shown["trace"], parts(&heard).0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_request_caused_has_ids_of_its_own() {
    let data = tempfile::tempdir().unwrap();
    let child = Child::start(TESSERA, data.path());
    let fake = FakeApp::start().await;
    let manifest = data.path().join("manifest.json");
    std::fs::write(&manifest, fake.manifest(APP, &PERMISSIONS).to_string()).unwrap();
    for words in [vec!["add", manifest.to_str().unwrap()], vec!["install", APP]] {
        let mut command = std::process::Command::new(TESSERA);
        command.args(["apps", "--data"]).arg(data.path()).args(words);
        let (status, text) = run(command);
        assert!(status.success(), "{text}");
    }
    let ping = fake.calls_to("/ping").pop().unwrap();
    assert_eq!((parts(&ping).2.as_str(), request_id(&ping).len()), ("01", 26));
    child.stop();
}
