//! Pages as responses, and errors as pages for those who look at them.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{Html, IntoResponse as _, Response};

use super::errors::WireError;
use super::{House, caller::Caller};
use crate::web::{Failed, Page};

/// Whether a person looks at the answer: a browser says so, a program does not.
pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text(header::ACCEPT).contains("text/html")
        || text(HeaderName::from_static("sec-fetch-mode")) == "navigate"
}

/// A page with all that protects it (OS-16).
pub(super) fn respond(page: Page) -> Response {
    let mut response = Html(page.html).into_response();
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&page.policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin-allow-popups"));
    response
}

/// An error for whoever asked: a page for a person, the wire's text for a program.
pub(super) fn fail(house: &House, headers: &HeaderMap, caller: &Caller, error: WireError) -> Response {
    if !wants_page(headers) {
        return error.into_response();
    }
    let advice = match error.status.as_u16() {
        403 => {
            "A link like this works once, for fifteen minutes, and only in the browser and for the person who \
                asked for it. Ask the App for a new one."
        }
        429 => "Nothing is lost: what you began before goes on. Wait a little, then open the link again.",
        500 | 502 => "Tell the App's author, or your administrator, what you see here.",
        _ => "",
    };
    let site = house.settings.site_url.as_str();
    let mut response =
        respond(Failed::page(error.status.as_u16(), &error.text, advice, &caller.request, site));
    *response.status_mut() = error.status;
    if let Some(seconds) = error.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}
