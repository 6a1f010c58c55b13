//! Channels.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use tessera_types::Channel;

use super::asked::{Asked, Json, is_id, text, texts};
use super::refusal::Refusal;
use super::sessions::Session;
use super::state::{State, fresh};

impl State {
    pub(super) fn add_channel(&mut self, team: &str, name: &str, kind: &str) -> String {
        let now = self.now();
        let channel = Channel {
            id: fresh(),
            create_at: now,
            update_at: now,
            team_id: team.to_owned(),
            kind: kind.to_owned(),
            display_name: if kind == "D" { String::new() } else { name.to_owned() },
            name: name.to_owned(),
            ..Channel::default()
        };
        let id = channel.id.clone();
        self.channels.insert(id.clone(), channel);
        id
    }

    /// The direct channel of two: there is one at most.
    pub(super) fn direct_channel(&mut self, one: &str, other: &str) -> String {
        let mut two = [one, other];
        two.sort_unstable();
        let name = two.join("__");
        if let Some(known) = self.channels.values().find(|channel| channel.name == name) {
            return known.id.clone();
        }
        let id = self.add_channel("", &name, "D");
        for user in two {
            self.join(&id, user);
        }
        id
    }
}

pub(super) fn route(state: &mut State, asked: &Asked, path: &[&str]) -> Result<Response, Refusal> {
    let caller = state.caller(asked)?;
    let user = caller.user.clone();
    match (asked.method.as_str(), path) {
        ("POST", []) => create(state, asked, &caller),
        ("POST", ["direct"]) => direct(state, asked, &caller),
        (_, [id, ..]) if !is_id(id) => Err(Refusal::bad_path("channel_id")),
        ("GET", [id]) => {
            let channel = state.channels.get(*id).ok_or_else(Refusal::no_channel)?;
            if state.may_read(&user, id) {
                Ok(Json(channel).into_response())
            } else {
                Err(Refusal::forbidden())
            }
        }
        ("GET", [id, "members", member]) => {
            if !state.allows_in_channel(&user, id, "read_channel") {
                return Err(Refusal::forbidden());
            }
            let who = if *member == "me" { user.as_str() } else { member };
            let found = state.member(id, who);
            let found = found.ok_or_else(|| Refusal::new(404, "app.channel.get_member.missing.app_error"))?;
            Ok(Json(found.of_channel(id, who)).into_response())
        }
        ("GET", [id, "members"]) => {
            if !state.allows_in_channel(&user, id, "read_channel") {
                return Err(Refusal::forbidden());
            }
            let all = state.members_of(id).map(|(who, member)| member.of_channel(id, who));
            Ok(Json(asked.page(all.collect())).into_response())
        }
        ("POST", [id, "members"]) => add_member(state, asked, &caller, id),
        ("DELETE", [id, "members", member]) => {
            let may = *member == user || may_manage_members(state, &user, id);
            if !may {
                return Err(Refusal::forbidden());
            }
            let gone = state.members.remove(&((*id).to_owned(), (*member).to_owned()));
            gone.ok_or_else(|| Refusal::new(404, "app.channel.get_member.missing.app_error"))?;
            Ok(super::asked::ok())
        }
        _ => Err(Refusal::missing()),
    }
}

fn may_manage_members(state: &State, user: &str, channel: &str) -> bool {
    let public = state.channels.get(channel).is_some_and(|channel| channel.kind == "O");
    let permission = if public { "manage_public_channel_members" } else { "manage_private_channel_members" };
    state.allows_in_channel(user, channel, permission)
}

fn create(state: &mut State, asked: &Asked, caller: &Session) -> Result<Response, Refusal> {
    let body = asked.json("channel")?;
    let (team, name, kind) = (text(&body, "team_id"), text(&body, "name"), text(&body, "type"));
    let permission = match kind.as_str() {
        "O" => "create_public_channel",
        "P" => "create_private_channel",
        _ => return Err(Refusal::bad_body("channel")),
    };
    if !state.allows_in_team(&caller.user, &team, permission) {
        return Err(Refusal::forbidden());
    }
    let id = state.add_channel(&team, &name, &kind);
    state.join(&id, &caller.user).is_admin = true;
    Ok((StatusCode::CREATED, Json(&state.channels[&id])).into_response())
}

fn direct(state: &mut State, asked: &Asked, caller: &Session) -> Result<Response, Refusal> {
    let two = texts(&asked.json("user_ids")?);
    let [one, other] = two.as_slice() else { return Err(Refusal::bad_body("user_ids")) };
    if !is_id(one) || !is_id(other) {
        return Err(Refusal::bad_body("user_id"));
    }
    state.require(caller, "create_direct_channel")?;
    if ![one, other].contains(&&caller.user) && !state.allows(&caller.user, "manage_system") {
        return Err(Refusal::forbidden());
    }
    if !state.users.contains_key(one) || !state.users.contains_key(other) {
        return Err(Refusal::new(400, "api.channel.create_direct_channel.invalid_user.app_error"));
    }
    let id = state.direct_channel(one, other);
    Ok((StatusCode::CREATED, Json(&state.channels[&id])).into_response())
}

fn add_member(state: &mut State, asked: &Asked, caller: &Session, id: &str) -> Result<Response, Refusal> {
    let user = text(&asked.json("user_id")?, "user_id");
    if !is_id(&user) {
        return Err(Refusal::bad_body("user_id"));
    }
    let channel = state.channels.get(id).ok_or_else(Refusal::no_channel)?;
    let (kind, team) = (channel.kind.clone(), channel.team_id.clone());
    if !matches!(kind.as_str(), "O" | "P") {
        return Err(Refusal::new(400, "api.channel.add_user_to_channel.type.app_error"));
    }
    let themselves = user == caller.user;
    let may = match (themselves, state.is_member(id, &user)) {
        (true, true) => true,
        (true, false) if kind == "O" => state.allows_in_team(&user, &team, "join_public_channels"),
        _ => may_manage_members(state, &caller.user, id),
    };
    if !may {
        return Err(Refusal::forbidden());
    }
    if !state.users.contains_key(&user) {
        return Err(Refusal::no_user());
    }
    // Nobody is in a channel of a team that they are not in.
    if !state.is_member(&team, &user) {
        return Err(Refusal::new(404, "app.team.get_member.missing.app_error"));
    }
    let shown = state.join(id, &user).of_channel(id, &user);
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}
