//! The development console's files, and the rendering of Markdown for it.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use tessera_types::json;

use super::House;
use super::admin::json_response;
use super::body;
use super::caller::Caller;
use super::errors::WireError;
use super::extract::Segment;
use crate::web::{console, markdown};

/// The longest text that is rendered, in bytes: Mattermost's longest post in the longest characters.
const LONGEST: usize = 64 * 1024;

/// A file of the console.
pub(super) async fn file(Segment(name): Segment<String>) -> Result<Response, WireError> {
    let (kind, text) =
        console::file(&name).ok_or_else(|| WireError::new(StatusCode::NOT_FOUND, "404 page not found"))?;
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    // Another version of this program may answer at the same address a minute later.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

/// A text to be rendered.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Given {
    text: String,
}

#[derive(Serialize)]
struct Rendered {
    html: String,
}

/// Markdown as safe HTML, for people.
pub(super) async fn markdown(
    State(_): State<House>,
    caller: Caller,
    body: Body,
) -> Result<Response, WireError> {
    caller.user()?;
    let bytes = body::read(body, LONGEST).await?;
    let given: Given = json::from_slice_stream(&bytes).map_err(|error| WireError::invalid(&error))?;
    json_response(&Rendered { html: markdown::render(&given.text) })
}
