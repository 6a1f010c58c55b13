//! Mattermost as an OAuth2 provider (C.4), and the clients that are registered with it.

use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::asked::{Asked, Json, Refusal};
use super::people::ok;
use super::state::{Session, State, fresh};

/// A registered client.
#[derive(Debug, Clone)]
pub(super) struct OAuthApp {
    id: String,
    secret: String,
    name: String,
    callbacks: Vec<String>,
    is_trusted: bool,
    mattermost_app_id: String,
}

impl OAuthApp {
    pub(super) fn shown(&self, with_secret: bool) -> Value {
        json!({
            "id": self.id, "name": self.name, "callback_urls": self.callbacks, "is_trusted": self.is_trusted,
            "client_secret": if with_secret { self.secret.as_str() } else { "" },
            "mattermost_app_id": self.mattermost_app_id,
        })
    }
}

/// A code that was given out.
pub(super) struct Code {
    client: String,
    user: String,
    redirect: String,
    challenge: String,
}

fn is_on(state: &State) -> Result<(), Refusal> {
    match state.is_on("ServiceSettings.EnableOAuthServiceProvider") {
        true => Ok(()),
        false => Err(Refusal::off("api.oauth.allow_oauth.turn_off.app_error")),
    }
}

pub(super) fn apps(state: &mut State, asked: &Asked, path: &[&str]) -> Result<Response, Refusal> {
    let session = state.require(asked, "manage_oauth")?;
    is_on(state)?;
    match (asked.method.as_str(), path) {
        ("POST", ["oauth", "apps"]) => {
            let body = asked.json()?;
            let texts = |key: &str| {
                let list = body[key].as_array().into_iter().flatten().filter_map(Value::as_str);
                list.map(str::to_owned).collect::<Vec<_>>()
            };
            let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
            let (name, callbacks) = (text("name"), texts("callback_urls"));
            if name.is_empty() || callbacks.is_empty() || !text("homepage").starts_with("http") {
                return Err(Refusal::bad("model.oauth.is_valid.name.app_error"));
            }
            // Newer versions take this member in an update alone.
            let takes_app_id = state.version < super::Version(11, 2);
            let app = OAuthApp {
                id: fresh(),
                secret: fresh(),
                name,
                callbacks,
                is_trusted: body["is_trusted"] == true && state.allows(&session.user, "manage_system"),
                mattermost_app_id: if takes_app_id { text("mattermost_app_id") } else { String::new() },
            };
            let shown = app.shown(true);
            state.oauth_apps.insert(app.id.clone(), app);
            Ok((StatusCode::CREATED, Json(shown)).into_response())
        }
        ("GET", ["oauth", "apps", id]) => {
            let app = state.oauth_apps.get(*id).ok_or_else(Refusal::missing)?;
            Ok(Json(app.shown(true)).into_response())
        }
        ("DELETE", ["oauth", "apps", id]) => {
            state.oauth_apps.remove(*id).ok_or_else(Refusal::missing)?;
            state.sessions.retain(|_, session| session.client.as_deref() != Some(*id));
            state.approved.retain(|(client, _)| client != id);
            Ok(ok())
        }
        _ => Err(Refusal::missing()),
    }
}

pub(super) fn route(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    is_on(state)?;
    match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/oauth/authorize") => authorize(state, asked),
        ("POST", "/oauth/authorize") => agree(state, asked),
        ("POST", "/oauth/access_token") => token(state, asked),
        _ => Err(Refusal::missing()),
    }
}

fn authorize(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    let asks = |key: &str| asked.query.get(key).cloned().unwrap_or_default();
    let app = state.oauth_apps.get(&asks("client_id")).cloned().ok_or_else(Refusal::missing)?;
    if !app.callbacks.contains(&asks("redirect_uri")) {
        return Err(Refusal::bad("api.oauth.allow_oauth.redirect_callback.app_error"));
    }
    let whole = serialized(&asked.query);
    let session = asked.cookie("MMAUTHTOKEN").and_then(|token| state.of_token(token)).cloned();
    let Some(session) = session else {
        let back = serialized(&[("redirect_to".to_owned(), format!("/oauth/authorize?{whole}"))].into());
        return Ok(to(&format!("{}/login?{back}", state.site_url())));
    };
    let approved = state.approved.contains(&(app.id.clone(), session.user.clone()));
    if app.is_trusted || approved {
        return Ok(with_code(
            state,
            &app,
            &session,
            &asks("redirect_uri"),
            &asks("state"),
            &asks("code_challenge"),
        ));
    }
    let page = format!(
        "<form method=\"post\" action=\"/oauth/authorize\"><input name=\"query\" value=\"{}\">\
         <button>Allow</button></form>",
        whole.replace('&', "&amp;")
    );
    Ok(Html(page).into_response())
}

/// The consent page's yes.
fn agree(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    let session = asked.cookie("MMAUTHTOKEN").and_then(|token| state.of_token(token)).cloned();
    let session = session.ok_or_else(Refusal::expired)?;
    let form = asked.form();
    let query = form.get("query").cloned().unwrap_or_default();
    let asks = |key: &str| {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(name, _)| name == key).map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let app = state.oauth_apps.get(&asks("client_id")).cloned().ok_or_else(Refusal::missing)?;
    state.approved.insert((app.id.clone(), session.user.clone()));
    Ok(with_code(state, &app, &session, &asks("redirect_uri"), &asks("state"), &asks("code_challenge")))
}

fn with_code(
    state: &mut State,
    app: &OAuthApp,
    session: &Session,
    redirect: &str,
    given: &str,
    challenge: &str,
) -> Response {
    let code = fresh();
    let kept = Code {
        client: app.id.clone(),
        user: session.user.clone(),
        redirect: redirect.to_owned(),
        challenge: challenge.to_owned(),
    };
    state.codes.insert(code.clone(), kept);
    let query = serialized(&[("code".to_owned(), code), ("state".to_owned(), given.to_owned())].into());
    to(&format!("{redirect}?{query}"))
}

fn token(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    let form = asked.form();
    let says = |key: &str| form.get(key).cloned().unwrap_or_default();
    let app =
        state.oauth_apps.get(&says("client_id")).filter(|app| app.secret == says("client_secret")).cloned();
    let app = app.ok_or_else(|| {
        Refusal::new(
            401,
            "api.oauth.get_access_token.credentials.app_error",
            "invalid_client: Invalid client credentials.",
        )
    })?;
    let user = match says("grant_type").as_str() {
        "authorization_code" => {
            let wrong = |what| Refusal::new(400, "api.oauth.get_access_token.expired_code.app_error", what);
            let code = state
                .codes
                .remove(&says("code"))
                .ok_or_else(|| wrong("invalid_grant: Invalid or expired code."))?;
            let fits = code.client == app.id && code.redirect == says("redirect_uri");
            let proven = code.challenge.is_empty() || code.challenge == challenge_of(&says("code_verifier"));
            if !fits || !proven {
                return Err(wrong("invalid_grant: The code does not fit."));
            }
            code.user
        }
        "refresh_token" => {
            let wrong = || {
                Refusal::new(
                    400,
                    "api.oauth.get_access_token.refresh_token.app_error",
                    "invalid_grant: Invalid refresh token.",
                )
            };
            let before = state.refresh.remove(&says("refresh_token")).ok_or_else(wrong)?;
            // The old token lives on in the session cache for a while.
            state.sessions.get(&before).map(|session| session.user.clone()).ok_or_else(wrong)?
        }
        _ => return Err(Refusal::bad("api.oauth.get_access_token.bad_grant.app_error")),
    };
    if state.users.get(&user).is_none_or(|user| user.delete_at != 0) {
        return Err(Refusal::new(
            400,
            "api.oauth.get_access_token.internal_user.app_error",
            "server_error: Unable to find the user.",
        ));
    }
    let session = Session { client: Some(app.id), ..state.new_session(&user, true) };
    let refresh = fresh();
    state.refresh.insert(refresh.clone(), session.token.clone());
    let answer = json!({
        "access_token": session.token, "token_type": "bearer", "expires_in": 2_592_000, "scope": "user",
        "refresh_token": refresh, "id_token": "",
    });
    state.sessions.insert(session.token.clone(), session);
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

fn challenge_of(verifier: &str) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

fn serialized(pairs: &std::collections::HashMap<String, String>) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

pub(super) fn to(address: &str) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, address.to_owned())]).into_response()
}
