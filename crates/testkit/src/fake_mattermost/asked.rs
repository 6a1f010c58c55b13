//! A request taken apart, and as it is remembered.

use std::collections::HashMap;
use std::net::SocketAddr;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::refusal::Refusal;

/// A request, as it was remembered.
#[derive(Debug, Clone)]
pub struct Logged {
    /// The method.
    pub method: String,
    /// The path as it came, without its query: below the site's own path if it has one.
    pub path: String,
    /// The query, without its question mark.
    pub query: String,
    /// The headers, names in lower case.
    pub headers: HashMap<String, String>,
    /// The body, as text.
    pub body: String,
}

impl Logged {
    /// Head and body as one text, for searches.
    pub fn whole(&self) -> String {
        let headers = self.headers.iter().map(|(name, value)| format!("{name}: {value}\n"));
        format!(
            "{} {}?{}\n{}\n{}",
            self.method,
            self.path,
            self.query,
            headers.collect::<String>(),
            self.body
        )
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Where the token of a request stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carried {
    Cookie,
    Header,
    Query,
}

pub(super) struct Asked {
    pub(super) method: Method,
    /// Below the site's own path.
    pub(super) path: String,
    /// All of the address, as a redirect back must have it.
    pub(super) target: String,
    pub(super) query: HashMap<String, String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) peer: SocketAddr,
}

impl Asked {
    pub(super) fn new(
        method: Method,
        uri: &Uri,
        path: String,
        headers: HeaderMap,
        body: Bytes,
        peer: SocketAddr,
    ) -> Self {
        let query = pairs(uri.query().unwrap_or_default().as_bytes());
        let target = uri.path_and_query().map_or(path.clone(), |target| target.as_str().to_owned());
        Self { method, path, target, query, headers, body, peer }
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON; what cannot be read is named as Mattermost names it.
    pub(super) fn json(&self, what: &str) -> Result<Value, Refusal> {
        serde_json::from_slice(&self.body).map_err(|_| Refusal::bad_body(what))
    }

    pub(super) fn form(&self) -> HashMap<String, String> {
        pairs(&self.body)
    }

    pub(super) fn asks(&self, key: &str) -> String {
        self.query.get(key).cloned().unwrap_or_default()
    }

    /// The value of a cookie.
    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        let pairs = self.header("cookie").split("; ");
        pairs
            .filter_map(|pair| pair.split_once('='))
            .find(|(given, _)| *given == name)
            .map(|(_, value)| value)
    }

    /// The token, and where it stood. Below `/api` the cookie comes first, other than below `/plugins`.
    pub(super) fn token(&self) -> Option<(String, Carried)> {
        if let Some(token) = self.cookie("MMAUTHTOKEN") {
            return Some((token.to_owned(), Carried::Cookie));
        }
        let header = self.header("authorization");
        for scheme in ["bearer ", "token "] {
            if header.get(..scheme.len()).is_some_and(|given| given.eq_ignore_ascii_case(scheme)) {
                return Some((header[scheme.len()..].to_owned(), Carried::Header));
            }
        }
        self.query.get("access_token").map(|token| (token.clone(), Carried::Query))
    }

    /// Scheme and authority, as whoever asks sees them.
    pub(super) fn origin(&self) -> String {
        let scheme = if self.header("x-forwarded-proto") == "https" { "https" } else { "http" };
        format!("{scheme}://{}", self.header("host"))
    }

    /// The page of a list: its number, and how many are on one.
    pub(super) fn page<T>(&self, all: Vec<T>) -> Vec<T> {
        let number =
            |key: &str, or: usize| self.query.get(key).and_then(|text| text.parse().ok()).unwrap_or(or);
        let per_page = number("per_page", 60).min(200);
        all.into_iter().skip(number("page", 0) * per_page).take(per_page).collect()
    }
}

pub(super) fn logged(method: &Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Logged {
    let headers = headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    Logged {
        method: method.as_str().to_owned(),
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body: String::from_utf8_lossy(body).into_owned(),
    }
}

pub(super) fn pairs(text: &[u8]) -> HashMap<String, String> {
    url::form_urlencoded::parse(text).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// A text of a JSON object; empty where there is none.
pub(super) fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

/// A list of texts of a JSON value.
pub(super) fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Whether it is an id in Mattermost's form.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == 26 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether it is an address that Mattermost takes.
pub(super) fn is_http(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// What Mattermost answers where there is nothing to tell.
pub(super) fn ok() -> Response {
    Json(serde_json::json!({"status": "OK"})).into_response()
}

/// A value as an answer.
pub(super) struct Json<T>(pub(super) T);

impl<T: serde::Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.0).unwrap();
        ([(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}
