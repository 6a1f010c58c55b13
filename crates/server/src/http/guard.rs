//! What every request passes: an id, a known host, no foreign origin, headers that protect, one line in the log.

use std::panic::AssertUnwindSafe;

use axum::extract::{MatchedPath, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use futures_util::FutureExt as _;
use tracing::Instrument as _;
use url::Url;

use super::House;
use super::errors::WireError;
use super::unread;

/// The id of a request, in its log lines, its audit entries and its answer's `X-Request-ID`.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub(super) String);

pub(super) async fn guard(State(house): State<House>, mut request: Request, next: Next) -> Response {
    let id = house.ids.next();
    request.extensions_mut().insert(RequestId(id.clone()));
    let span = tracing::debug_span!("request", id = %id, method = %request.method());
    let mut response = async {
        let route = request.extensions().get::<MatchedPath>().cloned();
        let (request, unread) = unread::lend(request);
        let response = match refuse(&house, &request) {
            Some(refusal) => {
                drop(request);
                refusal
            }
            None => AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(|_| panicked()),
        };
        unread.drain().await;
        // The matched path only: an address may carry codes and states (OS-51).
        let (route, status) =
            (route.as_ref().map_or("none", MatchedPath::as_str), response.status().as_u16());
        tracing::debug!(route, status);
        house.ready.count(route, status);
        response
    }
    .instrument(span)
    .await;
    protect(response.headers_mut(), &id);
    response
}

/// What a panic says may hold anything: it goes nowhere, and the log says where it was (OS-59).
fn panicked() -> Response {
    let text = "Panicked while handling the request. Please check the server logs for more details.";
    WireError::new(StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
}

fn protect(headers: &mut HeaderMap, id: &str) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert("x-request-id", id);
    }
}

/// In development the names of this machine and the site's own are served; a page of another origin is not
/// (decisions.md section 3, 4).
fn refuse(house: &House, request: &Request) -> Option<Response> {
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
