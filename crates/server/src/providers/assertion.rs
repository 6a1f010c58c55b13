//! `private_key_jwt`: a client says who it is with an assertion that its private key signed (RFC 7523 section 3; OS-20).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use tessera_types::AccessToken;

use super::Error;
use super::client::Client;
use super::private_key::PrivateKey;
use crate::env::Env;

/// Seconds that an assertion is good for: it is sent as soon as it is made.
const LIFE: i64 = 60;

#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    typ: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    jti: &'a str,
    iat: i64,
    exp: i64,
}

/// An assertion for one request: its `jti` is 128 random bits, so a provider may refuse to see it twice. It opens what
/// the client may open, so its type is a secret's.
///
/// # Errors
/// When the client's secret is no key that can sign, or there is no randomness.
pub(super) fn assertion(env: &Env, client: Client<'_>, audience: &str) -> Result<AccessToken, Error> {
    let key = PrivateKey::read(client.secret)?;
    let jti = URL_SAFE_NO_PAD.encode(env.bytes::<16>().map_err(|_| Error::NoRandomness)?);
    let iat = env.now_ms().div_euclid(1_000);
    let kid = client.key_id.or(key.key_id());
    let header = Header { alg: key.algorithm(), typ: "JWT", kid };
    let claims = Claims {
        iss: client.id,
        sub: client.id,
        aud: audience,
        jti: &jti,
        iat,
        exp: iat.saturating_add(LIFE),
    };
    let signed = format!("{}.{}", part(&header)?, part(&claims)?);
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes())?);
    Ok(AccessToken::new(format!("{signed}.{signature}")))
}

fn part(value: &impl Serialize) -> Result<String, Error> {
    let text = serde_json::to_vec(value).map_err(|_| Error::Unwritten("token"))?;
    Ok(URL_SAFE_NO_PAD.encode(text))
}
