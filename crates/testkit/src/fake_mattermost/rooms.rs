//! Teams, channels, memberships and posts.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::asked::{Asked, Json, Refusal};
use super::state::{State, fresh};

pub(super) fn route(state: &mut State, asked: &Asked, path: &[&str]) -> Result<Response, Refusal> {
    let session = state.caller(asked)?;
    let is_admin = state.allows(&session.user, "manage_system");
    match (asked.method.as_str(), path) {
        ("GET", ["teams"]) => Ok(Json(state.teams.values().cloned().collect::<Vec<_>>()).into_response()),
        ("GET", ["teams", id]) => {
            let team = state.teams.get(*id).ok_or_else(Refusal::missing)?;
            let sees = is_admin || state.is_member(id, &session.user);
            if sees { Ok(Json(team).into_response()) } else { Err(Refusal::forbidden()) }
        }
        ("GET", ["teams", id, "members", user]) => {
            let sees = is_admin || state.is_member(id, &session.user);
            if !sees {
                return Err(Refusal::forbidden());
            }
            if !state.is_member(id, user) {
                return Err(Refusal::missing());
            }
            Ok(Json(json!({"team_id": id, "user_id": user, "roles": "team_user", "delete_at": 0}))
                .into_response())
        }
        ("POST", ["channels", "direct"]) => direct(state, asked, &session.user),
        ("GET", ["channels", id]) => {
            let channel = state.channels.get(*id).ok_or_else(Refusal::missing)?;
            let team = channel["team_id"].as_str().unwrap_or_default();
            let public = channel["type"] == "O" && state.is_member(team, &session.user);
            let sees = is_admin || public || state.is_member(id, &session.user);
            if sees { Ok(Json(channel).into_response()) } else { Err(Refusal::forbidden()) }
        }
        ("GET", ["channels", id, "members", user]) => {
            if !is_admin && !state.is_member(id, &session.user) {
                return Err(Refusal::forbidden());
            }
            if !state.is_member(id, user) {
                return Err(Refusal::missing());
            }
            Ok(Json(json!({"channel_id": id, "user_id": user, "roles": "channel_user"})).into_response())
        }
        ("POST", ["posts"]) => {
            let mut post = asked.json()?;
            let channel = post["channel_id"].as_str().unwrap_or_default().to_owned();
            if !is_admin && !state.is_member(&channel, &session.user) {
                return Err(Refusal::forbidden());
            }
            post["id"] = json!(fresh());
            post["user_id"] = json!(session.user);
            state.posts.push(post.clone());
            Ok((StatusCode::CREATED, Json(post)).into_response())
        }
        ("POST", ["posts", "ephemeral"]) => {
            state.require(asked, "create_post_ephemeral")?;
            let body = asked.json()?;
            state.ephemeral.push(body.clone());
            Ok((StatusCode::CREATED, Json(body["post"].clone())).into_response())
        }
        ("GET", ["posts", id]) => {
            let post = state.posts.iter().find(|post| post["id"] == *id).ok_or_else(Refusal::missing)?;
            let channel = post["channel_id"].as_str().unwrap_or_default();
            let sees = is_admin || state.is_member(channel, &session.user);
            if sees { Ok(Json(post).into_response()) } else { Err(Refusal::forbidden()) }
        }
        _ => Err(Refusal::missing()),
    }
}

/// The direct channel of two, of whom the caller is one.
fn direct(state: &mut State, asked: &Asked, caller: &str) -> Result<Response, Refusal> {
    let body = asked.json()?;
    let mut two: Vec<String> =
        body.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    two.sort();
    if two.len() != 2 || two.iter().any(|one| !state.users.contains_key(one)) {
        return Err(Refusal::bad("api.channel.create_direct_channel.invalid_user.app_error"));
    }
    if !two.iter().any(|one| one == caller) && !state.allows(caller, "manage_system") {
        return Err(Refusal::forbidden());
    }
    let name = two.join("__");
    let known = state.channels.values().find(|channel| channel["name"] == name.as_str()).cloned();
    let channel = match known {
        Some(channel) => channel,
        None => {
            let id = state.add_channel("", &name, "D");
            for one in two {
                state.members.insert((id.clone(), one));
            }
            state.channels[&id].clone()
        }
    };
    Ok((StatusCode::CREATED, Json(channel)).into_response())
}
