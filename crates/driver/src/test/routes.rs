//! The fake service's answers: the statuses and texts of the real ones.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State as Shared};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Serialize;
use serde_json::json;
use tessera_types::{App, CallRequest, ListedApp, Manifest, OAuth2App, Post, json as wire, routes};

use super::fake::{Recorded, lock};
use super::state::{Identity, State};
use crate::ConnectionStatus;

/// The server takes no larger body for a record, in bytes.
const RECORD_LIMIT: usize = 8192;
const BODY_LIMIT: usize = 4 << 20;
const ADMINS_ONLY: &str =
    "access to this operation is limited to users with permission: manage_system: unauthorized";
const NO_USER: &str = "user ID is required: unauthorized";

/// A refusal: status and text.
type Refusal = (StatusCode, String);

struct Fake {
    state: Arc<Mutex<State>>,
    sub_path: String,
}

pub(super) fn router(state: Arc<Mutex<State>>, sub_path: &str) -> Router {
    let fake = Fake { state, sub_path: sub_path.to_owned() };
    Router::new().fallback(answer).with_state(Arc::new(fake))
}

async fn answer(Shared(fake): Shared<Arc<Fake>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(path) = parts.uri.path().strip_prefix(&fake.sub_path).map(str::to_owned) else {
        return refuse((StatusCode::NOT_FOUND, "404 page not found".into()));
    };
    let body = to_bytes(body, BODY_LIMIT).await;
    let mut state = lock(&fake.state);
    let caller = bearer(&parts.headers).and_then(|token| state.tokens.get(token).cloned());
    state.requests.push(Recorded {
        method: parts.method.to_string(),
        path: path.clone(),
        user_id: caller.as_ref().map(|caller| caller.user_id.clone()),
        body: body.as_ref().ok().and_then(|body| serde_json::from_slice(body).ok()),
    });
    if let Some(failure) = state.failures.pop_front() {
        return refuse(failure);
    }
    let Ok(body) = body else { return refuse((StatusCode::PAYLOAD_TOO_LARGE, "request too large".into())) };
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let request = Asked { method: parts.method, query, caller, body };
    let answer = match path.strip_prefix(routes::API_V1) {
        Some(route) => apps_api(&mut state, route, &request),
        None => rest(&mut state, &path, &request),
    };
    answer.unwrap_or_else(refuse)
}

struct Asked {
    method: Method,
    query: String,
    caller: Option<Identity>,
    body: Bytes,
}

impl Asked {
    fn user(&self) -> Result<&Identity, Refusal> {
        self.caller.as_ref().ok_or((StatusCode::UNAUTHORIZED, NO_USER.into()))
    }

    fn admin(&self, state: &State) -> Result<(), Refusal> {
        match &self.caller {
            Some(caller) if state.admins.contains(&caller.user_id) => Ok(()),
            _ => Err((StatusCode::UNAUTHORIZED, ADMINS_ONLY.into())),
        }
    }
}

fn apps_api(state: &mut State, route: &str, asked: &Asked) -> Result<Response, Refusal> {
    let writes = matches!(asked.method, Method::POST | Method::PUT);
    match (route, &asked.method) {
        ("/oauth2/app", _) if writes => store_app(state, asked),
        ("/oauth2/user", _) if writes => store_user(state, asked),
        ("/oauth2/user", &Method::GET) => get_user(state, asked),
        ("/oauth2/user", &Method::DELETE) => {
            let user_id = asked.user()?.user_id.clone();
            match &mut state.managed {
                Some(managed) => drop(managed.end(&user_id)),
                None => drop(state.users.insert(user_id, Bytes::from_static(b"null"))),
            }
            Ok(StatusCode::OK.into_response())
        }
        ("/call", &Method::POST) => call(state, asked),
        ("/update-app-listing", &Method::POST) => {
            let manifest: Manifest = read(asked)?;
            asked.admin(state)?;
            state.listed.insert(manifest.app_id.clone(), manifest.clone());
            Ok(json_body(StatusCode::OK, &manifest))
        }
        ("/marketplace", &Method::GET) => Ok(json_body(StatusCode::OK, &marketplace(state, &asked.query))),
        ("/install-app", &Method::POST) => install(state, asked),
        ("/uninstall-app" | "/enable-app" | "/disable-app", &Method::POST) => change(state, route, asked),
        (_, &Method::GET) if route.starts_with("/apps/") => {
            asked.user()?;
            let id = route.trim_start_matches("/apps/");
            match state.installed.get(id) {
                Some(app) => Ok(json_body(StatusCode::OK, app)),
                None => Err((StatusCode::NOT_FOUND, format!("app {id} is not installed: not found"))),
            }
        }
        ("/oauth2/app" | "/oauth2/user" | "/call", _) => Ok(StatusCode::METHOD_NOT_ALLOWED.into_response()),
        _ => Err((StatusCode::NOT_FOUND, "404 page not found".into())),
    }
}

fn store_app(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    within_limit(asked)?;
    let caller = asked.user()?;
    // The bot may: the record is the App's own.
    if !caller.bot {
        asked.admin(state)?;
    }
    let app: OAuth2App = wire::from_slice_strict(&asked.body).map_err(|error| {
        (StatusCode::BAD_REQUEST, format!("OAuth2App is not valid JSON: {error}: invalid input"))
    })?;
    state.oauth2_app = app;
    Ok(StatusCode::OK.into_response())
}

fn store_user(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    within_limit(asked)?;
    let caller = asked.user()?;
    if serde_json::from_slice::<serde::de::IgnoredAny>(&asked.body).is_err() {
        return Err((StatusCode::BAD_REQUEST, "payload is not valid JSON: invalid input".into()));
    }
    if let Some(managed) = &mut state.managed {
        if !matches!(asked.body.trim_ascii(), b"null" | b"{}") {
            let text = format!(
                "the connections of app {} are managed: the service keeps their tokens, and the app cannot store one; \
                 storing null disconnects",
                state.app_id
            );
            return Err((StatusCode::CONFLICT, text));
        }
        managed.end(&caller.user_id);
        return Ok(StatusCode::OK.into_response());
    }
    state.users.insert(caller.user_id.clone(), asked.body.clone());
    Ok(StatusCode::OK.into_response())
}

fn get_user(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    let caller = asked.user()?;
    let Some(managed) = &mut state.managed else {
        return Ok(state.users.get(&caller.user_id).cloned().unwrap_or_default().into_response());
    };
    let least = url::form_urlencoded::parse(asked.query.as_bytes()).find(|(name, _)| name == "min_ttl");
    let least = match least.map(|(_, seconds)| seconds.parse().map(Duration::from_secs)) {
        None => None,
        Some(Ok(least)) => Some(least),
        Some(Err(_)) => {
            let text = "min_ttl must be a whole number of seconds, a year at most: invalid input";
            return Err((StatusCode::BAD_REQUEST, text.into()));
        }
    };
    Ok(match managed.give(&caller.user_id, least) {
        Ok(given) => {
            let is_empty = given.body.is_empty();
            let mut response = Body::from(given.body).into_response();
            if !is_empty {
                let json = HeaderValue::from_static("application/json");
                response.headers_mut().insert(header::CONTENT_TYPE, json);
            }
            if matches!(given.status, ConnectionStatus::MissingScopes | ConnectionStatus::NeedsReconnect) {
                let word = HeaderValue::from_static(given.status.word());
                response.headers_mut().insert("tessera-connection", word);
            }
            response
        }
        Err((status, text, retry_after)) => {
            let mut response = refuse((status, text));
            if let Some(wait) = retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs()));
            }
            response
        }
    })
}

fn within_limit(asked: &Asked) -> Result<(), Refusal> {
    if asked.body.len() > RECORD_LIMIT {
        return Err((StatusCode::PAYLOAD_TOO_LARGE, "size limit of 8Kb exceeded".into()));
    }
    Ok(())
}

fn call(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    let creq: CallRequest = wire::from_slice_stream(&asked.body).map_err(|error| {
        (StatusCode::BAD_REQUEST, format!("failed to unmarshal Call request: {error}: invalid input"))
    })?;
    if creq.context.app_id.is_empty() {
        return Err((StatusCode::BAD_REQUEST, "app ID is not set in Call request: invalid input".into()));
    }
    let response = match (&asked.caller, state.answers.get(&creq.path)) {
        (None, _) => crate::respond::error(NO_USER),
        (Some(_), Some(response)) => response.clone(),
        (Some(_), None) => {
            crate::respond::error(format!("app {} is not installed: not found", creq.context.app_id))
        }
    };
    Ok(json_body(StatusCode::OK, &response))
}

/// Apps that run inside a plugin are not told apart here.
fn marketplace(state: &State, query: &str) -> Vec<ListedApp> {
    let filter = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "filter");
    let filter = filter.map(|(_, text)| text.trim().to_lowercase()).unwrap_or_default();
    let fits = |manifest: &&Manifest| {
        let Manifest { app_id, display_name, description, .. } = manifest;
        app_id.to_lowercase() == filter
            || [display_name, description].into_iter().any(|text| text.to_lowercase().contains(&filter))
    };
    let listed = |manifest: &Manifest| {
        let app = state.installed.get(&manifest.app_id);
        ListedApp {
            installed: app.is_some(),
            enabled: app.is_some_and(|app| !app.disabled),
            manifest: manifest.clone(),
            ..ListedApp::default()
        }
    };
    let mut lines: Vec<_> = state.listed.values().filter(fits).map(listed).collect();
    lines.sort_by_key(|line| line.manifest.display_name.to_lowercase());
    lines
}

#[derive(serde::Deserialize)]
struct Named {
    app_id: String,
}

fn install(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    let Named { app_id } = read(asked)?;
    asked.user()?;
    asked.admin(state)?;
    let Some(manifest) = state.listed.get(&app_id).cloned() else {
        let text = format!("failed to find manifest to install app: {app_id}: not found");
        return Err((StatusCode::NOT_FOUND, text));
    };
    let app = App {
        granted_permissions: manifest.requested_permissions.clone(),
        granted_locations: manifest.requested_locations.clone(),
        bot_user_id: format!("{app_id}-bot"),
        bot_username: app_id.clone(),
        manifest,
        ..App::default()
    };
    state.installed.insert(app_id, app.clone());
    Ok(json_body(StatusCode::OK, &app))
}

fn change(state: &mut State, route: &str, asked: &Asked) -> Result<Response, Refusal> {
    let Named { app_id } = read(asked)?;
    asked.admin(state)?;
    let Some(app) = state.installed.get_mut(&app_id) else {
        let appeal =
            if route == "/uninstall-app" { "failed to get app, appID" } else { "failed to get app. appID" };
        let text = format!("{appeal}: {app_id}: app {app_id} is not installed: not found");
        return Err((StatusCode::NOT_FOUND, text));
    };
    let name = app.manifest.display_name.clone();
    match route {
        "/uninstall-app" => {
            state.installed.remove(&app_id);
            Ok(StatusCode::OK.into_response())
        }
        "/enable-app" => {
            app.disabled = false;
            Ok(format!("Enabled {name}").into_response())
        }
        _ => {
            app.disabled = true;
            Ok(format!("Disabled {name}").into_response())
        }
    }
}

/// The few REST v4 routes that Apps need; errors are JSON there.
fn rest(state: &mut State, path: &str, asked: &Asked) -> Result<Response, Refusal> {
    let Some(caller) = &asked.caller else {
        let error = json!({"id": "api.context.session_expired.app_error", "message": "Invalid or expired session, please login again.", "status_code": 401});
        return Ok(json_body(StatusCode::UNAUTHORIZED, &error));
    };
    match (&asked.method, path) {
        (&Method::GET, "/api/v4/users/me") => Ok(json_body(StatusCode::OK, &state.user(&caller.user_id))),
        (&Method::POST, "/api/v4/channels/direct") => {
            let mut ids: Vec<String> = read(asked)?;
            ids.sort();
            // A direct channel is named after its two members, and is the same one whoever asks.
            let name = ids.join("__");
            Ok(json_body(StatusCode::CREATED, &json!({"id": name, "name": name, "type": "D"})))
        }
        (&Method::POST, "/api/v4/posts") => {
            let mut post: Post = read(asked)?;
            post.id = format!("post-{}", state.next());
            post.user_id.clone_from(&caller.user_id);
            state.posts.push(post.clone());
            Ok(json_body(StatusCode::CREATED, &post))
        }
        _ => Ok(json_body(
            StatusCode::NOT_FOUND,
            &json!({"message": "Sorry, we could not find the page.", "status_code": 404}),
        )),
    }
}

fn read<T: serde::de::DeserializeOwned>(asked: &Asked) -> Result<T, Refusal> {
    wire::from_slice_stream(&asked.body)
        .map_err(|error| (StatusCode::BAD_REQUEST, format!("{error}: invalid input")))
}

/// `Bearer` and `token`, in any case.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token")).then_some(token.trim())
}

fn json_body(status: StatusCode, value: &impl Serialize) -> Response {
    match wire::to_vec(value) {
        Ok(mut body) => {
            body.push(b'\n');
            (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
        }
        Err(error) => refuse((StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
    }
}

fn refuse((status, text): Refusal) -> Response {
    let headers =
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (status, headers, Body::from(format!("{text}\n"))).into_response()
}
