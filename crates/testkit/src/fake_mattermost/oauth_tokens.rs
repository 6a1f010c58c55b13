//! Codes for tokens, and refreshing (C.4).

use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::asked::{Asked, Json, is_id};
use super::oauth::{Code, Grant, PROVIDER};
use super::oauth_apps::OAuthApp;
use super::pkce;
use super::refusal::Refusal;
use super::state::{State, fresh};

fn wrong(status: u16, what: &'static str) -> Refusal {
    Refusal::new(status, what)
}

/// `POST /oauth/access_token`.
pub(super) fn token(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    let form = asked.form();
    let says = |key: &str| form.get(key).cloned().unwrap_or_default();
    let (grant_type, code, refresh) = (says("grant_type"), says("code"), says("refresh_token"));
    match grant_type.as_str() {
        "authorization_code" if code.is_empty() => {
            return Err(wrong(400, "api.oauth.get_access_token.missing_code.app_error"));
        }
        "refresh_token" if refresh.is_empty() => {
            return Err(wrong(400, "api.oauth.get_access_token.missing_refresh_token.app_error"));
        }
        "authorization_code" | "refresh_token" => {}
        _ => return Err(wrong(400, "api.oauth.get_access_token.bad_grant.app_error")),
    }
    let client = says("client_id");
    if !is_id(&client) {
        return Err(wrong(400, "api.oauth.get_access_token.bad_client_id.app_error"));
    }
    let secret = says("client_secret");
    if secret.is_empty() && !state.version.has_public_clients() {
        return Err(wrong(400, "api.oauth.get_access_token.bad_client_secret.app_error"));
    }
    if !state.settings.is_on(PROVIDER) {
        return Err(wrong(501, "api.oauth.get_access_token.disabled.app_error"));
    }
    let credentials = "api.oauth.get_access_token.credentials.app_error";
    let app = state.provider.apps.get(&client).cloned().ok_or_else(|| wrong(404, credentials))?;
    if !app.is_public && app.secret != secret {
        return Err(wrong(403, credentials));
    }
    let answer = match grant_type.as_str() {
        "authorization_code" => exchange(state, &app, &code, &says("redirect_uri"), &says("code_verifier"))?,
        _ => renew(state, &app, &refresh)?,
    };
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
    Ok((headers, Json(answer)).into_response())
}

fn exchange(
    state: &mut State,
    app: &OAuthApp,
    code: &str,
    redirect: &str,
    verifier: &str,
) -> Result<Value, Refusal> {
    let expired = "api.oauth.get_access_token.expired_code.app_error";
    let kept: Code = state.provider.codes.get(code).cloned().ok_or_else(|| wrong(400, expired))?;
    if kept.client != app.id {
        return Err(wrong(400, expired));
    }
    if kept.until <= state.now() {
        state.provider.codes.remove(code);
        return Err(wrong(403, expired));
    }
    if kept.redirect != redirect {
        return Err(wrong(400, "api.oauth.get_access_token.redirect_uri.app_error"));
    }
    if state.version.has_public_clients() {
        pkce::check_exchange(&kept.challenge, verifier, app.is_public)?;
    }
    let user = state.users.get(&kept.user).ok_or_else(Refusal::no_user)?;
    if user.shown.delete_at != 0 {
        return Err(wrong(403, expired));
    }
    state.provider.codes.remove(code);
    let key = (app.id.clone(), kept.user.clone());
    // Who has a token already gets that one again, with what is left of its life.
    if let Some(grant) = state.provider.grants.get(&key).cloned()
        && let Some(session) = state.of_token(&grant.token)
    {
        let left = (session.expires_at - state.now()) / 1_000;
        return Ok(answer(&grant, left, &kept.scope));
    }
    Ok(grant(state, app, &kept.user, &kept.scope))
}

/// A new token for a client and a person; it replaces the one before.
fn grant(state: &mut State, app: &OAuthApp, user: &str, scope: &str) -> Value {
    let seconds = state.settings.number("ServiceSettings.SessionLengthSSOInHours") * 3_600;
    let mut props = vec![("platform", app.name.as_str()), ("os", "OAuth2"), ("browser", "OAuth2")];
    if state.version.has_app_props() {
        props.push(("oauth_app_id", &app.id));
        props.push(("mattermost_app_id", &app.mattermost_app_id));
    }
    let props = props.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let session = state.keep_session(user, true, seconds * 1_000, props);
    let refresh = if app.is_public { String::new() } else { fresh() };
    let grant = Grant { token: session.token, refresh };
    state.provider.grants.insert((app.id.clone(), user.to_owned()), grant.clone());
    answer(&grant, seconds, scope)
}

fn renew(state: &mut State, app: &OAuthApp, refresh: &str) -> Result<Value, Refusal> {
    let mut grants = state.provider.grants.iter();
    let found = grants.find(|((client, _), grant)| *client == app.id && grant.refresh == refresh);
    let found = found.map(|((_, user), grant)| (user.clone(), grant.token.clone()));
    let (user, before) =
        found.ok_or_else(|| wrong(404, "api.oauth.get_access_token.refresh_token.app_error"))?;
    state.let_linger(&before);
    Ok(grant(state, app, &user, "user"))
}

fn answer(grant: &Grant, seconds: i64, scope: &str) -> Value {
    let mut answer = json!({
        "access_token": grant.token, "token_type": "bearer", "expires_in": seconds, "scope": scope, "id_token": "",
    });
    if !grant.refresh.is_empty() {
        answer["refresh_token"] = json!(grant.refresh);
    }
    answer
}
