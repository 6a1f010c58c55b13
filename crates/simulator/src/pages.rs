//! What goes out: the pages, under a policy that allows no script at all, and JSON.

use askama::Template;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, PRAGMA, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use url::Url;

use crate::behaviour::Switch;
use crate::request::Back;

/// Asks for name and password.
#[derive(Template)]
#[template(path = "sign-in.html")]
pub(crate) struct SignInPage {
    pub(crate) client_id: String,
    pub(crate) request: String,
    pub(crate) csrf: String,
    /// The name that was tried in vain.
    pub(crate) tried: Option<String>,
}

/// Asks for consent.
#[derive(Template)]
#[template(path = "consent.html")]
pub(crate) struct ConsentPage {
    pub(crate) client_id: String,
    pub(crate) request: String,
    pub(crate) csrf: String,
    pub(crate) account: String,
    pub(crate) email: String,
    pub(crate) scopes: Vec<ScopeLine>,
    /// Host that the person will be sent to.
    pub(crate) place: String,
    pub(crate) offline: bool,
}

/// One scope on the consent page.
pub(crate) struct ScopeLine {
    pub(crate) name: String,
    /// Absent for a name that the simulator does not know.
    pub(crate) described: Option<&'static str>,
}

/// Asks for a device's code and who it is that approves.
#[derive(Template)]
#[template(path = "device.html")]
pub(crate) struct DevicePage {
    pub(crate) user_code: String,
    pub(crate) problem: Option<&'static str>,
    /// What was decided, once it was.
    pub(crate) done: Option<&'static str>,
}

/// Says what went wrong.
#[derive(Template)]
#[template(path = "problem.html")]
pub(crate) struct ProblemPage {
    pub(crate) text: String,
}

/// Loads the callback as an image, and then as the next page.
#[derive(Template)]
#[template(path = "twice.html")]
struct TwicePage<'a> {
    callback: &'a str,
}

/// The way back that delivers the callback twice.
pub(crate) fn twice(callback: &Url, back: &Back) -> Response {
    let source = back.csp_source();
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src {source}; frame-ancestors 'none'; base-uri 'none'"
    );
    let mut response = page(StatusCode::OK, &TwicePage { callback: callback.as_str() }, None);
    let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response
}

/// Every switch, each with a form.
#[derive(Template)]
#[template(path = "quirks.html")]
pub(crate) struct QuirksPage {
    pub(crate) control: String,
    pub(crate) switches: Vec<SwitchLine>,
    /// Why nothing was changed.
    pub(crate) problem: Option<String>,
}

/// One switch on the page.
pub(crate) struct SwitchLine {
    pub(crate) switch: &'static Switch,
    /// Its position, if it is not off.
    pub(crate) now: Option<String>,
}

/// A page that may send its forms to us and, after a redirect of ours, to `form_target`.
pub(crate) fn page(status: StatusCode, template: &impl Template, form_target: Option<&str>) -> Response {
    let html = match template.render() {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let target = form_target.map(|target| format!(" {target}")).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'self'; form-action 'self'{target}; frame-ancestors 'none'; base-uri 'none'"
    );
    let mut response = reply(status, "text/html; charset=utf-8", html);
    let headers = response.headers_mut();
    // A target is an origin or a scheme out of a parsed URL: always a header value.
    let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    response
}

/// JSON that nobody may keep (RFC 6749 §5.1).
pub(crate) fn json_reply(status: StatusCode, body: &serde_json::Value) -> Response {
    let mut response = reply(status, "application/json", body.to_string());
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// The same as a form: text as it is, everything else as JSON.
pub(crate) fn form_reply(
    status: StatusCode,
    members: &serde_json::Map<String, serde_json::Value>,
) -> Response {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in members {
        match value.as_str() {
            Some(text) => form.append_pair(name, text),
            None => form.append_pair(name, &value.to_string()),
        };
    }
    let mut response = reply(status, "application/x-www-form-urlencoded; charset=utf-8", form.finish());
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// `GET /simulator.css`.
pub(crate) async fn style() -> Response {
    reply(StatusCode::OK, "text/css; charset=utf-8", include_str!("../templates/simulator.css").to_owned())
}

pub(crate) fn reply(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let headers: [(HeaderName, &str); 3] =
        [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-store"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (status, headers, Body::from(body)).into_response()
}
