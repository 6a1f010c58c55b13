//! Slash commands as they are registered (C.5).

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::asked::{Asked, Json, is_http, is_id, ok, text};
use super::refusal::Refusal;
use super::sessions::Session;
use super::state::{State, fresh};

/// A command of a team.
#[derive(Debug, Clone)]
pub(super) struct Command {
    pub(super) id: String,
    pub(super) token: String,
    pub(super) creator: String,
    pub(super) team: String,
    pub(super) word: String,
    pub(super) url: String,
    pub(super) by_get: bool,
    /// All else, as it was given.
    given: Value,
    created_at: i64,
}

impl Command {
    fn read(body: &Value, creator: &str, now: i64) -> Self {
        Self {
            id: fresh(),
            token: fresh(),
            creator: creator.to_owned(),
            team: text(body, "team_id"),
            word: text(body, "trigger").to_lowercase(),
            url: text(body, "url"),
            by_get: body["method"] == "G",
            given: body.clone(),
            created_at: now,
        }
    }

    fn check(&self) -> Result<(), Refusal> {
        let wrong = |id| Err(Refusal::new(400, id));
        let word = &self.word;
        if !(1..=128).contains(&word.len()) || word.starts_with('/') || word.contains(' ') {
            return wrong("model.command.is_valid.trigger.app_error");
        }
        if self.url.is_empty() || self.url.len() > 1_024 {
            return wrong("model.command.is_valid.url.app_error");
        }
        if !is_http(&self.url) {
            return wrong("model.command.is_valid.url_http.app_error");
        }
        if !matches!(self.given["method"].as_str(), Some("P" | "G")) {
            return wrong("model.command.is_valid.method.app_error");
        }
        if text(&self.given, "display_name").len() > 64 {
            return wrong("model.command.is_valid.display_name.app_error");
        }
        if text(&self.given, "description").len() > 128 {
            return wrong("model.command.is_valid.description.app_error");
        }
        Ok(())
    }

    fn json(&self, with_token: bool) -> Value {
        let given = |key: &str| text(&self.given, key);
        json!({
            "id": self.id, "token": if with_token { self.token.as_str() } else { "" }, "create_at": self.created_at,
            "update_at": self.created_at, "delete_at": 0, "creator_id": self.creator, "team_id": self.team,
            "trigger": self.word, "method": if self.by_get { "G" } else { "P" }, "username": given("username"),
            "icon_url": given("icon_url"), "auto_complete": self.given["auto_complete"] == true,
            "auto_complete_desc": given("auto_complete_desc"), "auto_complete_hint": given("auto_complete_hint"),
            "display_name": given("display_name"), "description": given("description"), "url": self.url,
        })
    }

    /// In whose name answers are shown, if the site lets commands say so.
    pub(super) fn username(&self) -> String {
        text(&self.given, "username")
    }

    /// The picture that answers are shown with, likewise.
    pub(super) fn icon_url(&self) -> String {
        text(&self.given, "icon_url")
    }
}

fn not_found() -> Refusal {
    Refusal::new(404, "store.sql_command.save.get.app_error")
}

pub(super) fn route(state: &mut State, asked: &Asked, path: &[&str]) -> Result<Response, Refusal> {
    let caller = state.caller(asked)?;
    match (asked.method.as_str(), path) {
        ("POST", []) => create(state, asked, &caller),
        ("GET", []) => list(state, asked, &caller),
        (_, [id, ..]) if !is_id(id) => Err(Refusal::bad_path("command_id")),
        ("GET", [id]) => {
            let command = state.commands.get(*id).ok_or_else(not_found)?;
            let may = state.allows_in_team(&caller.user, &command.team, state.version.manage_commands());
            if may { Ok(Json(command.json(true)).into_response()) } else { Err(not_found()) }
        }
        ("PUT", [id]) => update(state, asked, &caller, id),
        ("PUT", [id, "regen_token"]) => {
            let command = Command { token: fresh(), ..managed(state, &caller, id)? };
            let token = command.token.clone();
            state.commands.insert(command.id.clone(), command);
            Ok(Json(json!({"token": token})).into_response())
        }
        ("DELETE", [id]) => {
            managed(state, &caller, id)?;
            state.commands.remove(*id);
            Ok(ok())
        }
        _ => Err(Refusal::missing()),
    }
}

fn is_on(state: &State) -> Result<(), Refusal> {
    match state.settings.is_on("ServiceSettings.EnableCommands") {
        true => Ok(()),
        false => Err(Refusal::new(501, "api.command.disabled.app_error")),
    }
}

/// A command that somebody may change. Who may change none of its team's is told that there is none.
fn managed(state: &State, caller: &Session, id: &str) -> Result<Command, Refusal> {
    let command = state.commands.get(id).cloned().ok_or_else(not_found)?;
    let may = |permission: &str| state.allows_in_team(&caller.user, &command.team, permission);
    if !may(state.version.manage_commands()) {
        return Err(not_found());
    }
    if command.creator != caller.user && !may("manage_others_slash_commands") {
        return Err(Refusal::forbidden());
    }
    is_on(state)?;
    Ok(command)
}

fn create(state: &mut State, asked: &Asked, caller: &Session) -> Result<Response, Refusal> {
    let command = Command::read(&asked.json("command")?, &caller.user, state.now());
    if !state.allows_in_team(&caller.user, &command.team, state.version.manage_commands()) {
        return Err(Refusal::forbidden());
    }
    is_on(state)?;
    let taken = state.commands.values().any(|one| one.team == command.team && one.word == command.word);
    if taken || BUILT_IN.contains(&command.word.as_str()) {
        return Err(Refusal::new(400, "api.command.duplicate_trigger.app_error"));
    }
    if !state.teams.contains_key(&command.team) {
        return Err(Refusal::new(400, "model.command.is_valid.team_id.app_error"));
    }
    command.check()?;
    let shown = command.json(true);
    state.commands.insert(command.id.clone(), command);
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}

/// Some of the words that Mattermost keeps for itself.
const BUILT_IN: [&str; 8] = ["away", "code", "echo", "help", "join", "leave", "logout", "me"];

fn list(state: &State, asked: &Asked, caller: &Session) -> Result<Response, Refusal> {
    let team = asked.asks("team_id");
    if team.is_empty() {
        return Err(Refusal::bad_body("team_id"));
    }
    if !state.allows_in_team(&caller.user, &team, "view_team") {
        return Err(Refusal::forbidden());
    }
    let manages = state.allows_in_team(&caller.user, &team, state.version.manage_commands());
    if asked.asks("custom_only") == "true" && !manages {
        return Err(Refusal::forbidden());
    }
    is_on(state)?;
    let others = state.allows_in_team(&caller.user, &team, "manage_others_slash_commands");
    let seen = |one: &&Command| {
        let own = !state.version.has_own_slash_commands() || others || one.creator == caller.user;
        one.team == team && if manages { own } else { one.given["auto_complete"] == true }
    };
    let all = state.commands.values().filter(seen).map(|one| one.json(manages));
    Ok(Json(all.collect::<Vec<_>>()).into_response())
}

fn update(state: &mut State, asked: &Asked, caller: &Session, id: &str) -> Result<Response, Refusal> {
    let body = asked.json("command")?;
    if text(&body, "id") != id {
        return Err(Refusal::bad_body("command"));
    }
    let old = state.commands.get(id).ok_or_else(not_found)?;
    if text(&body, "team_id") != old.team {
        return Err(Refusal::new(400, "api.command.team_mismatch.app_error"));
    }
    let old = managed(state, caller, id)?;
    let mut command = Command::read(&body, &old.creator, old.created_at);
    (command.id, command.token) = (old.id, old.token);
    command.check()?;
    let shown = command.json(true);
    state.commands.insert(command.id.clone(), command);
    Ok(Json(shown).into_response())
}
