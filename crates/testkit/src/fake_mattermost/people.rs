//! People, bots, their tokens and roles.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::asked::{Asked, Json, Refusal};
use super::state::{State, User, fresh};

pub(super) const TOKENS: &str = "ServiceSettings.EnableUserAccessTokens";

pub(super) fn route(state: &mut State, asked: &Asked, path: &[&str]) -> Result<Response, Refusal> {
    match (asked.method.as_str(), path) {
        ("POST", ["users", "login"]) => login(state, asked),
        ("GET", ["users", "me"]) => {
            let session = state.caller(asked)?;
            Ok(Json(state.users[&session.user].json(true)).into_response())
        }
        ("GET", ["users", "username", name]) => {
            state.caller(asked)?;
            let user = state.users.values().find(|user| user.name == *name).ok_or_else(no_user)?;
            Ok(Json(user.json(false)).into_response())
        }
        ("POST", ["users", "status", "ids"]) => {
            state.caller(asked)?;
            Ok(Json(json!([])).into_response())
        }
        ("POST", ["users", "tokens", "revoke"]) => {
            state.require(asked, "revoke_user_access_token")?;
            let body = asked.json()?;
            let id = body["token_id"].as_str().unwrap_or_default();
            let before = state.sessions.len();
            state.sessions.retain(|_, session| session.pat.as_deref() != Some(id));
            if state.sessions.len() == before { Err(Refusal::missing()) } else { Ok(ok()) }
        }
        ("POST", ["users", id, "tokens"]) => new_token(state, asked, id),
        ("GET", ["users", id]) => {
            let session = state.caller(asked)?;
            let user = state.users.get(*id).ok_or_else(no_user)?;
            let whole = session.user == user.id || state.allows(&session.user, "manage_system");
            Ok(Json(user.json(whole)).into_response())
        }
        ("POST", ["roles", "names"]) => {
            state.caller(asked)?;
            let names = asked.json()?;
            let names = names.as_array().cloned().unwrap_or_default();
            let roles = names.iter().filter_map(Value::as_str).filter_map(|name| {
                let permissions = state.roles.get(name)?;
                Some(json!({"id": fresh(), "name": name, "permissions": permissions}))
            });
            Ok(Json(roles.collect::<Vec<_>>()).into_response())
        }
        ("POST", ["bots"]) => new_bot(state, asked),
        ("PUT", ["bots", id]) => {
            state.require(asked, "manage_others_bots")?;
            let body = asked.json()?;
            let bot = state.users.get_mut(*id).filter(|user| user.is_bot).ok_or_else(Refusal::missing)?;
            body["display_name"].as_str().unwrap_or_default().clone_into(&mut bot.display_name);
            Ok(Json(json!({"user_id": id, "username": bot.name})).into_response())
        }
        ("POST", ["bots", id, switch @ ("enable" | "disable")]) => {
            state.require(asked, "manage_others_bots")?;
            if !state.users.get(*id).is_some_and(|user| user.is_bot) {
                return Err(Refusal::missing());
            }
            state.set_active(id, *switch == "enable");
            Ok(Json(json!({"user_id": id})).into_response())
        }
        _ => Err(Refusal::missing()),
    }
}

fn login(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    let body = asked.json()?;
    let (name, password) = (body["login_id"].as_str(), body["password"].as_str());
    let user = state.users.values().find(|user| Some(user.name.as_str()) == name && !user.is_bot);
    let user = user.filter(|user| password == Some(user.name.as_str()) && user.delete_at == 0);
    let wrong =
        || Refusal::new(401, "api.user.login.invalid_credentials_email_username", "Enter a valid email.");
    let (id, shown) = user.map(|user| (user.id.clone(), user.json(true))).ok_or_else(wrong)?;
    let session = state.new_session(&id, false);
    Ok(([("token", session.token)], Json(shown)).into_response())
}

fn new_token(state: &mut State, asked: &Asked, user: &str) -> Result<Response, Refusal> {
    let session = state.caller(asked)?;
    if session.is_oauth {
        return Err(Refusal::forbidden());
    }
    let target = state.users.get(user).ok_or_else(no_user)?;
    // Bots may have tokens in any case, and people by this setting.
    if !state.is_on(TOKENS) && !target.is_bot {
        return Err(Refusal::off("app.user_access_token.disabled"));
    }
    let own_bot = target.is_bot && target.owner == session.user && state.allows(&session.user, "manage_bots");
    let manages = session.user == user || own_bot || state.allows(&session.user, "manage_others_bots");
    if !manages || !state.allows(&session.user, "create_user_access_token") {
        return Err(Refusal::forbidden());
    }
    let token = state.new_pat(user, "");
    let id = state.sessions[&token].pat.clone();
    Ok(Json(json!({"id": id, "token": token, "user_id": user, "is_active": true, "description": ""}))
        .into_response())
}

fn new_bot(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    let session = state.require(asked, "create_bot")?;
    if !state.is_on("ServiceSettings.EnableBotAccountCreation") {
        return Err(Refusal::new(403, "api.bot.create_disabled", "Bot creation has been disabled."));
    }
    if state.users[&session.user].is_bot {
        return Err(Refusal::forbidden());
    }
    let body = asked.json()?;
    let name = body["username"].as_str().ok_or_else(|| Refusal::bad("api.bot.username"))?;
    if state.users.values().any(|user| user.name == name) {
        return Err(Refusal::bad("app.user.save.username_exists.app_error"));
    }
    let display_name = body["display_name"].as_str().unwrap_or_default().to_owned();
    let bot = User { is_bot: true, display_name, owner: session.user, ..User::person(name) };
    let shown = json!({"user_id": bot.id, "username": bot.name, "owner_id": bot.owner, "delete_at": 0});
    state.users.insert(bot.id.clone(), bot);
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}

fn no_user() -> Refusal {
    Refusal::new(404, "app.user.missing_account.const", "Unable to find the user.")
}

pub(super) fn ok() -> Response {
    Json(json!({"status": "OK"})).into_response()
}
