//! Pages for browsers: the sign-in page, and the client's own.

use axum::http::header;
use axum::response::{Html, IntoResponse as _, Response};

use super::asked::Asked;
use super::oauth::to;
use super::refusal::Refusal;
use super::state::State;

pub(super) fn route(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/") => {
            Ok(Html("<!DOCTYPE html><title>Mattermost</title><h1>Mattermost</h1>").into_response())
        }
        ("GET", "/login") => Ok(page(state)),
        ("POST", "/login") => sign_in(state, asked),
        // As from an identity provider that brings people back without what they came for.
        ("POST", "/login/sso/complete") if state.sso => sign_in(state, asked),
        // No plugin is there: the service beside it is reached by another way.
        (_, path) if path.starts_with("/plugins/") => Err(Refusal::missing()),
        _ => Err(Refusal::missing().page()),
    }
}

fn page(state: &State) -> Response {
    let subpath = state.subpath();
    // Without an action a form goes to the address it stands at, with what is in its query.
    let action = if state.sso { format!(" action=\"{subpath}/login/sso/complete\"") } else { String::new() };
    Html(format!(
        "<!DOCTYPE html><title>Mattermost</title><form method=\"post\"{action}>\
         <input name=\"login_id\"><input name=\"password\" type=\"password\"><button>Log in</button></form>"
    ))
    .into_response()
}

/// It does not lead back to an address below `/plugins/`: those belong to no page of the client.
fn sign_in(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    let form = asked.form();
    let field = |key: &str| form.get(key).cloned().unwrap_or_default();
    let session = state.sign_in(&field("login_id"), &field("password")).map_err(Refusal::page)?;
    let subpath = state.subpath();
    let back = asked.query.get("redirect_to").filter(|_| !state.sso);
    let back = back.filter(|path| {
        let own = path.starts_with('/') && !path.starts_with("//");
        own && !path.starts_with(&format!("{subpath}/plugins/"))
    });
    let home = format!("{subpath}/");
    let mut response = to(&format!("{}{}", asked.origin(), back.unwrap_or(&home)));
    for cookie in state.cookies(&session) {
        response.headers_mut().append(header::SET_COOKIE, cookie.parse().unwrap());
    }
    Ok(response)
}
