//! Accounts of bots.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use super::accounts::User;
use super::asked::{Asked, Json, is_id, text};
use super::refusal::Refusal;
use super::sessions::Session;
use super::state::State;

pub(super) fn route(state: &mut State, asked: &Asked, path: &[&str]) -> Result<Response, Refusal> {
    let caller = state.caller(asked)?;
    match (asked.method.as_str(), path) {
        ("POST", []) => create(state, asked, &caller),
        ("GET", []) => {
            let others = state.allows(&caller.user, "read_others_bots");
            if !others && !state.allows(&caller.user, "read_bots") {
                return Err(Refusal::forbidden());
            }
            let with_deleted = asked.asks("include_deleted") == "true";
            let mut all: Vec<_> = state
                .users
                .values()
                .filter(|user| {
                    user.is_bot()
                        && (others || user.owner == caller.user)
                        && (with_deleted || user.shown.delete_at == 0)
                })
                .collect();
            all.sort_by(|one, other| one.name().cmp(other.name()));
            Ok(Json(asked.page(all.into_iter().map(User::bot_json).collect())).into_response())
        }
        (_, [id, ..]) if !is_id(id) => Err(Refusal::bad_path("bot_user_id")),
        ("GET", [id]) => read(state, asked, &caller, id),
        ("PUT", [id]) => {
            state.manage_bot(&caller.user, id)?;
            patch(state, asked, id)
        }
        ("POST", [id, switch @ ("enable" | "disable")]) => {
            state.manage_bot(&caller.user, id)?;
            state.set_active(id, *switch == "enable");
            Ok(Json(state.users[*id].bot_json()).into_response())
        }
        _ => Err(Refusal::missing()),
    }
}

fn create(state: &mut State, asked: &Asked, caller: &Session) -> Result<Response, Refusal> {
    let body = asked.json("bot")?;
    state.require(caller, "create_bot")?;
    // No bot makes bots, whatever its role allows.
    if state.users.get(&caller.user).is_some_and(User::is_bot) {
        return Err(Refusal::forbidden());
    }
    if !state.settings.is_on("ServiceSettings.EnableBotAccountCreation") {
        return Err(Refusal::new(403, "api.bot.create_disabled"));
    }
    let name = text(&body, "username");
    check_name(state, &name, "")?;
    let bot = User::bot(
        &name,
        &text(&body, "display_name"),
        &text(&body, "description"),
        &caller.user,
        state.now(),
    );
    let shown = bot.bot_json();
    state.users.insert(bot.id().to_owned(), bot);
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}

/// A name in Mattermost's form that nobody else has.
fn check_name(state: &State, name: &str, own: &str) -> Result<(), Refusal> {
    let letters =
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte));
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    if !letters || !begins || !(1..=64).contains(&name.len()) {
        return Err(Refusal::new(400, "model.bot.is_valid.username.app_error"));
    }
    match state.user_named(name) {
        Some(user) if user.id() != own => Err(Refusal::new(400, "app.user.save.username_exists.app_error")),
        _ => Ok(()),
    }
}

/// Who may not read a bot is told that there is none.
fn read(state: &State, asked: &Asked, caller: &Session, id: &str) -> Result<Response, Refusal> {
    let bot = state.users.get(id).filter(|user| user.is_bot()).ok_or_else(Refusal::no_bot)?;
    let permission = if bot.owner == caller.user { "read_bots" } else { "read_others_bots" };
    let may = state.allows(&caller.user, permission) || state.allows(&caller.user, "read_others_bots");
    let there = bot.shown.delete_at == 0 || asked.asks("include_deleted") == "true";
    if may && there { Ok(Json(bot.bot_json()).into_response()) } else { Err(Refusal::no_bot()) }
}

fn patch(state: &mut State, asked: &Asked, id: &str) -> Result<Response, Refusal> {
    let body = asked.json("bot")?;
    if let Some(name) = body["username"].as_str() {
        check_name(state, name, id)?;
    }
    let now = state.now();
    let bot = state.users.get_mut(id).ok_or_else(Refusal::no_bot)?;
    if let Some(name) = body["username"].as_str() {
        name.clone_into(&mut bot.shown.username);
    }
    if let Some(name) = body["display_name"].as_str() {
        name.clone_into(&mut bot.bot_display_name);
        name.clone_into(&mut bot.shown.first_name);
    }
    if let Some(description) = body["description"].as_str() {
        description.clone_into(&mut bot.shown.bot_description);
    }
    bot.shown.update_at = now;
    Ok(Json(bot.bot_json()).into_response())
}
