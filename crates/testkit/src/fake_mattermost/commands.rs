//! Slash commands (C.5): registered by REST, and sent as Mattermost sends them.

use std::net::SocketAddr;

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use url::Url;

use super::FakeMattermost;
use super::asked::{Asked, Json, Refusal};
use super::people::ok;
use super::state::{State, fresh};
use crate::wire::{self, Ask};

/// What somebody sees of a command that they typed.
#[derive(Debug, Clone)]
pub enum Seen {
    /// The integration's answer.
    Answer(Value),
    /// Mattermost's own words, as it could not be carried out.
    Failed(String),
}

impl Seen {
    /// The answer's text.
    pub fn text(&self) -> String {
        match self {
            Self::Answer(answer) => answer["text"].as_str().unwrap_or_default().to_owned(),
            Self::Failed(why) => panic!("the command failed: {why}"),
        }
    }
}

pub(super) fn route(state: &mut State, asked: &Asked, path: &[&str]) -> Result<Response, Refusal> {
    let session = state.caller(asked)?;
    if !state.is_on("ServiceSettings.EnableCommands") {
        return Err(Refusal::off("api.command.disabled.app_error"));
    }
    if !state.allows(&session.user, "manage_system") {
        return Err(Refusal::forbidden());
    }
    match (asked.method.as_str(), path) {
        ("POST", ["commands"]) => {
            let mut command = asked.json()?;
            let (team, word) = (command["team_id"].clone(), command["trigger"].clone());
            let taken = |one: &Value| one["team_id"] == team && one["trigger"] == word;
            if state.commands.values().any(taken) {
                return Err(Refusal::bad("api.command.duplicate_trigger.app_error"));
            }
            let id = fresh();
            command["id"] = json!(id);
            command["token"] = json!(fresh());
            state.commands.insert(id, command.clone());
            Ok((StatusCode::CREATED, Json(command)).into_response())
        }
        ("DELETE", ["commands", id]) => {
            state.commands.remove(*id).ok_or_else(Refusal::missing)?;
            Ok(ok())
        }
        _ => Err(Refusal::missing()),
    }
}

impl FakeMattermost {
    /// The commands that are registered: team, what is typed, and where it goes.
    pub fn commands(&self) -> Vec<(String, String, String)> {
        let text = |command: &Value, name: &str| command[name].as_str().unwrap().to_owned();
        let state = self.state();
        state
            .commands
            .values()
            .map(|one| (text(one, "team_id"), text(one, "trigger"), text(one, "url")))
            .collect()
    }

    /// The token that a command is sent with.
    pub fn command_token(&self, team: &str, word: &str) -> String {
        let state = self.state();
        let command = state.commands.values().find(|one| one["team_id"] == team && one["trigger"] == word);
        command.unwrap()["token"].as_str().unwrap().to_owned()
    }

    /// What was told later, for each `response_url`.
    pub fn told_later(&self) -> Vec<Value> {
        self.state().hooks.clone()
    }

    /// Somebody types a command in a channel of a team.
    pub async fn run_command(&self, user: &str, team: &str, channel: &str, text: &str) -> Seen {
        let (word, rest) =
            text.trim_start_matches('/').split_once(' ').unwrap_or((text.trim_start_matches('/'), ""));
        let trigger = fresh();
        let (command, name, allowed, site) = {
            let mut state = self.state();
            state.triggers.insert(trigger.clone(), user.to_owned());
            let command =
                state.commands.values().find(|one| one["team_id"] == team && one["trigger"] == word);
            let Some(command) = command.cloned() else {
                return Seen::Failed(format!("Command with a trigger of '/{word}' not found."));
            };
            let allowed = state.config["ServiceSettings.AllowedUntrustedInternalConnections"].clone();
            (command, state.users[user].name.clone(), allowed, state.site_url())
        };
        let url = Url::parse(command["url"].as_str().unwrap()).unwrap();
        let host = url.host_str().unwrap().to_owned();
        if !allowed.as_str().unwrap_or_default().split_whitespace().any(|one| one == host) {
            return Seen::Failed(format!("Command with a trigger of '{word}' failed: address forbidden"));
        }
        let token = command["token"].as_str().unwrap();
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("channel_id", channel),
                ("channel_name", "town-square"),
                ("command", &format!("/{word}")),
                ("response_url", &format!("{site}/hooks/commands/{}", fresh())),
                ("root_id", ""),
                ("team_domain", "dev"),
                ("team_id", team),
                ("text", rest),
                ("token", token),
                ("trigger_id", trigger.as_str()),
                ("user_id", user),
                ("user_name", &name),
            ])
            .finish();
        let address = SocketAddr::from(([127, 0, 0, 1], url.port().unwrap()));
        let ask = Ask::post(url.path(), form)
            .with("Host", format!("{host}:{}", address.port()))
            .with("Content-Type", "application/x-www-form-urlencoded")
            .with("Accept", "application/json")
            .with("User-Agent", "Mattermost-Bot/1.1")
            .with("Authorization", format!("Token {token}"));
        let answer = wire::send(address, &ask).await;
        match answer.status {
            200 => Seen::Answer(answer.json()),
            status => Seen::Failed(format!("Command with a trigger of '{word}' returned response {status}.")),
        }
    }
}
