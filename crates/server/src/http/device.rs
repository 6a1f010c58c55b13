//! Connecting by a code that a person types at the provider, on a device of their own (RFC 8628; OS-29).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use tessera_types::AppId;

use super::House;
use super::admin::json_response;
use super::caller::Caller;
use super::connect::visitor;
use super::errors::WireError;
use super::extract::Segment;

/// Begins: the code is for the person who asks, and for nobody else.
pub(super) async fn begin(
    State(house): State<House>,
    caller: Caller,
    Segment(app): Segment<AppId>,
) -> Result<Response, WireError> {
    caller.user()?;
    let visitor = visitor(&caller).ok_or_else(|| WireError::unauthorized("user ID is required"))?;
    match house.connect.device(&app, &visitor).await? {
        Some(flow) => {
            let mut response = json_response(&flow)?;
            *response.status_mut() = StatusCode::CREATED;
            Ok(response)
        }
        None => {
            let text = format!(
                "app {app} cannot be connected by a code: it is not managed, or its provider has no such way: not found"
            );
            Err(WireError::new(StatusCode::NOT_FOUND, text))
        }
    }
}

/// How one stands.
pub(super) async fn state(
    State(house): State<House>,
    caller: Caller,
    Segment((app, id)): Segment<(AppId, String)>,
) -> Result<Response, WireError> {
    caller.user()?;
    let visitor = visitor(&caller).ok_or_else(|| WireError::unauthorized("user ID is required"))?;
    let state = house.connect.device_state(&app, &visitor, &id).await?;
    match state {
        Some(state) => json_response(&state),
        None => Err(WireError::new(StatusCode::NOT_FOUND, "there is no such code of yours: not found")),
    }
}
