//! The endpoints that a client speaks to from its own server: token and revocation.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};

use crate::client_auth::{authenticate, signed};
use crate::error::TokenError;
use crate::fault::{self, Way};
use crate::grants::{Fresh, Issued};
use crate::params::Params;
use crate::positions::RevokeAnswer;
use crate::reply::{granted, refused};
use crate::scope::Scope;
use crate::simulator::{Provider, Simulator};
use crate::terms::Terms;

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
    let (now, issuer) = (simulator.now(), simulator.issuer(&headers));
    let done = form(&headers, &body).and_then(|params| {
        let mut provider = simulator.lock();
        let client_id = who(&headers, &params, &mut provider, &issuer, now)?;
        provider.grants.revoke(&client_id, required(&params, "token")?, answer.is_some())
    });
    match done {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => error.into_response(),
    }
}

async fn answer(simulator: &Simulator, headers: &HeaderMap, body: &[u8], door: Door) -> Response {
    let moved = (door != Door::Moved).then(|| format!("{}/token/moved", simulator.issuer(headers)));
    let shown = simulator.shown();
    {
        let mut provider = simulator.lock();
        provider.counts.token_requests += 1;
        if let Some(response) = fault::instead(&mut provider.behaviour, shown, moved.as_deref()) {
            return response;
        }
    }
    let exchanged = exchange(simulator, headers, body, door);
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
) -> Result<(Issued, Terms), TokenError> {
    let mut fresh = Fresh {
        access: simulator.secret("access-"),
        refresh: simulator.secret("refresh-"),
        bot: (simulator.secret("access-"), simulator.secret("refresh-")),
    };
    let (now, shown, issuer) = (simulator.now(), simulator.shown(), simulator.issuer(headers));
    let mut provider = simulator.lock();
    let provider = &mut *provider;
    let params = if provider.behaviour.json_body_only { json(headers, body) } else { form(headers, body) }?;
    let length = usize::try_from(*provider.behaviour.long_token.value()).unwrap_or_default();
    for token in [&mut fresh.access, &mut fresh.bot.0] {
        token.extend(std::iter::repeat_n('x', length.saturating_sub(token.len())));
    }
    let terms = Terms::of(&provider.behaviour, now);
    let client_id = who(headers, &params, provider, &issuer, now)?;
    let apart = provider.behaviour.separate_refresh_url;
    let mut issued = match required(&params, "grant_type")? {
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
        "client_credentials" if door != Door::Refresh => {
            let scope = params.get("scope")?.map_or(Some(Scope::none()), Scope::parse);
            let scope = scope.ok_or(TokenError::InvalidScope("the scope is malformed"))?;
            provider.grants.give(client_id.clone(), None, scope, terms, fresh)
        }
        "urn:ietf:params:oauth:grant-type:device_code" if door != Door::Refresh => {
            let (account, scope) =
                provider.devices.ask(&client_id, required(&params, "device_code")?, now)?;
            provider.grants.give(client_id.clone(), Some(account), scope, terms, fresh)
        }
        _ => return Err(TokenError::UnsupportedGrantType),
    };
    let account = provider.people.account(&issued.account);
    issued.id_token = provider.keys.id_token(&issued, account, &client_id, &issuer, shown, terms.life);
    if let Some(id_token) = &issued.id_token {
        provider.grants.note(id_token);
    }
    provider.behaviour.long_token.take();
    Ok((issued, terms))
}

/// The id of the client that sent this request, by what it signed or by its secret.
pub(crate) fn who(
    headers: &HeaderMap,
    params: &Params,
    provider: &mut Provider,
    issuer: &str,
    now: i64,
) -> Result<String, TokenError> {
    let token_endpoint = format!("{issuer}/token");
    let audiences = [issuer, &token_endpoint];
    match signed(headers, params, &provider.clients, &mut provider.seen, &audiences, now)? {
        Some(client_id) => Ok(client_id),
        None => authenticate(headers, params, &provider.clients, provider.behaviour.secret_place),
    }
}

pub(crate) fn form(headers: &HeaderMap, body: &[u8]) -> Result<Params, TokenError> {
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
