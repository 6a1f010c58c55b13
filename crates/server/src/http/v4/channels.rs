//! Channels and who is in them.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use tessera_types::{Channel, ChannelMember};

use super::Site;
use super::body::{Body, Json};
use super::caller::Caller;
use super::error::ApiError;
use super::segment::Segment;
use super::teams::Joining;
use crate::platform::standalone::{Page, Refusal};

pub(super) async fn get(
    State(site): State<Site>,
    caller: Caller,
    Segment(channel): Segment<String>,
) -> Result<Json<Channel>, ApiError> {
    Ok(Json(site.read_channel(caller.eyes(), &channel).await?))
}

pub(super) async fn by_name(
    State(site): State<Site>,
    caller: Caller,
    Segment((team, name)): Segment<(String, String)>,
) -> Result<Json<Channel>, ApiError> {
    Ok(Json(site.read_channel_named(caller.eyes(), &team, &name).await?))
}

pub(super) async fn of_user(
    State(site): State<Site>,
    caller: Caller,
    Segment((user, team)): Segment<(String, String)>,
) -> Result<Json<Vec<Channel>>, ApiError> {
    Ok(Json(site.read_channels_of(caller.eyes(), caller.named(&user), &team).await?))
}

pub(super) async fn members_of_user(
    State(site): State<Site>,
    caller: Caller,
    Segment((user, team)): Segment<(String, String)>,
) -> Result<Json<Vec<ChannelMember>>, ApiError> {
    Ok(Json(site.read_channel_members_of(caller.eyes(), caller.named(&user), &team).await?))
}

pub(super) async fn members(
    State(site): State<Site>,
    caller: Caller,
    Segment(channel): Segment<String>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<Vec<ChannelMember>>, ApiError> {
    let page = page.map(|Query(page)| page).unwrap_or_default();
    Ok(Json(site.read_channel_members(caller.eyes(), &channel, page).await?))
}

pub(super) async fn member(
    State(site): State<Site>,
    caller: Caller,
    Segment((channel, user)): Segment<(String, String)>,
) -> Result<Json<ChannelMember>, ApiError> {
    Ok(Json(site.read_channel_member(caller.eyes(), &channel, caller.named(&user)).await?))
}

pub(super) async fn join(
    State(site): State<Site>,
    caller: Caller,
    Segment(channel): Segment<String>,
    Body(joining): Body<Joining>,
) -> Result<(StatusCode, Json<ChannelMember>), ApiError> {
    let member = site.join_channel(caller.eyes(), &channel, &joining.user_id).await?;
    Ok((StatusCode::CREATED, Json(member)))
}

/// `POST channels/direct` with two user ids: 201 whether it was there or not, as on Mattermost.
pub(super) async fn direct(
    State(site): State<Site>,
    caller: Caller,
    Body(ids): Body<Vec<String>>,
) -> Result<(StatusCode, Json<Channel>), ApiError> {
    let [a, b] = ids.as_slice() else { return Err(Refusal::bad_body("user_ids").into()) };
    let channel = site.direct_channel(caller.id(), [a, b]).await?;
    Ok((StatusCode::CREATED, Json(channel)))
}
