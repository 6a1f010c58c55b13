//! People over REST, and roles.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::accounts::User;
use super::asked::{Asked, Json, is_id, ok, text, texts};
use super::refusal::Refusal;
use super::sessions::Session;
use super::state::State;
use super::{sessions, tokens};

pub(super) fn route(state: &mut State, asked: &Asked, path: &[&str]) -> Result<Response, Refusal> {
    let method = asked.method.as_str();
    match (method, path) {
        ("POST", ["login"]) => return sessions::login(state, asked),
        ("POST", ["logout"]) => return sessions::logout(state, asked),
        (_, ["tokens", rest @ ..]) => return tokens::route(state, asked, rest),
        _ => {}
    }
    let caller = state.caller(asked)?;
    match (method, path) {
        ("GET", []) => {
            let mut all: Vec<_> = state.users.values().collect();
            all.sort_by(|one, other| one.name().cmp(other.name()));
            let all = all.into_iter().map(|user| state.show(&caller.user, user)).collect();
            Ok(Json(asked.page(all)).into_response())
        }
        ("POST", []) => create(state, asked, &caller),
        ("POST", ["ids"]) => {
            let ids = texts(&asked.json("user_ids")?);
            let found = ids.iter().filter_map(|id| state.users.get(id));
            Ok(Json(found.map(|user| state.show(&caller.user, user)).collect::<Vec<_>>()).into_response())
        }
        ("POST", ["usernames"]) => {
            let names = texts(&asked.json("usernames")?);
            let found = names.iter().filter_map(|name| state.user_named(name));
            Ok(Json(found.map(|user| state.show(&caller.user, user)).collect::<Vec<_>>()).into_response())
        }
        ("POST", ["status", "ids"]) => {
            let ids = texts(&asked.json("user_ids")?);
            if ids.is_empty() || !ids.iter().all(|id| is_id(id)) {
                return Err(Refusal::bad_body("user_ids"));
            }
            let status =
                |id| json!({"user_id": id, "status": "online", "manual": false, "last_activity_at": 0});
            Ok(Json(ids.into_iter().map(status).collect::<Vec<Value>>()).into_response())
        }
        ("GET", ["username", name]) => {
            let user = state.user_named(name).ok_or_else(Refusal::no_user)?;
            Ok(Json(state.show(&caller.user, user)).into_response())
        }
        (_, [id, rest @ ..]) => {
            let id = if *id == "me" { caller.user.clone() } else { (*id).to_owned() };
            if !is_id(&id) {
                return Err(Refusal::bad_path("user_id"));
            }
            one(state, asked, &caller, &id, rest)
        }
        _ => Err(Refusal::missing()),
    }
}

fn one(
    state: &mut State,
    asked: &Asked,
    caller: &Session,
    id: &str,
    path: &[&str],
) -> Result<Response, Refusal> {
    match (asked.method.as_str(), path) {
        ("GET", []) => {
            let user = state.users.get(id).ok_or_else(Refusal::no_user)?;
            Ok(Json(state.show(&caller.user, user)).into_response())
        }
        (_, ["sessions", rest @ ..]) => sessions::route(state, asked, id, rest),
        (_, ["tokens"]) => tokens::of_user(state, asked, id),
        ("PUT", ["active"]) => set_active(state, asked, caller, id),
        ("PUT", ["roles"]) => {
            state.require(caller, "manage_roles")?;
            let roles = text(&asked.json("roles")?, "roles");
            if !roles.split_whitespace().all(|role| state.roles.contains_key(role)) {
                return Err(Refusal::bad_body("roles"));
            }
            state.users.get_mut(id).ok_or_else(Refusal::no_user)?.shown.roles = roles;
            Ok(ok())
        }
        // What is deleted is deactivated.
        ("DELETE", []) => {
            state.require(caller, "sysconsole_write_user_management_users")?;
            state.users.get(id).ok_or_else(Refusal::no_user)?;
            state.set_active(id, false);
            Ok(ok())
        }
        ("POST", ["image"]) => {
            let user = state.users.get(id).ok_or_else(Refusal::no_user)?;
            if !state.manages_user_or_bot(&caller.user, user.id()) {
                return Err(Refusal::forbidden());
            }
            if !asked.header("content-type").starts_with("multipart/form-data") {
                return Err(Refusal::new(500, "api.user.upload_profile_user.parse.app_error"));
            }
            if let Some(user) = state.users.get_mut(id) {
                user.pictures += 1;
            }
            Ok(ok())
        }
        ("GET", ["teams"]) => {
            let others = state.allows(&caller.user, "sysconsole_read_user_management_users");
            if caller.user != id && !others {
                return Err(Refusal::forbidden());
            }
            let teams = state.teams.values().filter(|team| state.is_member(&team.id, id));
            Ok(Json(teams.map(|team| state.show_team(&caller.user, team)).collect::<Vec<_>>())
                .into_response())
        }
        _ => Err(Refusal::missing()),
    }
}

/// `POST /users`, as an administrator: for others it depends on settings that no service beside it touches.
fn create(state: &mut State, asked: &Asked, caller: &Session) -> Result<Response, Refusal> {
    state.require(caller, "manage_system")?;
    let body = asked.json("user")?;
    let (name, email) = (text(&body, "username"), text(&body, "email"));
    let wrong = |id| Err(Refusal::new(400, id));
    if !(1..=64).contains(&name.len()) {
        return wrong("model.user.is_valid.username.app_error");
    }
    if !email.contains('@') {
        return wrong("model.user.is_valid.email.app_error");
    }
    if text(&body, "password").len() < 8 {
        return wrong("model.user.is_valid.pwd_min_length.app_error");
    }
    if state.user_named(&name).is_some() {
        return wrong("app.user.save.username_exists.app_error");
    }
    let mut user = User::person(&name, "system_user", state.now());
    user.shown.email = email;
    let shown = user.json_for(&caller.user, true, &state.settings);
    state.users.insert(user.id().to_owned(), user);
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}

fn set_active(state: &mut State, asked: &Asked, caller: &Session, id: &str) -> Result<Response, Refusal> {
    let active = asked.json("active")?["active"].as_bool().ok_or_else(|| Refusal::bad_body("active"))?;
    let themselves = !active && caller.user == id;
    if !themselves && !state.allows(&caller.user, "sysconsole_write_user_management_users") {
        return Err(Refusal::forbidden());
    }
    if themselves && !state.settings.is_on("TeamSettings.EnableUserDeactivation") {
        return Err(Refusal::new(401, "api.user.update_active.not_enable.app_error"));
    }
    let user = state.users.get(id).ok_or_else(Refusal::no_user)?;
    if user.roles().contains("system_admin") && !state.allows(&caller.user, "manage_system") {
        return Err(Refusal::forbidden());
    }
    state.set_active(id, active);
    Ok(ok())
}

/// `PUT /roles/{id}/patch`. Without a licence few permissions can be given, and this is one of them.
fn patch_role(state: &mut State, asked: &Asked, id: &str) -> Result<Response, Refusal> {
    let caller = state.caller(asked)?;
    state.require(&caller, "sysconsole_write_user_management_permissions")?;
    let permissions = texts(&asked.json("role")?["permissions"]).into_iter().collect();
    let role = state.roles.values_mut().find(|role| role.id == id);
    let role = role.ok_or_else(|| Refusal::new(404, "app.role.get.app_error"))?;
    if role.permissions.symmetric_difference(&permissions).any(|one| one != "manage_oauth") {
        return Err(Refusal::new(501, "api.roles.patch_roles.license.error"));
    }
    role.permissions = permissions;
    Ok(Json(json!({"id": id, "permissions": role.permissions})).into_response())
}

/// `POST /roles/names`, `GET /roles/name/{name}`, `PUT /roles/{id}/patch`.
pub(super) fn roles(state: &mut State, asked: &Asked, path: &[&str]) -> Result<Response, Refusal> {
    if let ("PUT", [id, "patch"]) = (asked.method.as_str(), path) {
        return patch_role(state, asked, id);
    }
    state.caller(asked)?;
    let shown = |name: &str| {
        let role = state.roles.get(name)?;
        Some(json!({
            "id": role.id, "name": name, "display_name": name, "description": "", "create_at": 0, "update_at": 0,
            "delete_at": 0, "permissions": role.permissions, "scheme_managed": true, "built_in": true,
        }))
    };
    match (asked.method.as_str(), path) {
        ("POST", ["names"]) => {
            let names = texts(&asked.json("rolenames")?);
            let found = names.iter().filter_map(|name| shown(name));
            Ok(Json(found.collect::<Vec<_>>()).into_response())
        }
        ("GET", ["name", name]) => {
            Ok(Json(shown(name).ok_or_else(|| Refusal::new(404, "app.role.get_by_name.app_error"))?)
                .into_response())
        }
        _ => Err(Refusal::missing()),
    }
}
