//! R25: an App's static files, through the site (apps-framework.md section 2.16).

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tessera_types::{AppId, path};

use super::House;
use super::admin::by;
use super::caller::Caller;
use super::errors::WireError;
use super::extract::Segment;

/// An App's file comes from the site's own origin: whatever it is, it must not act as the site.
const HARMLESS: HeaderValue =
    HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox");
/// For a while, as icons are drawn again and again.
const FOR_A_WHILE: HeaderValue = HeaderValue::from_static("private, max-age=300");

/// The App's status and body as they are.
pub(super) async fn asset(
    State(house): State<House>,
    caller: Caller,
    Segment((app, name)): Segment<(AppId, String)>,
) -> Result<Response, WireError> {
    let name = path::clean_static(&name)
        .map_err(|error| WireError::new(StatusCode::BAD_REQUEST, error.to_string()))?;
    caller.user()?;
    let asset = house.lifecycle.asset(&app, &name, &by(&caller)).await?;
    let named = asset.content_type.filter(|kind| !kind.is_empty());
    let kind = named.unwrap_or_else(|| sniff(&asset.body));
    let mut response = (asset.status, Body::from(asset.body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CONTENT_SECURITY_POLICY, HARMLESS);
    if asset.status == StatusCode::OK {
        headers.insert(header::CACHE_CONTROL, FOR_A_WHILE);
    }
    Ok(response)
}

/// The kinds of pictures that icons are; a browser may guess no more than we do.
fn sniff(body: &[u8]) -> HeaderValue {
    HeaderValue::from_static(match body {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        _ => "application/octet-stream",
    })
}
