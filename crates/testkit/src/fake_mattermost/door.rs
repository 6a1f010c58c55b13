//! Where requests come in: they are remembered, fail if a test wants it, are counted against limits, and find their way.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::connect_info::IntoMakeServiceWithConnectInfo;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, FromRequestParts as _, Request, State as Extract};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::asked::{Asked, logged};
use super::refusal::Refusal;
use super::state::{State, fresh};
use super::{
    Shared, actions, bots, channels, commands, dialog_answers, dialogs, late, login, oauth, oauth_apps,
    oauth_tokens, people, posts, system, teams, typed, websocket,
};

/// More than this is no request that Mattermost reads.
const LARGEST: usize = 64 << 20;

pub(super) fn service(shared: Shared) -> IntoMakeServiceWithConnectInfo<Router, SocketAddr> {
    Router::new().fallback(answer).with_state(shared).into_make_service_with_connect_info()
}

async fn answer(
    Extract(shared): Extract<Shared>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await.ok();
    let Ok(asked) = take(&shared, &parts, body, peer).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let failure = shared.lock().unwrap().failures.take(&asked.path);
    if let Some(failure) = failure {
        return failure.happen().await;
    }
    let told = shared.lock().unwrap().limit(&asked);
    if let Some(refusal) = told.as_ref().and_then(super::limits::Told::refusal) {
        return refusal;
    }
    let mut response = match find(&shared, &asked, upgrade).await {
        Ok(response) => response,
        Err(refusal) => refusal.respond(&shared.lock().unwrap().cookie_path()),
    };
    if let Some(told) = told {
        told.mark(response.headers_mut());
    }
    sign(&shared.lock().unwrap(), &mut response);
    response
}

/// Reads a request, and remembers it.
async fn take(shared: &Shared, parts: &Parts, body: Body, peer: SocketAddr) -> Result<Asked, axum::Error> {
    let body = axum::body::to_bytes(body, LARGEST).await?;
    let mut state = shared.lock().unwrap();
    state.log.push(logged(&parts.method, &parts.uri, &parts.headers, &body));
    let path = parts.uri.path();
    let subpath = state.subpath();
    // What lies outside the site's path is not there.
    let path = match path.strip_prefix(&subpath) {
        Some("") => "/".to_owned(),
        Some(path) if path.starts_with('/') => path.to_owned(),
        _ => format!("/outside{path}"),
    };
    Ok(Asked::new(parts.method.clone(), &parts.uri, path, parts.headers.clone(), body, peer))
}

/// What every answer says.
fn sign(state: &State, response: &mut Response) {
    let date = httpdate::fmt_http_date(
        std::time::UNIX_EPOCH
            + std::time::Duration::from_millis(u64::try_from(state.clock.shown()).unwrap_or_default()),
    );
    let version = format!("{}.{}-build.fake.false", state.version, state.version);
    let headers = response.headers_mut();
    for (name, value) in [("date", date), ("x-version-id", version), ("x-request-id", fresh())] {
        headers.insert(name, HeaderValue::from_str(&value).unwrap());
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

async fn find(
    shared: &Shared,
    asked: &Asked,
    upgrade: Option<WebSocketUpgrade>,
) -> Result<Response, Refusal> {
    let segments: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
    // What is sent on to integrations takes its time: nobody else waits for it.
    match (asked.method.as_str(), segments.as_slice()) {
        ("GET", ["api", "v4", "websocket"]) => match upgrade {
            Some(upgrade) => return Ok(websocket::answer(shared, asked, upgrade)),
            None => return Err(Refusal::new(400, "api.web_socket.connect.upgrade.app_error")),
        },
        ("POST", ["api", "v4", "commands", "execute"]) => return typed::route(shared, asked).await,
        ("POST", ["api", "v4", "posts", id, "actions", action]) => {
            return actions::route(shared, asked, id, action).await;
        }
        ("POST", ["api", "v4", "actions", "dialogs", kind @ ("submit" | "lookup")]) => {
            return dialog_answers::route(shared, asked, kind).await;
        }
        _ => {}
    }
    route(&mut shared.lock().unwrap(), asked, &segments)
}

fn route(state: &mut State, asked: &Asked, path: &[&str]) -> Result<Response, Refusal> {
    match (asked.method.as_str(), path) {
        (_, ["api", "v4", rest @ ..]) => api(state, asked, rest),
        ("POST", ["hooks", "commands", id]) => late::route(state, asked, id),
        ("GET", ["oauth", "authorize"]) => oauth::authorize(state, asked).map_err(Refusal::page),
        ("POST", ["oauth", "authorize"]) => oauth::decide(state, asked),
        ("POST", ["oauth", "access_token"]) => oauth_tokens::token(state, asked),
        ("POST", ["oauth", "deauthorize"]) => oauth::deauthorize(state, asked),
        ("GET", [".well-known", "oauth-authorization-server", ..]) => oauth::metadata(state),
        _ => login::route(state, asked),
    }
}

fn api(state: &mut State, asked: &Asked, path: &[&str]) -> Result<Response, Refusal> {
    match (asked.method.as_str(), path) {
        ("GET", ["system", "ping"]) => Ok(system::ping()),
        ("GET", ["config", "client"]) => system::client_config(state, asked),
        ("GET", ["license", "client"]) => Ok(system::license()),
        (_, ["config", rest @ ..]) => system::config(state, asked, rest),
        (_, ["users", rest @ ..]) => people::route(state, asked, rest),
        (_, ["roles", rest @ ..]) => people::roles(state, asked, rest),
        (_, ["bots", rest @ ..]) => bots::route(state, asked, rest),
        (_, ["teams", rest @ ..]) => teams::route(state, asked, rest),
        (_, ["channels", rest @ ..]) => channels::route(state, asked, rest),
        (_, ["posts", rest @ ..]) => posts::route(state, asked, rest),
        (_, ["commands", rest @ ..]) => commands::route(state, asked, rest),
        ("POST", ["actions", "dialogs", "open"]) => dialogs::open(state, asked),
        (_, ["oauth", "apps", rest @ ..]) => oauth_apps::route(state, asked, rest),
        _ => Err(Refusal::missing()),
    }
}
