//! Answers that come later: a command's `response_url` takes five of them in half an hour (C.5).

use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use super::FakeMattermost;
use super::asked::Asked;
use super::refusal::Refusal;
use super::state::State;
use super::typed::{self, Place};

const LIFE: i64 = 30 * 60_000;
const MOST: u32 = 5;

/// An address for late answers.
#[derive(Debug, Clone)]
pub(super) struct Hook {
    command: String,
    place: Place,
    until: i64,
    used: u32,
}

impl Hook {
    pub(super) fn new(command: &str, place: &Place, now: i64) -> Self {
        Self { command: command.to_owned(), place: place.clone(), until: now + LIFE, used: 0 }
    }
}

pub(super) fn route(state: &mut State, asked: &Asked, id: &str) -> Result<Response, Refusal> {
    let said = typed::read(asked.header("content-type"), &asked.body);
    let said = said.ok_or_else(|| Refusal::new(400, "web.command_webhook.parse.app_error"))?;
    let now = state.now();
    let hook = state.hooks.get_mut(id).filter(|hook| hook.until > now);
    let hook = hook.ok_or_else(|| Refusal::new(404, "app.command_webhook.get.missing"))?;
    let command = state.commands.get(&hook.command).cloned();
    let command = command.ok_or_else(|| Refusal::new(400, "web.command_webhook.command.app_error"))?;
    if hook.used == MOST {
        return Err(Refusal::new(400, "app.command_webhook.try_use.invalid"));
    }
    hook.used += 1;
    let place = hook.place.clone();
    typed::show(state, &command, &place, &said)?;
    state.told.push(said);
    Ok(([(header::CONTENT_TYPE, "text/plain")], "ok").into_response())
}

impl FakeMattermost {
    /// What was told later, for each `response_url`.
    pub fn told_later(&self) -> Vec<Value> {
        self.state().told.clone()
    }
}
