//! Teams and who is in them.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use tessera_types::{Team, TeamMember};

use super::Site;
use super::body::{Body, Json};
use super::caller::Caller;
use super::error::ApiError;
use super::segment::Segment;

/// Who shall join.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Joining {
    pub(super) user_id: String,
}

pub(super) async fn get(
    State(site): State<Site>,
    caller: Caller,
    Segment(team): Segment<String>,
) -> Result<Json<Team>, ApiError> {
    Ok(Json(site.read_team(caller.eyes(), &team).await?))
}

pub(super) async fn by_name(
    State(site): State<Site>,
    caller: Caller,
    Segment(name): Segment<String>,
) -> Result<Json<Team>, ApiError> {
    Ok(Json(site.read_team_named(caller.eyes(), &name).await?))
}

pub(super) async fn of_user(
    State(site): State<Site>,
    caller: Caller,
    Segment(user): Segment<String>,
) -> Result<Json<Vec<Team>>, ApiError> {
    Ok(Json(site.read_teams_of(caller.eyes(), caller.named(&user)).await?))
}

pub(super) async fn members_of_user(
    State(site): State<Site>,
    caller: Caller,
    Segment(user): Segment<String>,
) -> Result<Json<Vec<TeamMember>>, ApiError> {
    Ok(Json(site.read_team_members_of(caller.eyes(), caller.named(&user)).await?))
}

pub(super) async fn member(
    State(site): State<Site>,
    caller: Caller,
    Segment((team, user)): Segment<(String, String)>,
) -> Result<Json<TeamMember>, ApiError> {
    Ok(Json(site.read_team_member(caller.eyes(), &team, caller.named(&user)).await?))
}

pub(super) async fn join(
    State(site): State<Site>,
    caller: Caller,
    Segment(team): Segment<String>,
    Body(joining): Body<Joining>,
) -> Result<(StatusCode, Json<TeamMember>), ApiError> {
    let member = site.join_team(caller.eyes(), &team, &joining.user_id).await?;
    Ok((StatusCode::CREATED, Json(member)))
}
