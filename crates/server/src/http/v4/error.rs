//! Errors in Mattermost's JSON shape.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tessera_types::json;

use crate::platform;
use crate::platform::standalone::{Error, Refusal, RefusalKind};
use crate::rate::Wait;

/// An error on its way out; [`super::label`] writes it down, because its body names the request.
#[derive(Clone)]
pub(super) struct ApiError {
    status: StatusCode,
    id: &'static str,
    message: String,
    detailed: String,
    /// `Retry-After`.
    wait: Option<Wait>,
}

#[derive(serde::Serialize)]
struct Shape<'a> {
    id: &'a str,
    message: &'a str,
    detailed_error: &'a str,
    request_id: &'a str,
    status_code: u16,
}

/// No such route.
pub(super) struct NotFound(pub(super) String);

impl ApiError {
    pub(super) fn too_large() -> Self {
        Self {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            id: "api.context.request_body_too_large.app_error",
            message: "Request body too large.".to_owned(),
            detailed: String::new(),
            wait: None,
        }
    }

    /// An answer that can't be written as JSON.
    pub(super) fn unwritable(error: &json::Error) -> Self {
        Self::internal(error)
    }

    fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a REST v4 request failed");
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            id: "api.context.internal.app_error",
            message: "The server could not do this; its log has the reason.".to_owned(),
            detailed: String::new(),
            wait: None,
        }
    }

    /// Writes the body of an error's answer.
    pub(super) fn fill(&self, response: &mut Response, request_id: &str) {
        let body = Shape {
            id: self.id,
            message: &self.message,
            detailed_error: &self.detailed,
            request_id,
            status_code: self.status.as_u16(),
        };
        if let Ok(body) = serde_json::to_vec(&body) {
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *response.body_mut() = Body::from(body);
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(no: Refusal) -> Self {
        let status = match no.kind {
            RefusalKind::Invalid => StatusCode::BAD_REQUEST,
            RefusalKind::Unauthorized => StatusCode::UNAUTHORIZED,
            RefusalKind::Forbidden => StatusCode::FORBIDDEN,
            RefusalKind::NotFound => StatusCode::NOT_FOUND,
            RefusalKind::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        };
        let wait = match no.kind {
            RefusalKind::TooMany(wait) => Some(wait),
            _ => None,
        };
        Self { status, id: no.id, message: no.message, detailed: no.detailed, wait }
    }
}

/// A failure of ours: the log has the reason, the answer does not.
impl From<platform::Error> for ApiError {
    fn from(error: platform::Error) -> Self {
        Self::internal(&error)
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(no) => no.into(),
            Error::Failed(error) => error.into(),
        }
    }
}

impl From<NotFound> for ApiError {
    fn from(NotFound(path): NotFound) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            id: "api.context.404.app_error",
            message: "Sorry, we could not find the page.".to_owned(),
            detailed: format!("There doesn't appear to be an api call for the url='{path}'."),
            wait: None,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(wait) = self.wait {
            response.headers_mut().insert(header::RETRY_AFTER, wait.seconds().into());
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for NotFound {
    fn into_response(self) -> Response {
        ApiError::from(self).into_response()
    }
}
