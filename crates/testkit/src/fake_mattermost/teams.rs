//! Teams.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use tessera_types::Team;

use super::asked::{Asked, Json, is_id, text};
use super::refusal::Refusal;
use super::sessions::Session;
use super::state::{State, fresh};

impl State {
    pub(super) fn add_team(&mut self, name: &str) -> String {
        let now = self.now();
        let team = Team {
            id: fresh(),
            create_at: now,
            update_at: now,
            display_name: name.to_owned(),
            name: name.to_owned(),
            email: "teams@example.com".to_owned(),
            kind: "O".to_owned(),
            invite_id: fresh(),
            ..Team::default()
        };
        let id = team.id.clone();
        self.teams.insert(id.clone(), team);
        id
    }

    /// As somebody sees it: who does not manage it sees neither its address nor how to be invited.
    pub(super) fn show_team(&self, caller: &str, team: &Team) -> Value {
        let mut team = team.clone();
        if !self.allows_in_team(caller, &team.id, "manage_team") {
            team.email.clear();
            team.invite_id.clear();
        }
        serde_json::to_value(team).unwrap()
    }

    fn may_see_team(&self, caller: &str, team: &Team) -> bool {
        let open = team.allow_open_invite && team.kind == "O";
        open || self.allows_in_team(caller, &team.id, "view_team")
    }
}

pub(super) fn route(state: &mut State, asked: &Asked, path: &[&str]) -> Result<Response, Refusal> {
    let caller = state.caller(asked)?;
    let user = caller.user.clone();
    match (asked.method.as_str(), path) {
        ("GET", []) => list(state, asked, &user),
        ("GET", ["name", name]) => {
            let team = state.teams.values().find(|team| team.name == *name);
            let team = team.ok_or_else(|| Refusal::new(404, "app.team.get_by_name.missing.app_error"))?;
            if state.may_see_team(&user, team) {
                Ok(Json(state.show_team(&user, team)).into_response())
            } else {
                Err(Refusal::forbidden())
            }
        }
        (_, [id, ..]) if !is_id(id) => Err(Refusal::bad_path("team_id")),
        ("GET", [id]) => {
            let team = state.teams.get(*id).ok_or_else(Refusal::no_team)?;
            if state.may_see_team(&user, team) {
                Ok(Json(state.show_team(&user, team)).into_response())
            } else {
                Err(Refusal::forbidden())
            }
        }
        ("GET", [id, "channels"]) => {
            if !state.allows_in_team(&user, id, "list_team_channels") {
                return Err(Refusal::forbidden());
            }
            let all = state
                .channels
                .values()
                .filter(|one| one.team_id == *id && one.kind == "O" && one.delete_at == 0);
            Ok(Json(asked.page(all.collect())).into_response())
        }
        ("GET", [id, "channels", "name", name]) => {
            let found = state.channels.values().find(|one| one.team_id == *id && one.name == *name);
            let channel = found.filter(|one| one.delete_at == 0).ok_or_else(Refusal::no_channel)?;
            if !state.may_read(&user, &channel.id) {
                return Err(Refusal::no_channel());
            }
            Ok(Json(channel).into_response())
        }
        ("GET", [id, "members", member]) => {
            if !state.allows_in_team(&user, id, "view_team") {
                return Err(Refusal::forbidden());
            }
            let who = if *member == "me" { user.as_str() } else { member };
            let found = state.member(id, who);
            let found = found.ok_or_else(|| Refusal::new(404, "app.team.get_member.missing.app_error"))?;
            Ok(Json(found.of_team(id, who)).into_response())
        }
        ("GET", [id, "members"]) => {
            if !state.allows_in_team(&user, id, "view_team") {
                return Err(Refusal::forbidden());
            }
            let all = state.members_of(id).map(|(who, member)| member.of_team(id, who));
            Ok(Json(asked.page(all.collect())).into_response())
        }
        ("POST", [id, "members"]) => add_member(state, asked, &caller, id),
        ("DELETE", [id, "members", member]) => {
            let themselves = *member == user;
            if !themselves && !state.allows_in_team(&user, id, "manage_team") {
                return Err(Refusal::forbidden());
            }
            let gone = state.members.remove(&((*id).to_owned(), (*member).to_owned()));
            gone.ok_or_else(|| Refusal::new(404, "app.team.get_member.missing.app_error"))?;
            let of_team: Vec<String> =
                state.channels.values().filter(|one| one.team_id == *id).map(|one| one.id.clone()).collect();
            for channel in of_team {
                state.members.remove(&(channel, (*member).to_owned()));
            }
            Ok(super::asked::ok())
        }
        _ => Err(Refusal::missing()),
    }
}

fn list(state: &State, asked: &Asked, user: &str) -> Result<Response, Refusal> {
    let private = state.allows(user, "list_private_teams");
    let public = state.allows(user, "list_public_teams");
    if !private && !public {
        return Err(Refusal::new(403, "api.team.get_all_teams.insufficient_permissions"));
    }
    let mut seen: Vec<&Team> = state
        .teams
        .values()
        .filter(|team| team.delete_at == 0 && if team.allow_open_invite { public } else { private })
        .collect();
    seen.sort_by(|one, other| one.display_name.cmp(&other.display_name));
    let seen = seen.into_iter().map(|team| state.show_team(user, team)).collect();
    Ok(Json(asked.page(seen)).into_response())
}

fn add_member(state: &mut State, asked: &Asked, caller: &Session, id: &str) -> Result<Response, Refusal> {
    let body = asked.json("team_member")?;
    let user = text(&body, "user_id");
    if text(&body, "team_id") != id {
        return Err(Refusal::bad_body("team_id"));
    }
    if !is_id(&user) {
        return Err(Refusal::bad_body("user_id"));
    }
    let team = state.teams.get(id).ok_or_else(Refusal::no_team)?;
    let may = if user == caller.user {
        let permission = if team.allow_open_invite { "join_public_teams" } else { "join_private_teams" };
        state.allows(&caller.user, permission)
    } else {
        state.allows_in_team(&caller.user, id, "add_user_to_team")
    };
    if !may {
        return Err(Refusal::forbidden());
    }
    if !state.users.contains_key(&user) {
        return Err(Refusal::no_user());
    }
    let shown = state.join(id, &user).of_team(id, &user);
    // Whoever joins a team is in its town square.
    let square = state.channels.values().find(|one| one.team_id == id && one.name == "town-square");
    if let Some(square) = square.map(|one| one.id.clone()) {
        state.join(&square, &user);
    }
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}
