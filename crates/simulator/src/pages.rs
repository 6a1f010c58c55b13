//! What goes out: the pages, under a policy that allows no script at all, and JSON.

use askama::Template;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, PRAGMA, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode};

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

/// Says what went wrong.
#[derive(Template)]
#[template(path = "problem.html")]
pub(crate) struct ProblemPage {
    pub(crate) text: String,
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

/// `GET /simulator.css`.
pub(crate) async fn style() -> Response {
    reply(StatusCode::OK, "text/css; charset=utf-8", include_str!("../templates/simulator.css").to_owned())
}

fn reply(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let headers: [(HeaderName, &str); 3] =
        [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-store"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (status, headers, Body::from(body)).into_response()
}
