//! The protected resources: who the person is, and a calendar list in Google's shape (RFC 6750).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::error::ResourceError;
use crate::pages::json_reply;
use crate::people::Account;
use crate::scope::{Opens, Scope};
use crate::simulator::Simulator;

/// `GET /calendar/v3/users/me/calendarList`.
pub(crate) async fn calendar_list(State(simulator): State<Simulator>, headers: HeaderMap) -> Response {
    give(&simulator, &headers, |account, scope| {
        scope
            .opens(Opens::Calendar)
            .then(|| calendars(account))
            .ok_or(ResourceError::InsufficientScope("calendar"))
    })
}

/// `GET /userinfo`: the claims that the scope opens, beside `sub`.
pub(crate) async fn userinfo(State(simulator): State<Simulator>, headers: HeaderMap) -> Response {
    give(&simulator, &headers, |account, scope| {
        let opened = scope.opens(Opens::Profile) || scope.opens(Opens::Email) || scope.has("openid");
        opened.then(|| claims(account, scope)).ok_or(ResourceError::InsufficientScope("profile"))
    })
}

/// What a scope opens of an account, beside `sub`.
pub(crate) fn claims(account: &Account, scope: &Scope) -> Value {
    let mut claims = json!({ "sub": account.name });
    if scope.opens(Opens::Profile) {
        claims["name"] = account.name.as_str().into();
    }
    if scope.opens(Opens::Email) {
        claims["email"] = account.email.as_str().into();
        claims["email_verified"] = true.into();
    }
    claims
}

fn give(
    simulator: &Simulator,
    headers: &HeaderMap,
    read: impl FnOnce(&Account, &Scope) -> Result<Value, ResourceError>,
) -> Response {
    let now = simulator.now();
    let mut provider = simulator.lock();
    let given = bearer_token(headers).and_then(|token| {
        let (name, scope) = provider.grants.bearer(token, now).ok_or(ResourceError::InvalidToken)?;
        read(provider.people.account(name).ok_or(ResourceError::InvalidToken)?, scope)
    });
    match given {
        Ok(body) => {
            provider.counts.resource_reads += 1;
            json_reply(StatusCode::OK, &body)
        }
        Err(error) => error.into_response(),
    }
}

fn bearer_token(headers: &HeaderMap) -> Result<&str, ResourceError> {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, token) = header.and_then(|value| value.split_once(' ')).ok_or(ResourceError::NoToken)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(ResourceError::NoToken) }
}

/// Every account has a primary calendar, called by its address as at Google, and one of its own interest.
fn calendars(account: &Account) -> Value {
    let interest = match account.name.as_str() {
        "ada" => "Analytical Engine".to_owned(),
        "grace" => "Compilers".to_owned(),
        other => format!("Projects of {other}"),
    };
    json!({
        "kind": "calendar#calendarList",
        "items": [
            { "id": account.email, "summary": account.email, "primary": true },
            { "id": format!("projects/{}", account.email), "summary": interest, "primary": false },
        ],
    })
}

impl IntoResponse for ResourceError {
    /// The body is in Google's shape, the header as RFC 6750 §3 says.
    fn into_response(self) -> Response {
        let (status, google, challenge) = match self {
            Self::NoToken => (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", String::new()),
            Self::InvalidToken => {
                let challenge = format!(", error=\"invalid_token\", error_description=\"{self}\"");
                (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", challenge)
            }
            Self::InsufficientScope(scope) => {
                let challenge = format!(", error=\"insufficient_scope\", scope=\"{scope}\"");
                (StatusCode::FORBIDDEN, "PERMISSION_DENIED", challenge)
            }
        };
        let error = json!({ "code": status.as_u16(), "message": self.to_string(), "status": google });
        let mut response = json_reply(status, &json!({ "error": error }));
        let challenge = format!("Bearer realm=\"simulator\"{challenge}");
        if let Ok(value) = HeaderValue::from_str(&challenge) {
            response.headers_mut().insert(WWW_AUTHENTICATE, value);
        }
        response
    }
}
