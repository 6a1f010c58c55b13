//! The last calls of Apps, for the development console.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::House;
use super::admin::json_response;
use super::caller::Caller;
use super::errors::WireError;
use crate::calls::Seen;

#[derive(Serialize)]
struct Shown {
    calls: Vec<Seen>,
}

/// Administrators see every call, others their own; Apps see none.
pub(super) async fn calls(State(house): State<House>, caller: Caller) -> Result<Response, WireError> {
    let who = caller.user()?;
    if who.app.is_some() {
        return Err(WireError::unauthorized("calls are shown to people, not to Apps"));
    }
    let whose = if caller.is_administrator(&house).await? { None } else { Some(who.user_id.as_str()) };
    let calls = house
        .calls
        .seen(whose)
        .ok_or_else(|| WireError::new(StatusCode::NOT_FOUND, "calls are remembered in development only"))?;
    json_response(&Shown { calls })
}
