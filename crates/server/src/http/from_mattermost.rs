//! What a Mattermost sends by itself: slash commands (C.5). It has a prefix of its own, and is known by its token alone.

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tessera_types::{AccessToken, AppId};

use super::errors::WireError;
use super::extract::{Segment, first};
use super::guard::Begun;
use super::{House, REQUEST_DEADLINE, body};
use crate::bridge::{Error, Typed};

/// The most that a command may weigh.
const CAP: usize = 256 << 10;

pub(super) async fn command(
    State(house): State<House>,
    Extension(begun): Extension<Begun>,
    Segment(app): Segment<AppId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, WireError> {
    let bytes = body::read(body, CAP).await?;
    let form = std::str::from_utf8(&bytes).map_err(|_| WireError::invalid(&"a form must be UTF-8"))?;
    let said = |name: &str| first(form, name);
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = authorization.and_then(|value| value.strip_prefix("Token ")).unwrap_or_default();
    // Older ones send it in the form alone.
    let token = if token.is_empty() { said("token") } else { token.to_owned() };
    let response_url = said("response_url");
    let typed = Typed {
        user_id: said("user_id"),
        channel_id: said("channel_id"),
        team_id: said("team_id"),
        root_id: said("root_id"),
        text: said("text"),
        hook: response_url.rsplit('/').next().unwrap_or_default().to_owned(),
    };
    let deadline = begun.at + REQUEST_DEADLINE;
    let token = AccessToken::new(token);
    let answer = house.bridge.command(&app, &token, typed, &begun.id, deadline).await.map_err(refusal)?;
    let answer = serde_json::to_vec(&answer.to_json()).map_err(|error| WireError::internal(&error))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], answer).into_response())
}

fn refusal(error: Error) -> WireError {
    match error {
        Error::NotOurs => WireError::new(StatusCode::UNAUTHORIZED, error.to_string()),
        Error::Apps(error) => error.into(),
        Error::Platform(error) => error.into(),
    }
}
