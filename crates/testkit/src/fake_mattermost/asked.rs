//! A request taken apart, and refusals as Mattermost writes them.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A request, as it was remembered.
#[derive(Debug, Clone)]
pub struct Logged {
    /// The method.
    pub method: String,
    /// The path, without its query.
    pub path: String,
    /// The headers, names in lower case.
    pub headers: HashMap<String, String>,
    /// The body, as text.
    pub body: String,
}

pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: HashMap<String, String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Asked {
    pub(super) fn new(method: Method, uri: &Uri, headers: HeaderMap, body: Bytes) -> Self {
        let query = pairs(uri.query().unwrap_or_default().as_bytes());
        Self { method, path: uri.path().to_owned(), query, headers, body }
    }

    pub(super) fn logged(&self) -> Logged {
        let headers = self.headers.iter().map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        Logged {
            method: self.method.as_str().to_owned(),
            path: self.path.clone(),
            headers: headers.collect(),
            body: String::from_utf8_lossy(&self.body).into_owned(),
        }
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(super) fn json(&self) -> Result<Value, Refusal> {
        serde_json::from_slice(&self.body)
            .map_err(|_| Refusal::bad("api.context.invalid_body_param.app_error"))
    }

    pub(super) fn form(&self) -> HashMap<String, String> {
        pairs(&self.body)
    }

    /// The value of a cookie.
    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        let pairs = self.header("cookie").split("; ");
        pairs
            .filter_map(|pair| pair.split_once('='))
            .find(|(given, _)| *given == name)
            .map(|(_, value)| value)
    }
}

fn pairs(text: &[u8]) -> HashMap<String, String> {
    url::form_urlencoded::parse(text).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// An error, with the id that Mattermost has for it.
pub(super) struct Refusal {
    status: StatusCode,
    id: &'static str,
    message: &'static str,
}

impl Refusal {
    pub(super) fn new(status: u16, id: &'static str, message: &'static str) -> Self {
        Self { status: StatusCode::from_u16(status).unwrap(), id, message }
    }

    pub(super) fn bad(id: &'static str) -> Self {
        Self::new(400, id, "Invalid or missing parameter.")
    }

    pub(super) fn expired() -> Self {
        Self::new(
            401,
            "api.context.session_expired.app_error",
            "Invalid or expired session, please login again.",
        )
    }

    pub(super) fn forbidden() -> Self {
        Self::new(403, "api.context.permissions.app_error", "You do not have the appropriate permissions.")
    }

    pub(super) fn missing() -> Self {
        Self::new(404, "api.context.404.app_error", "Sorry, we could not find the page.")
    }

    /// A feature that a setting turned off.
    pub(super) fn off(id: &'static str) -> Self {
        Self::new(501, id, "The system admin has turned this off.")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({
            "id": self.id, "message": self.message, "detailed_error": "", "request_id": "fake",
            "status_code": self.status.as_u16(),
        });
        (self.status, Json(body)).into_response()
    }
}

/// A value as an answer.
pub(super) struct Json<T>(pub(super) T);

impl<T: serde::Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.0).unwrap();
        ([(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}
