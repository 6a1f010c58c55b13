//! From an HTTP request to the App's function and back.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode, header};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use tessera_types::{CallRequest, json};

use super::App;

/// One fallback instead of a route per call: paths are the App author's, so they may hold what a route
/// pattern gives a meaning to, and may repeat.
pub(super) fn router(app: Arc<App>) -> Router {
    Router::new().fallback(dispatch).with_state(app)
}

async fn dispatch(State(app): State<Arc<App>>, request: Request) -> Response {
    let Ok(path) = percent_decode_str(request.uri().path()).decode_utf8().map(|path| path.into_owned())
    else {
        return not_found();
    };
    if path == "/manifest.json" {
        return match *request.method() {
            Method::GET | Method::HEAD => reply(&app.manifest),
            _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        };
    }
    if !app.files.is_empty()
        && let Some(name) = path.strip_prefix("/static/")
    {
        return file(&app, name, request.method()).await;
    }
    if let Some(verifier) = &app.verifier
        && let Err(reason) = verifier.check(request.headers())
    {
        tracing::warn!(path, reason, "refused a call");
        return text(StatusCode::UNAUTHORIZED, reason);
    }
    match app.calls.get(&path) {
        Some(handler) => match call_request(request, app.body_limit).await {
            Ok(creq) => reply(&handler.run(creq).await),
            Err(refusal) => refusal,
        },
        None if path == "/ping" => reply(&serde_json::Map::new()),
        // An App without bindings has none, which is no error.
        None if path == "/bindings" => reply(&crate::respond::bindings(&[])),
        None => not_found(),
    }
}

async fn call_request(request: Request, limit: usize) -> Result<CallRequest, Response> {
    let too_large =
        || text(StatusCode::PAYLOAD_TOO_LARGE, &format!("the call request is larger than {limit} bytes"));
    let declared =
        request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: usize| length > limit) {
        return Err(too_large());
    }
    // Content-Type is not looked at: nothing in the framework depends on it.
    let body = to_bytes(request.into_body(), limit).await.map_err(|error| {
        // axum wraps the limit's error; anything else is a connection that broke, with nobody to answer.
        if std::error::Error::source(&error).is_some_and(|cause| cause.to_string().contains("length limit")) {
            too_large()
        } else {
            text(StatusCode::BAD_REQUEST, "the call request broke off")
        }
    })?;
    json::from_slice_stream(&body).map_err(|error| text(StatusCode::BAD_REQUEST, &error.to_string()))
}

async fn file(app: &App, name: &str, method: &Method) -> Response {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    match app.files.get(name).await {
        Some(file) => {
            let headers = [
                (header::CONTENT_TYPE, file.content_type),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
            ];
            (headers, Body::from(file.bytes)).into_response()
        }
        None => not_found(),
    }
}

/// JSON and a newline, status 200: any other status means "the App is broken" to the server.
fn reply(value: &impl Serialize) -> Response {
    match json::to_vec(value) {
        Ok(mut body) => {
            body.push(b'\n');
            ([(header::CONTENT_TYPE, "application/json")], body).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "the answer cannot be written as JSON");
            text(StatusCode::INTERNAL_SERVER_ERROR, "the App's answer cannot be written as JSON")
        }
    }
}

fn not_found() -> Response {
    text(StatusCode::NOT_FOUND, "404 page not found")
}

fn text(status: StatusCode, text: &str) -> Response {
    let headers =
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (status, headers, format!("{text}\n")).into_response()
}
