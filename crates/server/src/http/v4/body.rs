//! JSON in, whatever the content type says, and out.

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tessera_types::json;

use super::error::ApiError;
use super::{LARGEST, Site};
use crate::http::body;
use crate::platform::standalone::Refusal;

/// The first JSON value of the body.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Site> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &Site) -> Result<Self, ApiError> {
        let bytes = body::read(request.into_body(), LARGEST).await.map_err(|error| match error.status {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::too_large(),
            _ => Refusal::bad_body("JSON").into(),
        })?;
        Ok(Self(json::from_slice_stream(&bytes).map_err(|_| Refusal::bad_body("JSON"))?))
    }
}

/// A JSON answer.
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match json::to_vec(&self.0) {
            Ok(text) => {
                ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
            }
            Err(error) => ApiError::unwritable(&error).into_response(),
        }
    }
}
