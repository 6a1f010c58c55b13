//! Traces at a collector: a tiny one on the loopback, which reads what came with the protocol's own types.

use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message as _;
use serde_json::json;
use tessera_testkit::child::{Child, run, serve};
use tessera_testkit::fake_app::FakeApp;
use tessera_testkit::site::{API, PERMISSIONS, flow};
use tessera_testkit::wire::Ask;

use crate::TESSERA;
use crate::stage::APP;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

type Bodies = Arc<Mutex<Vec<Bytes>>>;

/// Starts a collector. Gives its address, and the bodies that it gets.
async fn collector() -> (String, Bodies) {
    let bodies = Bodies::default();
    let take = async |State(bodies): State<Bodies>, body: Bytes| bodies.lock().unwrap().push(body);
    let router = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&bodies));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, bodies)
}

fn spans(bodies: &Bodies) -> Vec<Span> {
    let mut all = Vec::new();
    for body in bodies.lock().unwrap().iter() {
        for resource in ExportTraceServiceRequest::decode(body.clone()).unwrap().resource_spans {
            let about = resource.resource.unwrap().attributes;
            assert!(about.iter().any(|attribute| {
                let value = attribute.value.as_ref().and_then(|value| value.value.clone());
                attribute.key == "service.name" && value == Some(Value::StringValue("tessera".into()))
            }));
            all.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
    }
    all
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attribute(span: &Span, key: &str) -> Value {
    let found = span.attributes.iter().find(|attribute| attribute.key == key);
    found.and_then(|found| found.value.clone()?.value).unwrap_or_else(|| panic!("no {key}: {span:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_51_a_call_is_seen_by_the_collector_in_its_trace_and_without_a_secret() {
    let (endpoint, bodies) = collector().await;
    let data = tempfile::tempdir().unwrap();
    let mut command = serve(TESSERA, data.path());
    command.env("TESSERA_TRACE__ENDPOINT", endpoint).env("TESSERA_TRACE__RATIO", "0");
    let child = Child::spawn(command);
    let (site, fake) = (child.site, FakeApp::start().await);
    let (admin, user) = (site.sign_in("sysadmin").await, site.sign_in("user-1").await);
    site.install(&admin, &fake.manifest(APP, &PERMISSIONS)).await;
    fake.leads_to_a_provider();
    let (token, bot) = site.tokens(&user, &fake, APP).await;
    let call = json!({"path": "/do", "context": {"app_id": APP}, "values": {"password": "planted-value"}});
    let traced = |ask: Ask, flags: &str| {
        ask.bearer(&user.token).with("traceparent", format!("00-{TRACE}-{PARENT}-{flags}"))
    };
    let ask = |id: &str| Ask::post(format!("{API}/call"), call.to_string()).with("X-Request-ID", id);
    assert_eq!(site.send(&traced(ask("recorded"), "01")).await.status, 200);
    assert_eq!(site.send(&traced(ask("not-recorded"), "00")).await.status, 200);
    let callback = format!("{}?code=planted-code&state=planted-state", flow(APP, "complete"));
    assert_eq!(site.send(&traced(Ask::get(callback), "01")).await.status, 403);
    // The last ones are sent before it ends.
    let log = String::from_utf8_lossy(&child.stop()).into_owned();

    let spans = spans(&bodies);
    let [request, to_app, callback] = {
        let find = |what: &dyn Fn(&Span) -> bool| spans.iter().find(|span| what(span)).cloned();
        let name = |end: &'static str| move |span: &Span| span.name.ends_with(end);
        [find(&name("/api/v1/call")), find(&name("call watched")), find(&name("/oauth2/remote/complete"))]
            .map(|found| found.unwrap_or_else(|| panic!("{spans:#?}\n{log}")))
    };
    assert_eq!(spans.len(), 3, "only what is recorded elsewhere is, where none is by chance: {spans:#?}");
    for span in &spans {
        assert_eq!(hex(&span.trace_id), TRACE);
        assert!(span.start_time_unix_nano > 0 && span.start_time_unix_nano < span.end_time_unix_nano);
    }
    assert_eq!((request.kind(), hex(&request.parent_span_id).as_str()), (SpanKind::Server, PARENT));
    assert_eq!(attribute(&request, "http.response.status_code"), Value::IntValue(200));
    assert_eq!(attribute(&request, "tessera.request_id"), Value::StringValue("recorded".into()));
    assert_eq!((to_app.kind(), &to_app.parent_span_id), (SpanKind::Client, &request.span_id));
    let heard = fake.calls_to("/do")[0].headers["traceparent"].to_str().unwrap().to_owned();
    assert_eq!(
        heard,
        format!("00-{TRACE}-{}-01", hex(&to_app.span_id)),
        "the App's part hangs on another span"
    );
    assert_eq!(attribute(&to_app, "tessera.outcome"), Value::StringValue("ok".into()));
    assert_eq!(attribute(&callback, "http.response.status_code"), Value::IntValue(403));

    let sent = bodies.lock().unwrap().concat();
    let sent = String::from_utf8_lossy(&sent);
    for secret in ["planted", &token, &bot, &user.token, &user.id] {
        assert!(!sent.contains(secret), "{secret} is in a trace");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_not_there_costs_a_line_in_the_log_and_nothing_else() {
    let data = tempfile::tempdir().unwrap();
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let mut command = serve(TESSERA, data.path());
    command.env("TESSERA_TRACE__ENDPOINT", endpoint);
    let child = Child::spawn(command);
    let user = child.site.sign_in("user-1").await;
    let me = child.site.send(&Ask::get("/api/v4/users/me").bearer(&user.token)).await;
    assert_eq!(me.status, 200);
    let log = String::from_utf8_lossy(&child.stop()).into_owned();
    assert_eq!(log.matches("traces cannot be sent").count(), 1, "{log}");
}

#[test]
fn a_bad_endpoint_stops_the_start_with_its_name() {
    let data = tempfile::tempdir().unwrap();
    let mut command: Command = serve(TESSERA, data.path());
    command.env("TESSERA_TRACE__ENDPOINT", "collector");
    let (status, text) = run(command);
    assert_eq!(status.code(), Some(1));
    assert!(text.contains("trace.endpoint") && text.contains("http://localhost:4318"), "{text}");
}
