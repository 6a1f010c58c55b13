//! The proof that a call comes from the server which holds the App's secret (section 7.2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde::Serialize;
use tessera_types::{JwtSecret, json};

use super::Error;

/// The header as Go's library writes it: its order is part of the wire, and not what ours would write.
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
/// Seconds that a token is good for.
const LIFE: i64 = 15 * 60;

#[derive(Serialize)]
struct Claims<'a> {
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    acting_user_id: Option<&'a str>,
}

/// The value of the header `Mattermost-App-Authorization`, kept out of logs.
pub(super) fn bearer(
    secret: &JwtSecret,
    acting_user: Option<&str>,
    now_ms: i64,
) -> Result<HeaderValue, Error> {
    let acting_user_id = acting_user.filter(|id| !id.is_empty());
    let claims = Claims { exp: now_ms.div_euclid(1_000) + LIFE, acting_user_id };
    let claims = json::to_vec(&claims).map_err(Error::Encode)?;
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(claims));
    let key = EncodingKey::from_secret(secret.expose().as_bytes());
    let signature = crypto::sign(signed.as_bytes(), &key, Algorithm::HS256).map_err(|_| Error::Sign)?;
    let mut value = HeaderValue::try_from(format!("Bearer {signed}.{signature}")).map_err(|_| Error::Sign)?;
    value.set_sensitive(true);
    Ok(value)
}
