//! The App server, asked as the Mattermost server asks.

#![expect(clippy::unwrap_used, reason = "a helper of tests that fails is a test that fails")]

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{Request, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tessera_driver::test::call as test_call;
use tessera_driver::{
    App, CallRequest, CallRequestExt, CallResponse, JWT_HEADER, JwtSecret, Manifest, RawJson, binding, call,
    form, manifest, respond,
};
use tower::ServiceExt;

fn hello() -> App {
    App::new(
        manifest("hello", "Hello").homepage("https://example.com").location("/command").http("http://h:1"),
    )
    .bindings(binding::command("hello").child(binding::action("greet", call("/greet"))))
    .call("/greet", async |_: CallRequest| "Hello!")
    .call("/größe", async |_: CallRequest| "über".to_owned())
    .call("/fail", async |_: CallRequest| Err::<(), _>("it is **broken**"))
    .call("/panic", async |creq: CallRequest| {
        assert!(creq.path.is_empty(), "always");
    })
    .static_file("icon.png", "image/png", &b"\x89PNG"[..])
}

async fn ask(app: Router, method: &str, path: &str, body: &str) -> (StatusCode, String, String) {
    let request = Request::builder().method(method).uri(path).body(Body::from(body.to_owned())).unwrap();
    answer(app, request).await
}

async fn answer(app: Router, request: Request<Body>) -> (StatusCode, String, String) {
    let response = app.oneshot(request).await.unwrap();
    let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, kind.unwrap_or_default(), String::from_utf8(body.to_vec()).unwrap())
}

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

#[tokio::test]
async fn it_serves_ping_manifest_bindings_and_calls() {
    let app = || hello().into_router();
    let ok = |kind: &str, body: &str| (StatusCode::OK, kind.to_owned(), body.to_owned());
    assert_eq!(ask(app(), "POST", "/ping", "no JSON").await, ok(JSON, "{}\n"));
    assert_eq!(ask(app(), "GET", "/ping", "").await, ok(JSON, "{}\n"));

    let (status, kind, body) = ask(app(), "GET", "/manifest.json", "").await;
    assert_eq!((status, kind.as_str()), (StatusCode::OK, JSON));
    let served: Manifest = serde_json::from_str(&body).unwrap();
    assert_eq!(&served, hello().manifest());
    assert_eq!(ask(app(), "POST", "/manifest.json", "").await.0, StatusCode::METHOD_NOT_ALLOWED);

    let (_, _, body) = ask(app(), "POST", "/bindings", "{}").await;
    let bindings = json!([{"location": "/command", "bindings": [
        {"location": "hello", "bindings": [{"location": "greet", "submit": {"path": "/greet"}}]}
    ]}]);
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), json!({"type": "ok", "data": bindings}));

    assert_eq!(ask(app(), "POST", "/greet", "{}").await, ok(JSON, "{\"type\":\"ok\",\"text\":\"Hello!\"}\n"));
    assert_eq!(ask(app(), "POST", "/gr%C3%B6%C3%9Fe", "{}").await.2, "{\"type\":\"ok\",\"text\":\"über\"}\n");
    assert_eq!(
        ask(app(), "POST", "/fail", "{}").await,
        ok(JSON, "{\"type\":\"error\",\"text\":\"it is **broken**\"}\n")
    );
    let other = (StatusCode::NOT_FOUND, TEXT.to_owned(), "404 page not found\n".to_owned());
    assert_eq!(ask(app(), "POST", "/nowhere", "{}").await, other);
    assert_eq!(ask(app(), "POST", "/greet/", "{}").await, other);
}

#[tokio::test]
async fn an_app_without_bindings_has_none() {
    let app = App::new(manifest("hello", "Hello")).into_router();
    assert_eq!(ask(app, "POST", "/bindings", "{}").await.2, "{\"type\":\"ok\",\"data\":[]}\n");

    let elsewhere = manifest("hello", "Hello").bindings(call("/b").as_acting_user());
    let app = App::new(elsewhere).bindings_with(async |_: CallRequest| respond::bindings(&[])).into_router();
    assert_eq!(ask(app, "POST", "/b", "{}").await.2, "{\"type\":\"ok\",\"data\":[]}\n");
}

#[tokio::test]
async fn a_body_that_is_no_call_request_is_400_and_one_too_large_413() {
    let app = || hello().body_limit(64).into_router();
    for (body, text) in [
        ("", "EOF"),
        ("{\"path\":", "unexpected EOF"),
        ("{a:1}", "invalid character 'a' looking for beginning of object key string"),
        ("\"/greet\"", "json: cannot unmarshal string into Go value of type apps.CallRequest"),
        ("[]", "json: cannot unmarshal array into Go value of type apps.CallRequest"),
    ] {
        let (status, kind, answer) = ask(app(), "POST", "/greet", body).await;
        assert_eq!((status, kind.as_str()), (StatusCode::BAD_REQUEST, TEXT), "{body}");
        assert_eq!(answer, format!("{text}\n"), "{body}");
    }
    // What comes after the first value is not read, and members are matched whatever their case.
    assert_eq!(ask(app(), "POST", "/greet", "{\"PATH\":\"/greet\"} x").await.0, StatusCode::OK);

    let large = format!("{{\"raw_command\":\"{}\"}}", "x".repeat(64));
    assert_eq!(ask(app(), "POST", "/greet", &large).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let declared =
        Request::builder().method("POST").uri("/greet").header("content-length", "65").body(Body::empty());
    assert_eq!(answer(app(), declared.unwrap()).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_handler_that_panics_is_an_error_response() {
    let response = test_call("/panic").send(hello().into_router()).await.unwrap();
    assert!(response.is_error());
    assert!(response.text.contains("the App failed"), "{}", response.text);
}

#[tokio::test]
async fn static_files_come_from_memory_and_from_a_folder_and_from_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("public/deep")).unwrap();
    std::fs::write(folder.path().join("public/deep/a b.txt"), "inside").unwrap();
    std::fs::write(folder.path().join("public/.env"), "hidden").unwrap();
    std::fs::write(folder.path().join("outside.txt"), "outside").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.path().join("outside.txt"), folder.path().join("public/link.txt"))
        .unwrap();
    // Static requests carry no JWT.
    let app =
        || hello().static_dir(folder.path().join("public")).jwt_secret(JwtSecret::new("s")).into_router();

    let (status, kind, body) = ask(app(), "GET", "/static/deep/a%20b.txt", "").await;
    assert_eq!((status, kind.as_str(), body.as_str()), (StatusCode::OK, TEXT, "inside"));
    let request = Request::builder().uri("/static/icon.png").body(Body::empty()).unwrap();
    let response = app().oneshot(request).await.unwrap();
    assert_eq!(
        (response.status(), &response.headers()["content-type"]),
        (StatusCode::OK, &"image/png".parse().unwrap())
    );
    for name in [
        "../outside.txt",
        "%2e%2e/outside.txt",
        "..%2Foutside.txt",
        "link.txt",
        ".env",
        "deep",
        "",
        "/etc/passwd",
        "x",
    ] {
        let (status, _, body) = ask(app(), "GET", &format!("/static/{name}"), "").await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{name}: {body}");
    }
    assert_eq!(ask(app(), "POST", "/static/icon.png", "").await.0, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn with_a_jwt_secret_only_signed_calls_are_taken() {
    let secret = JwtSecret::new("hello-jwt-secret");
    let app = || hello().jwt_secret(secret.clone()).into_router();
    assert!(hello().jwt_secret(secret.clone()).manifest().http.as_ref().unwrap().use_jwt);
    assert_eq!(ask(app(), "GET", "/manifest.json", "").await.0, StatusCode::OK);

    let signed = test_call("/greet").acting_user("ann").sign(&secret);
    assert_eq!(signed.send(app()).await.unwrap().text, "Hello!");
    assert!(test_call("/ping").sign(&secret).send(app()).await.is_ok());

    let other = JwtSecret::new("another-secret");
    for (call, text) in [
        (test_call("/greet"), "exactly one Mattermost-App-Authorization header"),
        (test_call("/ping"), "exactly one Mattermost-App-Authorization header"),
        (test_call("/bindings"), "exactly one Mattermost-App-Authorization header"),
        (test_call("/greet").sign(&other), "another secret"),
        (test_call("/greet").sign(&secret).jwt_expires_in(-1), "the JWT has expired"),
    ] {
        let refused = call.send(app()).await.unwrap_err();
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert!(refused.text.contains(text), "{}", refused.text);
    }
}

#[tokio::test]
async fn a_jwt_does_not_choose_how_it_is_checked() {
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
    let key = EncodingKey::from_secret(b"hello-jwt-secret");
    let jwt = |algorithm, claims: &Value| encode(&Header::new(algorithm), claims, &key).unwrap();
    let exp = jsonwebtoken::get_current_timestamp() + 60;
    // {"alg":"none","typ":"JWT"} . {"exp":4102444800} .
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJleHAiOjQxMDI0NDQ4MDB9.".to_owned();
    for (value, text) in [
        (format!("Bearer {}", jwt(Algorithm::HS512, &json!({"exp": exp}))), "not signed with HS256"),
        (format!("Bearer {none}"), "cannot be read"),
        (format!("Bearer {}", jwt(Algorithm::HS256, &json!({}))), "has no exp"),
        (format!("Bearer {}", jwt(Algorithm::HS256, &json!({"exp": "soon"}))), "has no exp"),
        (format!("Basic {}", jwt(Algorithm::HS256, &json!({"exp": exp}))), "not of the form Bearer"),
        ("Bearer".to_owned(), "cannot be read"),
    ] {
        let request = Request::builder().method("POST").uri("/greet").header(JWT_HEADER, &value);
        let app = hello().jwt_secret(JwtSecret::new("hello-jwt-secret")).into_router();
        let (status, _, body) = answer(app, request.body(Body::from("{}")).unwrap()).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{value}");
        assert!(body.contains(text), "{value}: {body}");
    }
}

/// The worked example of the wire's specification, section 16.5. It expired at the beginning of 2026.
#[tokio::test]
async fn the_worked_example_is_well_signed_and_has_expired() {
    let jwt = "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjE3NjcyMjY1MDAsImFjdGluZ191c2VyX2lkIjoiYW5uZ3Q1YnhiOHBhNzNpazc1N3BpdGg3YW0ifQ.WySR2pfXQtCYN5UOcxsdTWah9HaCdsT9kVGz6OGmXUA";
    for (secret, text) in [("hello-jwt-secret", "has expired"), ("hello-jwt-secret-", "another secret")] {
        let app = hello().jwt_secret(JwtSecret::new(secret)).into_router();
        let request = Request::builder().method("POST").uri("/greet").header(JWT_HEADER, jwt);
        let (status, _, body) = answer(app, request.body(Body::from("{}")).unwrap()).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(body.contains(text), "{body}");
    }
}

#[tokio::test]
async fn it_mounts_into_an_axum_of_ones_own() {
    let own = Router::new().route("/health", axum::routing::get(async || "well"));
    let nested = own.clone().nest("/apps/hello", hello().into_router());
    assert_eq!(ask(nested.clone(), "POST", "/apps/hello/greet", "{}").await.0, StatusCode::OK);
    assert_eq!(ask(nested, "GET", "/health", "").await.2, "well");
    let merged = own.merge(hello().into_router());
    assert_eq!(ask(merged.clone(), "POST", "/greet", "{}").await.0, StatusCode::OK);
    assert_eq!(ask(merged, "GET", "/health", "").await.2, "well");
}

#[tokio::test]
async fn values_are_read_as_a_struct_with_selects_as_their_value() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Values {
        to: String,
        count: Option<u32>,
        #[serde(default)]
        loud: bool,
    }
    let creq = test_call("/greet")
        .value("to", json!({"label": "Bob", "value": "bob-id"}))
        .value("loud", true)
        .call_request();
    assert_eq!(creq.values::<Values>().unwrap(), Values { to: "bob-id".into(), count: None, loud: true });
    assert_eq!(creq.value_str("to").as_deref(), Some("bob-id"));
    assert_eq!(creq.bool_value("loud"), Some(true));

    let creq = test_call("/greet").value("to", "x").value("count", "many").call_request();
    let error = creq.values::<Values>().unwrap_err().to_string();
    assert!(error.contains("count") && !error.contains("many"), "{error}");
}

#[test]
fn responses_have_their_forms() {
    let written = |response: &CallResponse| serde_json::to_value(response).unwrap();
    let option = tessera_driver::SelectOption { label: "A".into(), value: "a".into(), ..Default::default() };
    assert_eq!(written(&respond::ok()), json!({"type": "ok"}));
    assert_eq!(written(&respond::text("**x**")), json!({"type": "ok", "text": "**x**"}));
    assert_eq!(written(&respond::error("no")), json!({"type": "error", "text": "no"}));
    assert_eq!(written(&respond::data("https://p/?a=b")), json!({"type": "ok", "data": "https://p/?a=b"}));
    assert_eq!(
        written(&respond::navigate("https://p")),
        json!({"type": "navigate", "navigate_to_url": "https://p"})
    );
    assert_eq!(
        written(&respond::lookup(&[option])),
        json!({"type": "ok", "data": {"items": [{"label": "A", "value": "a"}]}})
    );
    assert_eq!(
        written(&respond::field_errors("bad", [("name", "is needed")])),
        json!({"type": "error", "text": "bad", "data": {"errors": {"name": "is needed"}}})
    );
    let form = form::form("T", call("/submit")).field(form::password("secret").required());
    assert_eq!(
        written(&respond::form(form)),
        json!({"type": "form", "form": {"title": "T", "submit": {"path": "/submit"}, "fields": [
            {"name": "secret", "type": "text", "is_required": true, "subtype": "password"}
        ]}})
    );
}

#[test]
fn calls_and_manifests_are_what_the_server_reads() {
    let call: tessera_driver::Call =
        call("/x").oauth2_app().as_acting_user().state(RawJson::from_value(&1).unwrap()).into();
    assert_eq!(
        serde_json::to_value(&call).unwrap(),
        json!({"path": "/x", "state": 1, "expand": {
            "acting_user": "+summary", "acting_user_access_token": "+all", "oauth2_app": "all"
        }})
    );
    let manifest: Manifest = manifest("hello", "Hello")
        .homepage("https://example.com")
        .permissions(["act_as_user", "remote_oauth2"])
        .location("/command")
        .http("http://h:1")
        .into();
    assert_eq!(
        serde_json::to_value(&manifest).unwrap(),
        json!({"app_id": "hello", "display_name": "Hello", "homepage_url": "https://example.com",
            "requested_permissions": ["act_as_user", "remote_oauth2"], "requested_locations": ["/command"],
            "http": {"root_url": "http://h:1"}})
    );
}
