//! The description of all routes for programs, as it lies in `docs/openapi.json`.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

const DOCUMENT: &str = include_str!("../../../../docs/openapi.json");

/// For anyone: it says nothing that the source does not.
pub(super) async fn document() -> Response {
    // Another version of this program may answer at the same address a minute later.
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, DOCUMENT).into_response()
}
