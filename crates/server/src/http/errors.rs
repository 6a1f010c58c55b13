//! The one table from errors to statuses (apps-framework.md section 12, decisions.md section 1).
//!
//! A 5xx carries its inner text only where the wire pins an App's own words; otherwise the log has it.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tessera_types::error::Kind;

use crate::connect::{self, Standing};
use crate::rate::Wait;
use crate::{apps, calls, grants, lifecycle, platform};

/// An error as the wire has it: a status, and a text that ends in one newline.
#[derive(Debug)]
pub(super) struct WireError {
    pub(super) status: StatusCode,
    pub(super) text: String,
    /// `Retry-After`, of 429 and 503.
    pub(super) wait: Option<Wait>,
}

impl WireError {
    pub(super) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), wait: None }
    }

    /// 429: what was too much, and when to come back (OS-55).
    pub(super) fn later(error: &dyn std::error::Error, wait: Wait) -> Self {
        Self { wait: Some(wait), ..Self::new(StatusCode::TOO_MANY_REQUESTS, error.to_string()) }
    }

    /// The header of [`WireError::later`].
    pub(super) fn retry_after(&self) -> Option<HeaderValue> {
        self.wait.map(|wait| HeaderValue::from(wait.seconds()))
    }

    /// `<text>: unauthorized`.
    pub(super) fn unauthorized(text: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, format!("{text}: unauthorized"))
    }

    /// `<text>: invalid input`.
    pub(super) fn invalid(text: &impl std::fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, format!("{text}: invalid input"))
    }

    /// Ours: the text is for the log alone.
    pub(super) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal error: see the server's log for this request's id",
        )
    }

    fn of_kind(kind: Kind, error: &dyn std::error::Error) -> Self {
        let status = match kind {
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::Unauthorized => StatusCode::UNAUTHORIZED,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Invalid => StatusCode::BAD_REQUEST,
            Kind::AlreadyExists => StatusCode::INTERNAL_SERVER_ERROR,
            Kind::Other => return Self::internal(error),
        };
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for WireError {
    fn into_response(self) -> Response {
        let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
        let retry_after = self.retry_after();
        let mut response = (self.status, headers, format!("{}\n", self.text)).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

impl From<apps::Error> for WireError {
    fn from(error: apps::Error) -> Self {
        Self::of_kind(error.kind(), &error)
    }
}

impl From<grants::Error> for WireError {
    fn from(error: grants::Error) -> Self {
        match error {
            grants::Error::TooFast { wait, .. } => Self::later(&error, wait),
            grants::Error::ManagedStore(_) => Self::new(StatusCode::CONFLICT, error.to_string()),
            grants::Error::TooShort { .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, format!("{error}: ask for less"))
            }
            // An administrator must look, and whoever asks can do nothing but wait.
            grants::Error::NoClient(_) | grants::Error::ClientRefused { .. } => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
            }
            grants::Error::Exchange { .. } => Self::new(StatusCode::BAD_GATEWAY, error.to_string()),
            grants::Error::Unavailable { wait, .. } => {
                Self { wait: Some(wait), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()) }
            }
            _ => Self::of_kind(error.kind(), &error),
        }
    }
}

impl From<calls::TooFast> for WireError {
    fn from(error: calls::TooFast) -> Self {
        Self::later(&error, error.wait)
    }
}

impl From<platform::Error> for WireError {
    fn from(error: platform::Error) -> Self {
        match error {
            platform::Error::Busy(wait) => {
                Self { wait: Some(wait), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()) }
            }
            // What it says is for the log: it may name addresses inside.
            platform::Error::Unreachable(_)
            | platform::Error::ServiceToken
            | platform::Error::Site { .. } => {
                tracing::error!(%error, "Mattermost did not answer as it should");
                let text =
                    "Mattermost does not answer as it should: see the server's log for this request's id";
                Self::new(StatusCode::BAD_GATEWAY, text)
            }
            platform::Error::Grants(error) => Self::from(*error),
            _ => Self::internal(&error),
        }
    }
}

impl From<crate::env::RngError> for WireError {
    fn from(error: crate::env::RngError) -> Self {
        Self::internal(&error)
    }
}

impl From<lifecycle::Error> for WireError {
    fn from(error: lifecycle::Error) -> Self {
        match error.kind() {
            Kind::Other if error.is_pinned() => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
            }
            kind => Self::of_kind(kind, &error),
        }
    }
}

impl From<connect::Error> for WireError {
    fn from(error: connect::Error) -> Self {
        match error.standing() {
            Standing::Kind(kind) => Self::of_kind(kind, &error),
            Standing::Invalid => Self::new(StatusCode::BAD_REQUEST, error.to_string()),
            Standing::App => Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            Standing::BadGateway => Self::new(StatusCode::BAD_GATEWAY, error.to_string()),
            Standing::Later(wait) => Self::later(&error, wait),
            Standing::Internal => Self::internal(&error),
        }
    }
}
