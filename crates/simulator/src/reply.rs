//! What the token endpoint says, written as the switches have it.

use axum::response::{IntoResponse, Response};
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value};

use crate::behaviour::Behaviour;
use crate::error::TokenError;
use crate::grants::{Issued, Kind};
use crate::pages::{form_reply, json_reply};
use crate::terms::Terms;

/// The reply of RFC 6749 §5.1, or what the switches make of it.
pub(crate) fn granted(behaviour: &mut Behaviour, issued: Issued, terms: Terms, shown: i64) -> Response {
    let shape = Shape {
        scope_array: behaviour.scope_array.take(),
        string_ttl: behaviour.string_ttl.take(),
        no_ttl: behaviour.no_ttl.take(),
        zero_ttl: behaviour.zero_ttl.take(),
        // Only a clock that is off is told: the others say how long, and not until when.
        shown: (behaviour.clock_off != 0).then_some(shown),
        life: terms.life,
    };
    let mut reply = match issued.bot {
        None => shape.members(issued),
        Some(bot) => {
            let person = issued.account.clone();
            let user = shape.members(Issued { bot: None, ..issued });
            let mut reply = shape.members(*bot);
            reply.insert("bot_user_id".into(), "bot".into());
            let mut inner = Map::from_iter([("id".to_owned(), person.into())]);
            inner.extend(user);
            reply.insert("authed_user".into(), inner.into());
            reply
        }
    };
    if let Some(member) = behaviour.nested_token.take() {
        reply = Map::from_iter([(member, reply.into())]);
    }
    written(behaviour, StatusCode::OK, reply)
}

pub(crate) fn refused(behaviour: &mut Behaviour, error: &TokenError) -> Response {
    let (mut status, code) = error.told();
    if matches!(error, TokenError::InvalidGrant(_)) && behaviour.invalid_grant_403.take() {
        status = StatusCode::FORBIDDEN;
    }
    if behaviour.error_with_200.take() {
        status = StatusCode::OK;
    }
    challenged(written(behaviour, status, error.members(code)))
}

/// As JSON, or as a form.
fn written(behaviour: &mut Behaviour, status: StatusCode, members: Map<String, Value>) -> Response {
    match behaviour.form_reply.take() {
        true => form_reply(status, &members),
        false => json_reply(status, &members.into()),
    }
}

/// How the members of a token reply are written.
struct Shape {
    scope_array: bool,
    string_ttl: bool,
    no_ttl: bool,
    zero_ttl: bool,
    shown: Option<i64>,
    life: i64,
}

impl Shape {
    fn members(&self, issued: Issued) -> Map<String, Value> {
        let token_type = match issued.kind {
            Kind::Only => "Bearer",
            Kind::Bot => "bot",
            Kind::User => "user",
        };
        let mut members = Map::new();
        members.insert("access_token".into(), issued.access_token.into());
        members.insert("token_type".into(), token_type.into());
        let life = if self.zero_ttl { 0 } else { self.life };
        if !self.no_ttl {
            let life = if self.string_ttl { life.to_string().into() } else { life.into() };
            members.insert("expires_in".into(), life);
        }
        if let Some(shown) = self.shown {
            members.insert("created_at".into(), shown.into());
            members.insert("expires_at".into(), shown.saturating_add(self.life).into());
        }
        let scope = match self.scope_array {
            true => issued.scope.names().collect::<Vec<_>>().into(),
            false => issued.scope.to_text().into(),
        };
        members.insert("scope".into(), scope);
        if let Some(id_token) = issued.id_token {
            members.insert("id_token".into(), id_token.into());
        }
        if let Some(refresh_token) = issued.refresh_token {
            members.insert("refresh_token".into(), refresh_token.into());
        }
        members
    }
}

impl TokenError {
    /// Status and code.
    fn told(&self) -> (StatusCode, &'static str) {
        match self {
            Self::InvalidRequest(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
            Self::InvalidClient => (StatusCode::UNAUTHORIZED, "invalid_client"),
            Self::InvalidGrant(_) => (StatusCode::BAD_REQUEST, "invalid_grant"),
            Self::UnsupportedGrantType => (StatusCode::BAD_REQUEST, "unsupported_grant_type"),
            Self::InvalidScope(_) => (StatusCode::BAD_REQUEST, "invalid_scope"),
            Self::Device(code) => (StatusCode::BAD_REQUEST, code),
            Self::UnsupportedTokenType => (StatusCode::BAD_REQUEST, "unsupported_token_type"),
        }
    }

    fn members(&self, code: &str) -> Map<String, Value> {
        let described = ("error_description".to_owned(), Value::from(self.to_string()));
        Map::from_iter([("error".to_owned(), Value::from(code)), described])
    }
}

impl IntoResponse for TokenError {
    fn into_response(self) -> Response {
        let (status, code) = self.told();
        challenged(json_reply(status, &self.members(code).into()))
    }
}

/// Says how to authenticate, where that is what was wrong.
fn challenged(mut response: Response) -> Response {
    if response.status() == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Basic realm=\"simulator\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}
