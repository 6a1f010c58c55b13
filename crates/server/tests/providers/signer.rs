//! Whoever signs tokens: a provider, or somebody who plays one.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair as _, RsaKeyPair,
};
use serde_json::{Value, json};
use tessera_types::AccessToken;

pub(crate) const RSA: &str = include_str!("keys/rsa.pem");
pub(crate) const ANOTHER_RSA: &str = include_str!("keys/another-rsa.pem");
pub(crate) const P256: &str = include_str!("keys/p256.pem");
pub(crate) const P384: &str = include_str!("keys/p384.pem");

pub(crate) struct Signer {
    pub(crate) alg: &'static str,
    pub(crate) kid: Option<String>,
    algorithm: Algorithm,
    key: EncodingKey,
    /// The public key, without `kid`.
    pub(crate) public: Value,
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn decoded(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn der(pem: &str) -> Vec<u8> {
    let inner: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(inner).unwrap()
}

impl Signer {
    /// One of the algorithms RS… and PS….
    pub(crate) fn rsa(pem: &str, alg: &'static str) -> Self {
        let pkcs8 = der(pem);
        let pair = RsaKeyPair::from_pkcs8(&pkcs8).unwrap();
        let parts = PublicKeyComponents::<Vec<u8>>::from(pair.public());
        let public = json!({ "kty": "RSA", "n": base64url(&parts.n), "e": base64url(&parts.e) });
        // What the library wants is inside, behind 26 bytes of PKCS#8.
        Self::new(alg, EncodingKey::from_rsa_der(&pkcs8[26..]), public)
    }

    pub(crate) fn p256(pem: &str) -> Self {
        Self::ec("ES256", "P-256", &ECDSA_P256_SHA256_FIXED_SIGNING, pem)
    }

    pub(crate) fn p384(pem: &str) -> Self {
        Self::ec("ES384", "P-384", &ECDSA_P384_SHA384_FIXED_SIGNING, pem)
    }

    fn ec(alg: &'static str, crv: &str, curve: &'static EcdsaSigningAlgorithm, pem: &str) -> Self {
        let pkcs8 = der(pem);
        let pair = EcdsaKeyPair::from_pkcs8(curve, &pkcs8, &SystemRandom::new()).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(pair.public_key().as_ref().len() / 2);
        let public = json!({ "kty": "EC", "crv": crv, "x": base64url(x), "y": base64url(y) });
        Self::new(alg, EncodingKey::from_ec_der(&pkcs8), public)
    }

    pub(crate) fn ed25519() -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
        let public = json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(pair.public_key().as_ref()) });
        Self::new("EdDSA", EncodingKey::from_ed_der(pkcs8.as_ref()), public)
    }

    /// With a text for the key: what a forger does who has the public key alone.
    pub(crate) fn hmac(secret: &[u8]) -> Self {
        Self::new("HS256", EncodingKey::from_secret(secret), Value::Null)
    }

    fn new(alg: &'static str, key: EncodingKey, public: Value) -> Self {
        Self { alg, kid: Some(format!("key-{alg}")), algorithm: alg.parse().unwrap(), key, public }
    }

    pub(crate) fn named(mut self, kid: Option<&str>) -> Self {
        self.kid = kid.map(str::to_owned);
        self
    }

    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = self.public.clone();
        if let Some(kid) = &self.kid {
            jwk["kid"] = json!(kid);
        }
        jwk
    }

    pub(crate) fn sign(&self, claims: &Value) -> AccessToken {
        let mut header = json!({ "alg": self.alg, "typ": "JWT" });
        if let Some(kid) = &self.kid {
            header["kid"] = json!(kid);
        }
        self.sign_under(&header, claims)
    }

    /// Claims as text, for what no value can be.
    pub(crate) fn sign_text(&self, claims: &str) -> AccessToken {
        let header = json!({ "alg": self.alg, "kid": self.kid });
        self.sign_parts(&header.to_string(), claims)
    }

    /// With a header of one's own.
    pub(crate) fn sign_under(&self, header: &Value, claims: &Value) -> AccessToken {
        self.sign_parts(&header.to_string(), &claims.to_string())
    }

    fn sign_parts(&self, header: &str, claims: &str) -> AccessToken {
        let signed = [header, claims].map(|part| base64url(part.as_bytes())).join(".");
        let signature = crypto::sign(signed.as_bytes(), &self.key, self.algorithm).unwrap();
        AccessToken::new(format!("{signed}.{signature}"))
    }
}

/// The set that these are in.
pub(crate) fn jwks<'a>(signers: impl IntoIterator<Item = &'a Signer>) -> Value {
    json!({ "keys": signers.into_iter().map(Signer::jwk).collect::<Vec<_>>() })
}
