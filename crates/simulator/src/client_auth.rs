//! Who a client is: HTTP Basic or the body, never both (RFC 6749 §2.3) unless the switch says otherwise; or by what it
//! signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::assertion::{self, Seen};
use crate::clients::Clients;
use crate::error::TokenError;
use crate::params::Params;
use crate::positions::SecretPlace;

/// The id of the client that sent this request, where it signed an assertion (RFC 7521 §4.2); None where it did not.
/// Such a client has no other way, and no secret beside.
pub(crate) fn signed(
    headers: &HeaderMap,
    params: &Params,
    clients: &Clients,
    seen: &mut Seen,
    audiences: &[&str],
    now: i64,
) -> Result<Option<String>, TokenError> {
    let Some(assertion) = params.get("client_assertion")? else { return Ok(None) };
    if headers.contains_key(AUTHORIZATION) || params.get("client_secret")?.is_some() {
        return Err(TokenError::InvalidRequest("the client authenticates twice".into()));
    }
    if params.get("client_assertion_type")? != Some(assertion::KIND) {
        return Err(TokenError::InvalidRequest("client_assertion_type is missing or unknown".into()));
    }
    let id = assertion::claimed(assertion).ok_or(TokenError::InvalidClient)?;
    if params.get("client_id")?.is_some_and(|other| other != id) {
        return Err(TokenError::InvalidRequest("client_id differs from the assertion's subject".into()));
    }
    let key = clients.key(&id).ok_or(TokenError::InvalidClient)?;
    match seen.accepts(assertion, &id, key, audiences, now) {
        true => Ok(Some(id)),
        false => Err(TokenError::InvalidClient),
    }
}

/// The id of the client that sent this request, once its secret was found right.
pub(crate) fn authenticate(
    headers: &HeaderMap,
    params: &Params,
    clients: &Clients,
    place: SecretPlace,
) -> Result<String, TokenError> {
    let body_id = params.get("client_id")?;
    let body_secret = params.get("client_secret")?;
    let (id, secret) = match headers.get(AUTHORIZATION) {
        Some(_) if place == SecretPlace::Body => return Err(TokenError::InvalidClient),
        Some(_) if body_secret.is_some() && place != SecretPlace::Any => {
            return Err(TokenError::InvalidRequest(
                "the client authenticates twice: in the Authorization header and in the body".into(),
            ));
        }
        Some(header) => {
            let (id, secret) = basic(header.as_bytes()).ok_or(TokenError::InvalidClient)?;
            if body_id.is_some_and(|other| other != id) {
                return Err(TokenError::InvalidRequest(
                    "client_id differs between Authorization header and body".into(),
                ));
            }
            (id, secret)
        }
        None if place == SecretPlace::Basic => return Err(TokenError::InvalidClient),
        None => match (body_id, body_secret) {
            (Some(id), Some(secret)) => (id.to_owned(), secret.to_owned()),
            _ => return Err(TokenError::InvalidClient),
        },
    };
    if clients.authenticates(&id, &secret) { Ok(id) } else { Err(TokenError::InvalidClient) }
}

/// Id and secret out of `Basic …`. Both are form-encoded before they are joined (RFC 6749 §2.3.1).
fn basic(header: &[u8]) -> Option<(String, String)> {
    let (scheme, encoded) = std::str::from_utf8(header).ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let joined = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = joined.split_once(':')?;
    Some((form_decoded(id), form_decoded(secret)))
}

fn form_decoded(text: &str) -> String {
    // Separators that a careless client left bare are meant as themselves.
    let value = text.replace('&', "%26").replace('=', "%3D");
    let mut pairs = url::form_urlencoded::parse(value.as_bytes());
    pairs.next().map(|(key, _)| key.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_is_form_decoded_after_base64() {
        let header = format!("bAsIc {}", STANDARD.encode("an%3Aid:p+%26%3D%25s&="));
        assert_eq!(basic(header.as_bytes()), Some(("an:id".into(), "p &=%s&=".into())));
    }

    #[test]
    fn what_is_not_basic_is_nobody() {
        for header in ["Bearer abc", "Basic", "Basic !!!", "Basic bm9jb2xvbg=="] {
            assert_eq!(basic(header.as_bytes()), None, "{header}");
        }
    }
}
