//! R08 to R10 and R24: is anybody there, and which Apps are (apps-framework.md section 2.9). None of it needs a
//! session, as clients ask before they have one (B-21).

use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use tessera_types::json;

use super::House;
use super::admin::json_response;
use super::errors::WireError;
use super::extract::first;
use crate::lifecycle::{FRAMEWORK_VERSION, Filter};

#[derive(Serialize)]
struct Pong {
    version: &'static str,
}

/// R08.
pub(super) async fn ping() -> Result<Response, WireError> {
    json_response(&Pong { version: FRAMEWORK_VERSION })
}

/// R09.
pub(super) async fn bot_ids(State(house): State<House>) -> Result<Response, WireError> {
    ids(&house.lifecycle.bot_ids().await?)
}

/// R10.
pub(super) async fn oauth_app_ids(State(house): State<House>) -> Result<Response, WireError> {
    ids(&house.lifecycle.oauth_app_ids().await?)
}

/// R24. `include_plugins` is read as Go reads a flag: what is none is false.
pub(super) async fn marketplace(
    State(house): State<House>,
    RawQuery(query): RawQuery,
) -> Result<Response, WireError> {
    let query = query.unwrap_or_default();
    let include_plugins =
        matches!(&*first(&query, "include_plugins"), "1" | "t" | "T" | "TRUE" | "true" | "True");
    let filter = Filter { text: first(&query, "filter"), include_plugins };
    json_response(&house.lifecycle.catalogue(&filter).await?)
}

/// A bare array: these two have no newline at their end.
fn ids(ids: &[String]) -> Result<Response, WireError> {
    let bytes = json::to_vec(&ids).map_err(|error| WireError::internal(&error))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes).into_response())
}
