//! The keys that a provider signs id_tokens with (RFC 7517, RFC 7518).

use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::Error;
use super::metadata::get;
use crate::egress::Egress;

/// The most keys of a set that are looked at.
const MOST: usize = 64;

/// The algorithms that are believed (RFC 7518 section 3.1): signatures alone. `none` proves nothing, and of an HMAC the
/// key would be no secret of the provider's.
const ALLOWED: [(&str, Algorithm, Kind); 9] = [
    ("RS256", Algorithm::RS256, Kind::Rsa),
    ("RS384", Algorithm::RS384, Kind::Rsa),
    ("RS512", Algorithm::RS512, Kind::Rsa),
    ("PS256", Algorithm::PS256, Kind::Rsa),
    ("PS384", Algorithm::PS384, Kind::Rsa),
    ("PS512", Algorithm::PS512, Kind::Rsa),
    ("ES256", Algorithm::ES256, Kind::P256),
    ("ES384", Algorithm::ES384, Kind::P384),
    ("EdDSA", Algorithm::EdDSA, Kind::Ed25519),
];

/// What kind of key an algorithm takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    P384,
    Ed25519,
}

/// A set of public keys.
#[derive(Clone, Default)]
pub struct KeySet(Vec<Key>);

#[derive(Clone)]
struct Key {
    id: Option<String>,
    /// The one algorithm that it is for, if it says so.
    algorithm: Option<String>,
    kind: Kind,
    key: DecodingKey,
}

/// What is read of a JWK.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    kid: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// What a signature is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signature {
    /// One of a key of the set.
    Good,
    /// None of the key that it names.
    Bad,
    /// Of a key that the set has not.
    UnknownKey,
    /// By an algorithm that is not believed.
    BadAlgorithm,
}

impl KeySet {
    /// Reads a set. Keys that are not for signatures, or of a kind that is not known here, are left out (RFC 7517
    /// section 5).
    ///
    /// # Errors
    /// When it is no set, or has no key that could be used: then a set that was there before is the better one.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let wrong = |what: String| Error::Field("jwks_url".to_owned(), what);
        let set: Value =
            serde_json::from_slice(bytes).map_err(|error| wrong(format!("has no JSON: {error}")))?;
        let listed =
            set.get("keys").and_then(Value::as_array).ok_or_else(|| wrong("has no `keys`".into()))?;
        let keys: Vec<Key> = listed.iter().take(MOST).filter_map(Key::read).collect();
        match keys.is_empty() {
            true => Err(wrong("has no key that id_tokens could be verified with".into())),
            false => Ok(Self(keys)),
        }
    }

    /// Asks for a set.
    ///
    /// # Errors
    /// When there is none that could be used; in words for who configures the provider.
    pub async fn fetch(egress: &Egress, url: &Url) -> Result<Self, Error> {
        let wrong = |what: String| Error::Field("jwks_url".to_owned(), what);
        let reply = get(egress, url).await.map_err(|error| wrong(error.to_string()))?;
        match reply.status.is_success() {
            true => Self::read(&reply.body),
            false => Err(wrong(format!("{url} answered {}", reply.status.as_u16()))),
        }
    }

    /// What this signature of `signed` is. A token that names its key is measured by that one; one that names none by
    /// each that its algorithm could be of.
    pub(super) fn judge(&self, alg: &str, kid: Option<&str>, signed: &str, signature: &str) -> Signature {
        let Some((_, algorithm, kind)) = ALLOWED.iter().find(|(name, ..)| *name == alg) else {
            return Signature::BadAlgorithm;
        };
        // The kind is compared first: the same bytes must never be read as a key of another kind.
        let fits = |key: &&Key| {
            key.kind == *kind
                && key.algorithm.as_deref().is_none_or(|only| only == alg)
                && kid.is_none_or(|kid| key.id.as_deref() == Some(kid))
        };
        let mut fitting = self.0.iter().filter(fits).peekable();
        if fitting.peek().is_none() {
            return Signature::UnknownKey;
        }
        let good = |key: &Key| {
            crypto::verify(signature, signed.as_bytes(), &key.key, *algorithm).is_ok_and(|good| good)
        };
        if fitting.any(good) { Signature::Good } else { Signature::Bad }
    }
}

impl Key {
    /// None for what cannot be used.
    fn read(value: &Value) -> Option<Self> {
        let jwk = Jwk::deserialize(value).ok()?;
        if jwk.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let (kind, key) = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => (Kind::Rsa, DecodingKey::from_rsa_components(jwk.n.as_ref()?, jwk.e.as_ref()?)),
            ("EC", Some("P-256")) => {
                (Kind::P256, DecodingKey::from_ec_components(jwk.x.as_ref()?, jwk.y.as_ref()?))
            }
            ("EC", Some("P-384")) => {
                (Kind::P384, DecodingKey::from_ec_components(jwk.x.as_ref()?, jwk.y.as_ref()?))
            }
            ("OKP", Some("Ed25519")) => (Kind::Ed25519, DecodingKey::from_ed_components(jwk.x.as_ref()?)),
            _ => return None,
        };
        Some(Self { id: jwk.kid, algorithm: jwk.alg, kind, key: key.ok()? })
    }
}

impl std::fmt::Debug for KeySet {
    /// The keys' ids.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.id)).finish()
    }
}
