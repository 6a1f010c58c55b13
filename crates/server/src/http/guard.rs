//! What every request passes: an id, a known host, no foreign origin, headers that protect, one line in the log.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use futures_util::FutureExt as _;
use tokio::time::Instant;
use url::Url;

use super::House;
use super::errors::WireError;
use super::unread;
use crate::env::Drawn;
use crate::platform::FROM_MATTERMOST;
use crate::trail::{self, Parent, Trail};

/// A request, as those who handle it are told of it.
#[derive(Debug, Clone)]
pub(super) struct Begun {
    /// Its id, in its log lines, its audit entries, its answer's `X-Request-ID` and what Apps are told.
    pub(super) id: Arc<str>,
    /// Since when its time runs.
    pub(super) at: Instant,
}

/// Where no guard stands before: in tests of single routes.
impl Default for Begun {
    fn default() -> Self {
        Self { id: Arc::default(), at: Instant::now() }
    }
}

pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

pub(super) async fn guard(State(house): State<House>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let settings = &house.settings;
    let trusted = settings.development || settings.trust_request_id;
    let trail = trail_of(request.headers(), trusted, house.ids.draw(), settings.trace_ratio);
    let id = Arc::clone(trail.request());
    request.extensions_mut().insert(Begun { id: Arc::clone(&id), at: began });
    let mut response = trail::follow(trail, pass(&house, request, next, began)).await;
    if response.status() == StatusCode::UNAUTHORIZED {
        // Whoever answers it, an error, a page or REST v4: RFC 9110 section 15.5.2, RFC 6750 section 3.
        let challenge = HeaderValue::from_static("Bearer");
        response.headers_mut().entry(header::WWW_AUTHENTICATE).or_insert(challenge);
    }
    protect(response.headers_mut(), &id);
    response
}

async fn pass(house: &House, request: Request, next: Next, began: Instant) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = request.method().clone();
    let (request, unread) = unread::lend(request);
    let response = match refuse(house, &request) {
        Some(refusal) => {
            drop(request);
            refusal
        }
        None => AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(|_| panicked()),
    };
    unread.drain().await;
    let (status, took) = (response.status(), began.elapsed());
    // The matched path only: an address may carry codes and states (OS-51).
    let route = route.as_ref().map(MatchedPath::as_str);
    house.passages.count(route, &method, status, took);
    tell(route.unwrap_or("none"), &method, status, took);
    response
}

/// One line for each request: for what went wrong on our side always, for the rest when asked for.
fn tell(route: &str, method: &Method, status: StatusCode, took: Duration) {
    let (status, ms) = (status.as_u16(), took.as_secs_f64() * 1e3);
    // A method is whatever the client wrote: quoted, and no longer than ours are.
    match status {
        500.. => tracing::warn!(target: REQUESTS, method = ?shown(method), route, status, ms, "answered"),
        _ => tracing::debug!(target: REQUESTS, method = ?shown(method), route, status, ms, "answered"),
    }
}

/// The lines about requests can be asked for by this name, without all others.
const REQUESTS: &str = "tessera_server::requests";

fn shown(method: &Method) -> &str {
    method.as_str().get(..LONGEST_METHOD).unwrap_or(method.as_str())
}

const LONGEST_METHOD: usize = 8;

/// The request's id is ours, unless who asks is trusted to choose it. A trace is continued, whoever began it; a
/// stranger may name one, and may not make us record it.
fn trail_of(headers: &HeaderMap, trusted: bool, drawn: Drawn, ratio: f64) -> Trail {
    let text = |name: &HeaderName| {
        let mut values = headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none())?.to_str().ok()
    };
    let given = if trusted { text(&X_REQUEST_ID).and_then(trail::plain) } else { None };
    let by_chance = drawn.is_among(ratio);
    let parent = text(&TRACEPARENT).and_then(Parent::parse);
    let parent =
        parent.map(|parent| Parent { sampled: if trusted { parent.sampled } else { by_chance }, ..parent });
    Trail::begin(drawn, given, parent, by_chance)
}

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What a panic says may hold anything: it goes nowhere, and the log says where it was (OS-59).
fn panicked() -> Response {
    let text = "Panicked while handling the request. Please check the server logs for more details.";
    WireError::new(StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
}

/// No cache keeps an answer that does not say for itself how long it is good.
pub(super) fn forbid_keeping(headers: &mut HeaderMap) {
    if !headers.contains_key(header::EXPIRES) {
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
}

fn protect(headers: &mut HeaderMap, id: &str) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    forbid_keeping(headers);
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(X_REQUEST_ID, id);
    }
}

/// In development the names of this machine and the site's own are served; a page of another origin is not
/// (decisions.md section 3, 4).
fn refuse(house: &House, request: &Request) -> Option<Response> {
    if is_from_mattermost(request) {
        let text = "Mattermost's own requests are taken at addresses of their own: forbidden";
        return Some(WireError::new(StatusCode::FORBIDDEN, text).into_response());
    }
    if !house.settings.development {
        return None;
    }
    let site = &house.settings.site_url;
    let headers = request.headers();
    // An address with a host in the request line counts more than the header (RFC 9112 section 3.2.2).
    let named = request.uri().authority().map(Authority::as_str);
    let host = named.or_else(|| headers.get(header::HOST)?.to_str().ok()).unwrap_or_default();
    if !is_known_host(site, host) {
        let text = format!("the host {host:?} is not served in development: open {site} instead");
        return Some(WireError::new(StatusCode::FORBIDDEN, text).into_response());
    }
    if let Some(origin) = headers.get(header::ORIGIN)
        && !origin.to_str().is_ok_and(|origin| is_known_origin(site, origin))
    {
        let text = "a page of another origin may not send requests here: forbidden";
        return Some(WireError::new(StatusCode::FORBIDDEN, text).into_response());
    }
    let browses = request.method() == Method::GET
        && !headers.contains_key(header::AUTHORIZATION)
        && super::pages::wants_page(headers);
    if browses && host != authority(site) {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let to = format!("{}{path}", site.origin().ascii_serialization());
        return Some(Redirect::to(&to).into_response());
    }
    None
}

/// Whether a Mattermost sends this by itself, elsewhere than where it may. It brings the session of whoever clicked along to
/// every address of its own site (C.6), so whoever writes such an address would act as them.
fn is_from_mattermost(request: &Request) -> bool {
    let agent = request.headers().get(header::USER_AGENT).map(HeaderValue::as_bytes).unwrap_or_default();
    agent.starts_with(b"Mattermost-Bot/") && !request.uri().path().contains(FROM_MATTERMOST)
}

fn authority(site: &Url) -> String {
    let host = site.host_str().unwrap_or_default();
    site.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn is_known_host(site: &Url, host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]") || host == authority(site)
}

fn is_known_origin(site: &Url, origin: &str) -> bool {
    let Ok(origin) = Url::parse(origin) else { return false };
    if origin.origin() == site.origin() {
        return true;
    }
    let loopback = matches!(origin.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    loopback && origin.port_or_known_default() == site.port_or_known_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::{Env, Ids};

    #[test]
    fn os_56_a_stranger_chooses_no_id_and_makes_nothing_recorded() {
        let ids = Ids::new(&Env::system()).unwrap();
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let mut headers = HeaderMap::new();
        headers.insert(X_REQUEST_ID, HeaderValue::from_static("mine"));
        for (flag, ratio, trusted, id, sampled) in [
            ("01", 0.0, true, Some("mine"), true),
            ("00", 1.0, true, Some("mine"), false),
            ("01", 0.0, false, None, false),
            ("00", 1.0, false, None, true),
        ] {
            let parent = format!("00-{trace}-b7ad6b7169203331-{flag}");
            headers.insert(TRACEPARENT, HeaderValue::from_str(&parent).unwrap());
            let trail = trail_of(&headers, trusted, ids.draw(), ratio);
            assert_eq!((trail.trace().to_string().as_str(), trail.sampled()), (trace, sampled), "{parent}");
            match id {
                Some(id) => assert_eq!(&**trail.request(), id),
                None => assert_eq!(trail.request().len(), 26),
            }
        }
        // Of two ids neither is the request's.
        headers.append(X_REQUEST_ID, HeaderValue::from_static("another"));
        assert_eq!(trail_of(&headers, true, ids.draw(), 0.0).request().len(), 26);
    }
}
