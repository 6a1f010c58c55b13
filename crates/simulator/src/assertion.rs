//! Clients that sign for themselves: `private_key_jwt` (RFC 7523 §3).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::Value;

/// The kind of assertion that is known here.
pub(crate) const KIND: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The longest life that is taken, in seconds.
const LONGEST: i64 = 300;

/// A client's public key.
pub(crate) enum PublicKey {
    Rsa(PublicKeyComponents<Vec<u8>>),
    P256(Vec<u8>),
}

/// The ids of assertions that were seen, and when they end.
#[derive(Default)]
pub(crate) struct Seen(BTreeMap<(String, String), i64>);

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    jti: String,
    exp: i64,
    iat: Option<i64>,
}

impl PublicKey {
    /// Of a JWK: RSA, or P-256. None for another.
    pub(crate) fn of_jwk(jwk: &Value) -> Option<Self> {
        let member = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str()?).ok();
        match (jwk["kty"].as_str(), jwk["crv"].as_str()) {
            (Some("RSA"), _) => Some(Self::Rsa(PublicKeyComponents { n: member("n")?, e: member("e")? })),
            (Some("EC"), Some("P-256")) => Some(Self::P256([vec![4], member("x")?, member("y")?].concat())),
            _ => None,
        }
    }

    fn signed(&self, alg: &str, message: &[u8], signature: &[u8]) -> bool {
        match (self, alg) {
            (Self::Rsa(key), "RS256") => key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok(),
            (Self::Rsa(key), "PS256") => key.verify(&RSA_PSS_2048_8192_SHA256, message, signature).is_ok(),
            (Self::P256(point), "ES256") => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
            _ => false,
        }
    }
}

/// Whose assertion it is, before anything of it is believed.
pub(crate) fn claimed(assertion: &str) -> Option<String> {
    Some(parts(assertion)?.1.sub)
}

impl Seen {
    /// Whether this is a good assertion of this client, for one of these audiences, and not seen before.
    pub(crate) fn accepts(
        &mut self,
        assertion: &str,
        client_id: &str,
        key: &PublicKey,
        audiences: &[&str],
        now: i64,
    ) -> bool {
        let Some((header, claims)) = parts(assertion) else { return false };
        let Some((signed, signature)) = assertion.rsplit_once('.') else { return false };
        let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
        let fits = key.signed(&header.alg, signed.as_bytes(), &signature)
            && claims.iss == client_id
            && claims.sub == client_id
            && audiences.contains(&claims.aud.as_str())
            && claims.exp > now
            && claims.exp <= now.saturating_add(LONGEST)
            && claims.iat.is_none_or(|iat| iat <= now);
        self.0.retain(|_, end| *end > now);
        fits && self.0.insert((client_id.to_owned(), claims.jti), claims.exp).is_none()
    }
}

fn parts(assertion: &str) -> Option<(Header, Claims)> {
    let mut parts = assertion.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let header = serde_json::from_slice(&parts.next()??).ok()?;
    let claims = serde_json::from_slice(&parts.next()??).ok()?;
    Some((header, claims))
}
