use std::time::Duration;

use serde_json::json;
use tessera_testkit::fake_app::{Answer, FakeApp};
use tessera_types::error::Kind;
use tessera_types::{App, DeployType, Http, JwtSecret, Manifest};

use super::*;
use crate::egress::Rules;
use crate::env::Clock;

/// The moment of the worked exchanges (section 16.5).
struct Still;
impl Clock for Still {
    fn now_ms(&self) -> i64 {
        1_767_225_600_000
    }
}

fn upstream() -> Upstream {
    let egress = Egress::new(Rules { allow_loopback: true, ..Rules::default() }).unwrap();
    Upstream::new(Arc::new(egress), Env { clock: Arc::new(Still), ..Env::system() })
}

fn target(app: &FakeApp) -> Target {
    at(app.root_url())
}

fn at(root_url: String) -> Target {
    Target::new(&Http { root_url, use_jwt: false }, &JwtSecret::default())
}

fn signed(app: &FakeApp, secret: &str) -> Target {
    Target::new(&Http { root_url: app.root_url(), use_jwt: true }, &JwtSecret::new(secret))
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn call(path: &str) -> CallRequest {
    CallRequest { path: path.into(), ..CallRequest::default() }
}

async fn post(target: &Target, path: &str) -> Result<CallResponse, Error> {
    upstream().post(target, "call", call(path), None, soon()).await
}

async fn answered(answer: Answer) -> (Result<CallResponse, Error>, FakeApp) {
    let app = FakeApp::start().await;
    app.answer("/send", answer);
    (post(&target(&app), "/send").await, app)
}

fn raw(status: u16, body: &'static str) -> Answer {
    Answer::Raw(StatusCode::from_u16(status).unwrap(), "text/html", body.into())
}

#[tokio::test]
async fn a_call_goes_out_as_the_wire_has_it() {
    let app = FakeApp::start().await;
    post(&target(&app), "/send").await.unwrap();
    let [seen] = &app.calls()[..] else { panic!("one call") };
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/send"));
    assert_eq!(
        seen.text(),
        r#"{"path":"/send","context":{"app_id":"","mattermost_site_url":"","app_path":"","bot_user_id":"","oauth2":{}}}"#
    );
    assert_eq!(seen.headers[CONTENT_TYPE], "application/json");
    assert_eq!(seen.headers[USER_AGENT], "Mattermost-Bot/1.1");
    assert_eq!(seen.headers["content-length"], seen.body.len().to_string());
    assert!(!seen.headers.contains_key(AUTHORIZATION));
}

#[tokio::test]
async fn call_urls_follow_the_examples() {
    let app = FakeApp::start().await;
    for (root, path, seen) in [
        ("", "/send", "/send"),
        ("/base/", "/x?y=1", "/base/x?y=1"),
        ("", "/a/b/", "/a/b"),
        ("", "/a%2Fb", "/a/b"),
        ("", "/a b", "/a%20b"),
        ("", "/test-%C3%AEtem", "/test-%C3%AEtem"),
    ] {
        post(&at(app.root_url() + root), path).await.unwrap();
        assert_eq!(app.calls().last().unwrap().target, seen, "{root} {path}");
    }
    let calls = app.calls().len();
    let error = post(&target(&app), "/100%25").await.unwrap_err();
    assert!(error.to_string().starts_with("failed to invoke via HTTP: invalid URL escape \"%"), "{error}");
    assert_eq!(app.calls().len(), calls);
}

#[tokio::test]
async fn the_jwt_is_the_golden_one() {
    let app = FakeApp::start().await;
    let target = signed(&app, "hello-jwt-secret");
    let ann = Some("anngt5bxb8pa73ik757pith7am");
    upstream().post(&target, "call", call("/send"), ann, soon()).await.unwrap();
    assert_eq!(
        app.calls()[0].headers[AUTHORIZATION],
        "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjE3NjcyMjY1MDAsImFjdGluZ191c2VyX2lkIjoiYW5uZ3Q1YnhiOHBhNzNpazc1N3BpdGg3YW0ifQ.WySR2pfXQtCYN5UOcxsdTWah9HaCdsT9kVGz6OGmXUA"
    );
}

#[tokio::test]
async fn a_jwt_without_a_user_or_a_secret_is_still_one() {
    let app = FakeApp::start().await;
    upstream().post(&signed(&app, ""), "call", call("/send"), Some(""), soon()).await.unwrap();
    assert_eq!(app.calls()[0].claims(""), json!({"exp": 1_767_226_500}));
    app.require_jwt("other");
    let error =
        upstream().post(&signed(&app, "wrong"), "call", call("/send"), None, soon()).await.unwrap_err();
    assert_eq!(error.to_string(), "failed to invoke via HTTP: no good JWT");
}

#[tokio::test]
async fn answers_are_read_liberally() {
    for body in [r#"{"TYPE":"ok","text":"hi"}"#, "  {\"type\":\"ok\",\"text\":\"hi\"} trailing <html>"] {
        let (response, _app) = answered(raw(200, body)).await;
        assert_eq!(response.unwrap(), CallResponse::text("hi"));
    }
    let (response, _app) = answered(raw(200, "null")).await;
    assert_eq!(response.unwrap(), CallResponse::default());
}

#[tokio::test]
async fn bad_answers_have_the_texts_of_the_table() {
    for (answer, text) in [
        (raw(200, ""), "EOF"),
        (raw(200, "<html>"), "invalid character '<' looking for beginning of value"),
        (raw(200, r#"{"type":"ok","te"#), "unexpected EOF"),
        (raw(500, "it broke: é"), "failed to invoke via HTTP: it broke: é"),
        (raw(201, r#"{"type":"ok"}"#), r#"failed to invoke via HTTP: {"type":"ok"}"#),
        (raw(204, ""), "failed to invoke via HTTP: 204 No Content"),
        (raw(503, ""), "failed to invoke via HTTP: 503 Service Unavailable"),
        (raw(304, ""), "failed to invoke via HTTP: 304 Not Modified"),
    ] {
        let (response, _app) = answered(answer).await;
        let error = response.unwrap_err();
        assert_eq!((error.to_string().as_str(), error.kind()), (text, Kind::Other));
    }
    let (response, app) = answered(raw(404, "whatever")).await;
    let error = response.unwrap_err();
    assert_eq!(error.to_string(), format!("failed to invoke via HTTP: {}/send: not found", app.root_url()));
    assert_eq!(error.kind(), Kind::NotFound);
    let (response, app) = answered(Answer::Close).await;
    assert_eq!(
        response.unwrap_err().to_string(),
        format!("failed to invoke via HTTP: Post \"{}/send\": EOF", app.root_url())
    );
    let (response, app) = answered(Answer::Cut(r#"{"type":"o"#.into())).await;
    assert_eq!(
        response.unwrap_err().to_string(),
        format!("failed to invoke via HTTP: Post \"{}/send\": unexpected EOF", app.root_url())
    );
}

#[tokio::test]
async fn os_21_redirects_of_apps_are_an_error() {
    let elsewhere = FakeApp::start().await;
    let (response, app) = answered(Answer::Redirect(elsewhere.root_url() + "/send")).await;
    assert_eq!(
        response.unwrap_err().to_string(),
        format!(
            "failed to invoke via HTTP: {}/send: answered with a redirect (307 Temporary Redirect), which is not \
             followed",
            app.root_url()
        )
    );
    assert!(elsewhere.calls().is_empty());
}

#[tokio::test]
async fn answers_are_capped_at_ten_mebibytes() {
    let (response, _app) = answered(Answer::Huge(CAP + 1)).await;
    let text = response.unwrap_err().to_string();
    assert!(text.ends_with("the answer is larger than 10485760 bytes"), "{text}");
    let (response, _app) = answered(Answer::Huge(CAP)).await;
    assert_eq!(response.unwrap_err().to_string(), "EOF");
}

#[tokio::test]
async fn a_slow_app_is_given_up_at_the_deadline() {
    let app = FakeApp::start().await;
    app.answer("/send", Answer::Hang);
    let deadline = Instant::now() + Duration::from_millis(150);
    let error = upstream().post(&target(&app), "call", call("/send"), None, deadline).await.unwrap_err();
    let text =
        format!("failed to invoke via HTTP: Post \"{}/send\": context deadline exceeded", app.root_url());
    assert_eq!(error.to_string(), text);
    let error = upstream().post(&target(&app), "call", call("/send"), None, deadline).await.unwrap_err();
    assert_eq!(error.to_string(), text, "a deadline that has passed already");
}

#[tokio::test]
async fn a_ping_is_answered_by_anything_or_by_404() {
    let app = FakeApp::start().await;
    let target = signed(&app, "s");
    upstream().ping(&target, soon()).await.unwrap();
    assert_eq!(
        app.calls()[0].text(),
        r#"{"path":"/ping","context":{"app_id":"","mattermost_site_url":"","app_path":"","bot_user_id":"","oauth2":{}}}"#
    );
    assert_eq!(app.calls()[0].claims("s"), json!({"exp": 1_767_226_500}));
    for good in [raw(404, ""), Answer::Json(json!({"type": "error", "text": "no"})), raw(200, "{}")] {
        app.answer("/ping", good);
        upstream().ping(&target, soon()).await.unwrap();
    }
    for (bad, text) in [
        (raw(500, "down"), "failed to call /ping endpoint: failed to invoke via HTTP: down"),
        (raw(200, ""), "failed to call /ping endpoint: EOF"),
    ] {
        app.answer("/ping", bad);
        assert_eq!(upstream().ping(&target, soon()).await.unwrap_err().to_string(), text);
    }
}

#[tokio::test]
async fn static_assets_come_as_they_are() {
    let app = FakeApp::start().await;
    app.answer("/static/a/icon.png", Answer::Raw(StatusCode::IM_A_TEAPOT, "image/png", "png".into()));
    let asset = upstream().static_asset(&signed(&app, "s"), "a/icon.png", soon()).await.unwrap();
    assert_eq!((asset.status.as_u16(), &asset.body[..]), (418, &b"png"[..]));
    assert_eq!(asset.content_type.unwrap(), "image/png");
    let seen = &app.calls()[0];
    assert_eq!(seen.method, "GET");
    assert!(!seen.headers.contains_key(AUTHORIZATION));
}

#[test]
fn only_web_servers_can_be_called() {
    let http = Some(Http { root_url: "http://h".into(), use_jwt: false });
    let manifest = Manifest { app_id: "hello".into(), http, ..Manifest::default() };
    let app = |deploy| App { manifest: manifest.clone(), deploy_type: Some(deploy), ..App::default() };
    assert!(Target::of(&app(DeployType::Http)).is_ok());
    assert_eq!(
        Target::of(&app(DeployType::AwsLambda)).unwrap_err().to_string(),
        "no available upstream for hello: deployment type \"AWS Lambda\" is not configured on this Mattermost server"
    );
    let bare = App { deploy_type: Some(DeployType::Http), ..App::default() };
    assert!(Target::of(&bare).unwrap_err().to_string().contains("deployment type \"HTTP\""));
}
