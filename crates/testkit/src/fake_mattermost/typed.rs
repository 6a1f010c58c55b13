//! Slash commands as they are typed: what is sent, and what comes of the answer (C.5).

use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::asked::{Asked, Json, is_id, text};
use super::commands::Command;
use super::late::Hook;
use super::outgoing::Outgoing;
use super::refusal::Refusal;
use super::state::{State, fresh};
use super::{FakeMattermost, Shared};

/// How much of an answer is read.
const LARGEST: usize = 1 << 20;

/// What somebody sees of something that they did.
#[derive(Debug, Clone)]
pub enum Seen {
    /// The integration's answer.
    Answer(Value),
    /// Mattermost's own words, as it could not be carried out.
    Failed(String),
}

impl Seen {
    /// The answer's text.
    ///
    /// # Panics
    /// When it could not be carried out.
    pub fn text(&self) -> String {
        text(self.answer(), "text")
    }

    /// The answer.
    ///
    /// # Panics
    /// When it could not be carried out.
    pub fn answer(&self) -> &Value {
        match self {
            Self::Answer(answer) => answer,
            Self::Failed(why) => panic!("it failed: {why}"),
        }
    }
}

/// Where and by whom something was typed.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) user: String,
    pub(super) team: String,
    pub(super) channel: String,
    pub(super) root: String,
}

/// A command on its way.
struct Sent {
    command: Command,
    request: Outgoing,
}

/// Types a command: what the integration answered.
pub(super) async fn execute(shared: &Shared, place: &Place, typed: &str) -> Result<Value, Refusal> {
    let sent = prepare(&mut shared.lock().unwrap(), place, typed)?;
    let word = sent.command.word.clone();
    let failed = |id| Refusal::new(500, id).with("Trigger", &word);
    let answer = sent.request.send().await;
    let mut state = shared.lock().unwrap();
    let answer = answer.map_err(|why| {
        state.warn(format!("command {word}: {why}"));
        failed("api.command.execute_command.failed.app_error")
    })?;
    if answer.status != 200 {
        let status = http::StatusCode::from_u16(answer.status).map(|status| status.to_string());
        let refusal = failed("api.command.execute_command.failed_resp.app_error");
        return Err(refusal.with("Status", &status.unwrap_or_default()));
    }
    let body = &answer.body[..answer.body.len().min(LARGEST)];
    let said = read(answer.header("content-type").unwrap_or_default(), body);
    let said = said.ok_or_else(|| failed("api.command.execute_command.failed.app_error"))?;
    show(&mut state, &sent.command, place, &said)
        .map_err(|_| failed("api.command.execute_command.create_post_failed.app_error"))?;
    Ok(said)
}

/// The answer as JSON; words stand for themselves.
pub(super) fn read(content_type: &str, body: &[u8]) -> Option<Value> {
    if content_type.split(';').next().unwrap_or_default().trim() == "application/json" {
        let value: Value = serde_json::from_slice(body).ok()?;
        return value.is_object().then_some(value);
    }
    Some(json!({"text": String::from_utf8_lossy(body)}))
}

fn prepare(state: &mut State, place: &Place, typed: &str) -> Result<Sent, Refusal> {
    let Some(rest) = typed.strip_prefix('/').filter(|rest| !rest.is_empty()) else {
        return Err(Refusal::new(400, "api.command.execute_command.start.app_error"));
    };
    if !state.allows_in_channel(&place.user, &place.channel, "use_slash_commands") {
        return Err(Refusal::forbidden());
    }
    let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let word = word.to_lowercase();
    if !state.settings.is_on("ServiceSettings.EnableCommands") {
        return Err(Refusal::new(501, "api.command.disabled.app_error"));
    }
    let command = state.commands.values().find(|one| one.team == place.team && one.word == word).cloned();
    let unknown =
        || Refusal::new(404, "api.command.execute_command.not_found.app_error").with("Trigger", &word);
    let command = command.ok_or_else(unknown)?;
    let form = form(state, &command, place, rest)?;
    let request = state.command_request(&command.url, &command.token, form);
    Ok(Sent { command, request })
}

fn form(state: &mut State, command: &Command, place: &Place, rest: &str) -> Result<String, Refusal> {
    let site = state.site_url();
    if site.is_empty() {
        return Err(Refusal::new(400, "api.command.execute_command.site_url_required.app_error"));
    }
    let channel = state.channels.get(&place.channel).ok_or_else(Refusal::no_channel)?.name.clone();
    let team = state.teams.get(&place.team).ok_or_else(Refusal::no_team)?.name.clone();
    let user = state.users.get(&place.user).ok_or_else(Refusal::no_user)?.name().to_owned();
    let hook = fresh();
    state.hooks.insert(hook.clone(), Hook::new(&command.id, place, state.clock.now()));
    let mut fields = vec![
        ("channel_id", place.channel.clone()),
        ("channel_name", channel),
        ("command", format!("/{}", command.word)),
        ("response_url", format!("{site}/hooks/commands/{hook}")),
        ("team_domain", team),
        ("team_id", place.team.clone()),
        ("text", rest.to_owned()),
        ("token", command.token.clone()),
        ("trigger_id", state.new_trigger(&place.user)),
        ("user_id", place.user.clone()),
        ("user_name", user),
    ];
    if state.version.commands_have_a_root() {
        fields.push(("root_id", place.root.clone()));
    }
    for (name, id) in mentions(rest, '@', |name| in_team(state, place, name)) {
        fields.extend([("user_mentions", name), ("user_mentions_ids", id)]);
    }
    for (name, id) in mentions(rest, '~', |name| public_channel(state, place, name)) {
        fields.extend([("channel_mentions", name), ("channel_mentions_ids", id)]);
    }
    fields.sort_by(|one, other| one.0.cmp(other.0));
    Ok(Serializer::new(String::new()).extend_pairs(fields).finish())
}

/// Who or what a text mentions, with their ids.
fn mentions(text: &str, sign: char, find: impl Fn(&str) -> Option<String>) -> Vec<(String, String)> {
    let words = text.split_whitespace().filter_map(|word| word.strip_prefix(sign));
    words
        .filter_map(|name| {
            let name = name.trim_end_matches(['.', ',', ':', ';', '!', '?']).to_lowercase();
            find(&name).map(|id| (name, id))
        })
        .collect()
}

fn in_team(state: &State, place: &Place, name: &str) -> Option<String> {
    let user = state.user_named(name)?;
    state.is_member(&place.team, user.id()).then(|| user.id().to_owned())
}

fn public_channel(state: &State, place: &Place, name: &str) -> Option<String> {
    let mut channels = state.channels.values();
    channels
        .find(|one| one.team_id == place.team && one.name == name && one.kind == "O")
        .map(|one| one.id.clone())
}

/// Shows an answer, and those that come with it, where it says.
pub(super) fn show(state: &mut State, command: &Command, place: &Place, said: &Value) -> Result<(), Refusal> {
    show_one(state, command, place, said)?;
    for extra in said["extra_responses"].as_array().into_iter().flatten() {
        show_one(state, command, place, extra)?;
    }
    Ok(())
}

fn show_one(state: &mut State, command: &Command, place: &Place, said: &Value) -> Result<(), Refusal> {
    let elsewhere = text(said, "channel_id");
    let channel = if elsewhere.is_empty() { place.channel.clone() } else { elsewhere };
    if !state.is_member(&channel, &place.user) && channel != place.channel {
        return Err(Refusal::new(403, "api.command.command_post.forbidden.app_error"));
    }
    let mut props = if said["props"].is_object() { said["props"].clone() } else { json!({}) };
    props["from_webhook"] = json!("true");
    for (setting, name, own, given) in [
        ("EnablePostUsernameOverride", "override_username", command.username(), "username"),
        ("EnablePostIconOverride", "override_icon_url", command.icon_url(), "icon_url"),
    ] {
        let value = if own.is_empty() { text(said, given) } else { own };
        if state.settings.is_on(&format!("ServiceSettings.{setting}")) && !value.is_empty() {
            props[name] = json!(value);
        }
    }
    let attachments = said["attachments"].as_array().filter(|list| !list.is_empty());
    if let Some(attachments) = attachments {
        props["attachments"] = json!(attachments);
    }
    let message = text(said, "text");
    let post = state.new_post(&place.user, &channel, &place.root, &message, props);
    match said["response_type"].as_str().unwrap_or_default() {
        "in_channel" => state.publish_post(post),
        "" | "ephemeral" if !message.is_empty() || attachments.is_some() => state.whisper(&place.user, post),
        _ => {}
    }
    Ok(())
}

/// `POST /commands/execute`, as clients send it.
pub(super) async fn route(shared: &Shared, asked: &Asked) -> Result<Response, Refusal> {
    let (place, typed) = {
        let state = shared.lock().unwrap();
        let session = state.caller(asked)?;
        let body = asked.json("command_args")?;
        let channel = text(&body, "channel_id");
        if !is_id(&channel) {
            return Err(Refusal::new(400, "api.command.execute_command.start.app_error"));
        }
        // A team is only said where the channel has none.
        let team = state.channels.get(&channel).map(|channel| channel.team_id.clone()).unwrap_or_default();
        let team = if team.is_empty() { text(&body, "team_id") } else { team };
        let place = Place { user: session.user, team, channel, root: text(&body, "root_id") };
        (place, text(&body, "command"))
    };
    let said = execute(shared, &place, &typed).await?;
    Ok(Json(said).into_response())
}

impl FakeMattermost {
    /// Somebody types a command in a channel of a team, such as `/hello connect`.
    pub async fn run_command(&self, user: &str, team: &str, channel: &str, typed: &str) -> Seen {
        self.run_command_in_thread(user, team, channel, "", typed).await
    }

    /// The same as a reply to a post.
    pub async fn run_command_in_thread(
        &self,
        user: &str,
        team: &str,
        channel: &str,
        root: &str,
        typed: &str,
    ) -> Seen {
        let owned = str::to_owned;
        let place =
            Place { user: owned(user), team: owned(team), channel: owned(channel), root: owned(root) };
        match execute(&self.state, &place, typed).await {
            Ok(answer) => Seen::Answer(answer),
            Err(refusal) => Seen::Failed(refusal.message().to_owned()),
        }
    }

    /// The commands that are registered: team, what is typed, and where it goes.
    pub fn commands(&self) -> Vec<(String, String, String)> {
        let state = self.state();
        let commands = state.commands.values();
        commands.map(|one| (one.team.clone(), one.word.clone(), one.url.clone())).collect()
    }

    /// The token that a command is sent with.
    ///
    /// # Panics
    /// When there is no such command.
    pub fn command_token(&self, team: &str, word: &str) -> String {
        let state = self.state();
        let command = state.commands.values().find(|one| one.team == team && one.word == word);
        command.unwrap().token.clone()
    }
}
