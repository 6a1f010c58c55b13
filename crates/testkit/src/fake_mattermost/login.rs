//! The sign-in page, for browsers.

use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse as _, Response};

use super::asked::{Asked, Refusal};
use super::oauth::to;
use super::state::State;

pub(super) fn route(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/") => Ok(Html("<h1>Mattermost</h1>").into_response()),
        ("GET", "/login") => {
            Ok(Html("<form method=\"post\"><input name=\"login_id\"><input name=\"password\"></form>")
                .into_response())
        }
        ("POST", "/login") => sign_in(state, asked),
        _ => Err(Refusal::missing()),
    }
}

/// It does not lead back to an address below `/plugins/`: those belong to no page of the web client.
fn sign_in(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    let form = asked.form();
    let (name, password) = (form.get("login_id"), form.get("password"));
    let user = state.users.values().find(|user| Some(&user.name) == name && Some(&user.name) == password);
    let id =
        user.filter(|user| user.delete_at == 0).map(|user| user.id.clone()).ok_or_else(Refusal::expired)?;
    let session = state.new_session(&id, false);
    let back =
        asked.query.get("redirect_to").filter(|path| path.starts_with('/') && !path.contains("/plugins/"));
    let mut response = to(&format!("{}{}", state.site_url(), back.map_or("/", String::as_str)));
    for (name, value, more) in [
        ("MMAUTHTOKEN", &session.token, "; HttpOnly"),
        ("MMUSERID", &session.user, ""),
        ("MMCSRF", &session.csrf, ""),
    ] {
        let cookie = format!("{name}={value}; Path=/; SameSite=Lax{more}");
        response.headers_mut().append(header::SET_COOKIE, HeaderValue::from_str(&cookie).unwrap());
    }
    Ok(response)
}
