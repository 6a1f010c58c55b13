//! The endpoints that a client speaks to from its own server: token and revocation.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;

use crate::behaviour::seconds;
use crate::client_auth::authenticate;
use crate::error::TokenError;
use crate::grants::{Fresh, Issued, Terms};
use crate::pages::json_reply;
use crate::params::Params;
use crate::scope::Scope;
use crate::simulator::Simulator;

/// `POST /token`.
pub(crate) async fn token(State(simulator): State<Simulator>, headers: HeaderMap, body: Bytes) -> Response {
    simulator.lock().counts.token_requests += 1;
    match exchange(&simulator, &headers, &body) {
        Ok(reply) => json_reply(StatusCode::OK, &reply),
        Err(error) => error.into_response(),
    }
}

/// `POST /revoke`.
pub(crate) async fn revoke(State(simulator): State<Simulator>, headers: HeaderMap, body: Bytes) -> Response {
    let done = form(&headers, &body).and_then(|params| {
        let mut provider = simulator.lock();
        let client_id = authenticate(&headers, &params, &provider.clients)?;
        provider.grants.revoke(&client_id, required(&params, "token")?)
    });
    match done {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => error.into_response(),
    }
}

fn exchange(
    simulator: &Simulator,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<serde_json::Value, TokenError> {
    let params = form(headers, body)?;
    let fresh = Fresh { access: simulator.secret("access-"), refresh: simulator.secret("refresh-") };
    let now = simulator.now();
    let mut provider = simulator.lock();
    let life = seconds(provider.behaviour.token_life);
    let terms = Terms { now, life, rotate: provider.behaviour.rotate_refresh_tokens };
    let client_id = authenticate(headers, &params, &provider.clients)?;
    let issued = match required(&params, "grant_type")? {
        "authorization_code" => provider.grants.redeem(
            &client_id,
            required(&params, "code")?,
            required(&params, "redirect_uri")?,
            params.get("code_verifier")?,
            terms,
            fresh,
        )?,
        "refresh_token" => {
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
    Ok(reply(issued, life))
}

/// The reply of RFC 6749 §5.1.
fn reply(issued: Issued, life: i64) -> serde_json::Value {
    let mut reply = json!({
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_in": life,
        "scope": issued.scope.to_text(),
    });
    if let Some(refresh_token) = issued.refresh_token {
        reply["refresh_token"] = refresh_token.into();
    }
    reply
}

fn form(headers: &HeaderMap, body: &[u8]) -> Result<Params, TokenError> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(TokenError::InvalidRequest("the body must be application/x-www-form-urlencoded".into()));
    }
    Ok(Params::parse(body))
}

fn required<'a>(params: &'a Params, name: &'static str) -> Result<&'a str, TokenError> {
    params.get(name)?.ok_or_else(|| TokenError::InvalidRequest(format!("{name} is missing")))
}

impl IntoResponse for TokenError {
    fn into_response(self) -> Response {
        let (status, code) = match self {
            Self::InvalidRequest(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
            Self::InvalidClient => (StatusCode::UNAUTHORIZED, "invalid_client"),
            Self::InvalidGrant(_) => (StatusCode::BAD_REQUEST, "invalid_grant"),
            Self::UnsupportedGrantType => (StatusCode::BAD_REQUEST, "unsupported_grant_type"),
            Self::InvalidScope(_) => (StatusCode::BAD_REQUEST, "invalid_scope"),
        };
        let body = json!({ "error": code, "error_description": self.to_string() });
        let mut response = json_reply(status, &body);
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"simulator\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
