//! R06: a user agent has an App called (apps-framework.md section 2.7).

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use tessera_types::{CallRequest, CallResponseWithMetadata, json};

use super::House;
use super::admin::json_response;
use super::body::{self, CALL_CAP};
use super::caller::Caller;
use super::errors::WireError;

pub(super) async fn call(
    State(house): State<House>,
    caller: Caller,
    body: Body,
) -> Result<Response, WireError> {
    let bytes = body::read(body, CALL_CAP).await?;
    let request: CallRequest = json::from_slice_stream(&bytes)
        .map_err(|error| WireError::invalid(&format_args!("failed to unmarshal Call request: {error}")))?;
    if request.context.app_id.is_empty() {
        return Err(WireError::invalid(&"app ID is not set in Call request"));
    }
    if let Some(who) = &caller.identity {
        house.calls.take(who)?;
    }
    let outcome = house
        .calls
        .invoke_from(caller.identity.as_ref(), request, Some(""), &caller.request, caller.deadline)
        .await;
    json_response(&CallResponseWithMetadata { response: outcome.response, app_metadata: outcome.metadata })
}
