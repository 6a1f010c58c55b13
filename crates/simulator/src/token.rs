//! The endpoints that a client speaks to from its own server: token and revocation.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Map, Value};

use crate::behaviour::Behaviour;
use crate::client_auth::authenticate;
use crate::error::TokenError;
use crate::fault::{self, Way};
use crate::grants::{Fresh, Issued, Kind, Terms};
use crate::pages::{form_reply, json_reply};
use crate::params::Params;
use crate::positions::RevokeAnswer;
use crate::scope::Scope;
use crate::simulator::Simulator;

/// The ways into the token endpoint.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Door {
    Token,
    /// For refreshes alone, where they have an address of their own.
    Refresh,
    /// Where redirects lead.
    Moved,
}

/// `POST /token`.
pub(crate) async fn token(State(simulator): State<Simulator>, headers: HeaderMap, body: Bytes) -> Response {
    answer(&simulator, &headers, &body, Door::Token).await
}

/// `POST /token/refresh`, with the switch for it.
pub(crate) async fn refresh(State(simulator): State<Simulator>, headers: HeaderMap, body: Bytes) -> Response {
    if !simulator.lock().behaviour.separate_refresh_url {
        return StatusCode::NOT_FOUND.into_response();
    }
    answer(&simulator, &headers, &body, Door::Refresh).await
}

/// `POST /token/moved`: what a client reaches that follows redirects.
pub(crate) async fn moved(State(simulator): State<Simulator>, headers: HeaderMap, body: Bytes) -> Response {
    answer(&simulator, &headers, &body, Door::Moved).await
}

/// `POST /revoke`.
pub(crate) async fn revoke(State(simulator): State<Simulator>, headers: HeaderMap, body: Bytes) -> Response {
    let answer = simulator.lock().behaviour.revoke_answer.take();
    match answer {
        Some(RevokeAnswer::Nothing) => return StatusCode::OK.into_response(),
        Some(RevokeAnswer::Later) => {
            return fault::with_wait(StatusCode::SERVICE_UNAVAILABLE.into_response(), "30");
        }
        Some(RevokeAnswer::AccessTokensOnly) | None => {}
    }
    let done = form(&headers, &body).and_then(|params| {
        let mut provider = simulator.lock();
        let client_id = authenticate(&headers, &params, &provider.clients, provider.behaviour.secret_place)?;
        provider.grants.revoke(&client_id, required(&params, "token")?, answer.is_some())
    });
    match done {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => error.into_response(),
    }
}

async fn answer(simulator: &Simulator, headers: &HeaderMap, body: &[u8], door: Door) -> Response {
    let moved = (door != Door::Moved).then(|| format!("{}/token/moved", simulator.issuer(headers)));
    let (now, shown) = (simulator.now(), simulator.shown());
    {
        let mut provider = simulator.lock();
        provider.counts.token_requests += 1;
        if let Some(response) = fault::instead(&mut provider.behaviour, shown, moved.as_deref()) {
            return response;
        }
    }
    let exchanged = exchange(simulator, headers, body, door, now);
    let (response, way) = {
        let mut provider = simulator.lock();
        let behaviour = &mut provider.behaviour;
        let lost = exchanged.is_ok() && behaviour.reply_lost.take();
        let way = Way { delay: behaviour.delayed_reply.take(), lost, body: behaviour.body_fault.take() };
        let response = match exchanged {
            Ok((issued, terms)) => granted(behaviour, issued, terms, shown),
            Err(error) => refused(behaviour, &error),
        };
        (response, way)
    };
    way.send(response).await
}

fn exchange(
    simulator: &Simulator,
    headers: &HeaderMap,
    body: &[u8],
    door: Door,
    now: i64,
) -> Result<(Issued, Terms), TokenError> {
    let mut fresh = Fresh {
        access: simulator.secret("access-"),
        refresh: simulator.secret("refresh-"),
        bot: (simulator.secret("access-"), simulator.secret("refresh-")),
    };
    let mut provider = simulator.lock();
    let provider = &mut *provider;
    let params = if provider.behaviour.json_body_only { json(headers, body) } else { form(headers, body) }?;
    let length = usize::try_from(*provider.behaviour.long_token.value()).unwrap_or_default();
    for token in [&mut fresh.access, &mut fresh.bot.0] {
        token.extend(std::iter::repeat_n('x', length.saturating_sub(token.len())));
    }
    let terms = Terms::of(&provider.behaviour, now);
    let client_id = authenticate(headers, &params, &provider.clients, provider.behaviour.secret_place)?;
    let apart = provider.behaviour.separate_refresh_url;
    let issued = match required(&params, "grant_type")? {
        "authorization_code" if door != Door::Refresh => provider.grants.redeem(
            &client_id,
            required(&params, "code")?,
            required(&params, "redirect_uri")?,
            params.get("code_verifier")?,
            terms,
            fresh,
        )?,
        "refresh_token" if door != Door::Token || !apart => {
            let scope = params
                .get("scope")?
                .map(|text| Scope::parse(text).ok_or(TokenError::InvalidScope("the scope is malformed")));
            let token = required(&params, "refresh_token")?;
            let issued = provider.grants.refresh(&client_id, token, scope.transpose()?, terms, fresh)?;
            provider.counts.refreshes += 1;
            issued
        }
        _ => return Err(TokenError::UnsupportedGrantType),
    };
    provider.behaviour.long_token.take();
    Ok((issued, terms))
}

/// The reply of RFC 6749 §5.1, or what the switches make of it.
fn granted(behaviour: &mut Behaviour, issued: Issued, terms: Terms, shown: i64) -> Response {
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

fn refused(behaviour: &mut Behaviour, error: &TokenError) -> Response {
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
        if let Some(refresh_token) = issued.refresh_token {
            members.insert("refresh_token".into(), refresh_token.into());
        }
        members
    }
}

fn form(headers: &HeaderMap, body: &[u8]) -> Result<Params, TokenError> {
    if !is_of(headers, "application/x-www-form-urlencoded") {
        return Err(TokenError::InvalidRequest("the body must be application/x-www-form-urlencoded".into()));
    }
    Ok(Params::parse(body))
}

fn json(headers: &HeaderMap, body: &[u8]) -> Result<Params, TokenError> {
    let params = if is_of(headers, "application/json") { Params::parse_json(body) } else { None };
    params.ok_or_else(|| TokenError::InvalidRequest("the body must be a JSON object".into()))
}

pub(crate) fn is_of(headers: &HeaderMap, kind: &str) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(kind)
}

fn required<'a>(params: &'a Params, name: &'static str) -> Result<&'a str, TokenError> {
    params.get(name)?.ok_or_else(|| TokenError::InvalidRequest(format!("{name} is missing")))
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
