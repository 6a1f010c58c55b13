//! Posts.

use std::collections::BTreeMap;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::Serialize;
use tessera_types::Post;

use super::Site;
use super::body::{Body, Json};
use super::caller::Caller;
use super::error::ApiError;
use super::segment::Segment;
use crate::platform::standalone::{Draft, Page};

/// A list of posts, as Mattermost writes it.
#[derive(Serialize)]
pub(super) struct PostList {
    order: Vec<String>,
    posts: BTreeMap<String, Post>,
    next_post_id: &'static str,
    prev_post_id: &'static str,
    has_next: bool,
    first_inaccessible_post_time: i64,
}

pub(super) async fn create(
    State(site): State<Site>,
    caller: Caller,
    Body(draft): Body<Draft>,
) -> Result<(StatusCode, Json<Post>), ApiError> {
    Ok((StatusCode::CREATED, Json(site.create_post(caller.id(), draft).await?)))
}

pub(super) async fn get(
    State(site): State<Site>,
    caller: Caller,
    Segment(post): Segment<String>,
) -> Result<Json<Post>, ApiError> {
    Ok(Json(site.read_post(caller.eyes(), &post).await?))
}

pub(super) async fn of_channel(
    State(site): State<Site>,
    caller: Caller,
    Segment(channel): Segment<String>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<PostList>, ApiError> {
    let page = page.map(|Query(page)| page).unwrap_or_default();
    let posts = site.read_posts(caller.eyes(), &channel, page).await?;
    Ok(Json(PostList {
        order: posts.iter().map(|post| post.id.clone()).collect(),
        posts: posts.into_iter().map(|post| (post.id.clone(), post)).collect(),
        next_post_id: "",
        prev_post_id: "",
        has_next: false,
        first_inaccessible_post_time: 0,
    }))
}
