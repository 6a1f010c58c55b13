//! R25: an App's static assets, on the site's own origin (apps-framework.md section 2.16).
//!
//! What an App serves is a stranger's: it may be looked at, but never run as a page of the site.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use tessera_types::AppId;

use super::House;
use super::caller::Caller;
use super::errors::WireError;
use super::extract::Segment;

/// An HTML or SVG file gets an origin of its own, no script and nothing to load.
const NOTHING_RUNS: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'");

/// R25. The name may have several segments (B-12).
pub(super) async fn get_static(
    State(house): State<House>,
    caller: Caller,
    Segment((app, name)): Segment<(AppId, String)>,
) -> Result<Response, WireError> {
    caller.user()?;
    let asset = house.lifecycle.static_asset(&app, &name, caller.deadline).await?;
    let kind = match asset.content_type {
        Some(named) if !named.is_empty() => named,
        _ => HeaderValue::from_static(sniff(&asset.body)),
    };
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, NOTHING_RUNS)];
    Ok((asset.status, headers, asset.body).into_response())
}

/// What an asset without a type looks like: a picture, text, or just bytes. Never HTML, which would be a guess in the
/// App's favour (B-11).
fn sniff(bytes: &[u8]) -> &'static str {
    match bytes {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => "image/gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        _ if std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0')) => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
