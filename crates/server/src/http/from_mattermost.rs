//! What a Mattermost sends by itself: slash commands (C.5), buttons that were pressed (C.6) and answers to dialogs (C.7). They have a prefix of their own, and are
//! known by a token of the command's or by our own mark on the rest, never by the session that Mattermost may bring along.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, post};
use serde_json::Value;
use tessera_types::{AccessToken, AppId, json, routes};

use super::errors::WireError;
use super::extract::{Segment, first};
use super::guard::Begun;
use super::{REQUEST_DEADLINE, body, method_not_allowed};
use crate::bridge::{Bridge, Error, Mentions, Pressed, Submitted, Typed};
use crate::platform::{ACTIONS, COMMANDS, DIALOGS};

/// The most that one may weigh.
const CAP: usize = 256 << 10;

type Over = Arc<Bridge>;
type Outcome = Result<Response, WireError>;

/// The routes.
pub fn router(bridge: Arc<Bridge>) -> Router {
    let at = |path: &str| format!("{}{path}/{{app}}", routes::PLUGIN_PATH);
    Router::new()
        .route(&at(COMMANDS), any(method_not_allowed).merge(post(command)))
        .route(&at(DIALOGS), any(method_not_allowed).merge(post(dialog)))
        .route(&at(ACTIONS), any(method_not_allowed).merge(post(action)))
        .with_state(bridge)
}

async fn command(
    State(bridge): State<Over>,
    Extension(begun): Extension<Begun>,
    Segment(app): Segment<AppId>,
    headers: HeaderMap,
    body: Body,
) -> Outcome {
    let bytes = body::read(body, CAP).await?;
    let form = std::str::from_utf8(&bytes).map_err(|_| WireError::invalid(&"a form must be UTF-8"))?;
    let said = |name: &str| first(form, name);
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = authorization.and_then(|value| value.strip_prefix("Token ")).unwrap_or_default();
    // Older ones send it in the form alone.
    let token = AccessToken::new(if token.is_empty() { said("token") } else { token.to_owned() });
    let response_url = said("response_url");
    let typed = Typed {
        user_id: said("user_id"),
        channel_id: said("channel_id"),
        team_id: said("team_id"),
        root_id: said("root_id"),
        text: said("text"),
        trigger_id: said("trigger_id"),
        people: mentions(form, "user_mentions", "user_mentions_ids"),
        places: mentions(form, "channel_mentions", "channel_mentions_ids"),
        hook: response_url.rsplit('/').next().unwrap_or_default().to_owned(),
    };
    let deadline = begun.at + REQUEST_DEADLINE;
    let answer = bridge.command(&app, &token, typed, &begun.id, deadline).await.map_err(refusal)?;
    respond(&answer.to_json())
}

async fn dialog(
    State(bridge): State<Over>,
    Extension(begun): Extension<Begun>,
    Segment(app): Segment<AppId>,
    body: Body,
) -> Outcome {
    let bytes = body::read(body, CAP).await?;
    let submitted: Submitted = json::from_slice_strict(&bytes)
        .map_err(|error| WireError::invalid(&format_args!("the submission is not valid JSON: {error}")))?;
    let deadline = begun.at + REQUEST_DEADLINE;
    // On the heap: it holds contexts.
    let answer = Box::pin(bridge.dialog(&app, submitted, &begun.id, deadline)).await.map_err(refusal)?;
    respond(&answer)
}

async fn action(
    State(bridge): State<Over>,
    Extension(begun): Extension<Begun>,
    Segment(app): Segment<AppId>,
    body: Body,
) -> Outcome {
    let bytes = body::read(body, CAP).await?;
    let pressed: Pressed = json::from_slice_strict(&bytes)
        .map_err(|error| WireError::invalid(&format_args!("the action is not valid JSON: {error}")))?;
    let deadline = begun.at + REQUEST_DEADLINE;
    let answer = bridge.press(&app, pressed, &begun.id, deadline).await.map_err(refusal)?;
    respond(&answer)
}

/// Names and ids come as two lists of one length, one item a field.
fn mentions(form: &str, names: &str, ids: &str) -> Mentions {
    let all = |wanted: &str| {
        let pairs = url::form_urlencoded::parse(form.as_bytes());
        pairs.filter(|(name, _)| name == wanted).map(|(_, value)| value.into_owned()).collect::<Vec<_>>()
    };
    let (names, ids) = (all(names), all(ids));
    if names.len() == ids.len() { names.into_iter().zip(ids).collect() } else { Mentions::new() }
}

fn respond(answer: &Value) -> Outcome {
    let answer = serde_json::to_vec(answer).map_err(|error| WireError::internal(&error))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], answer).into_response())
}

pub(super) fn refusal(error: Error) -> WireError {
    match error {
        Error::NotOurs | Error::Stale => WireError::new(StatusCode::UNAUTHORIZED, error.to_string()),
        Error::Apps(error) => error.into(),
        Error::Platform(error) => error.into(),
        Error::Waiting(error) => WireError::internal(&error),
    }
}
