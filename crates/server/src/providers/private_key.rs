//! A client's private key: PKCS#8 in PEM, or a JWK (RFC 7517).
//!
//! Read by the cryptography that TLS has, because the library that signs our other JWTs knows neither a private JWK nor
//! PKCS#8 of RSA. What randomness a signature takes, that of ECDSA and of RSA's blinding, is that library's own.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING as P256, EcdsaKeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding,
    RsaKeyPair,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;
use tessera_types::ClientSecret;
use zeroize::Zeroizing;

use super::Error;

/// A key that signs. `Debug` shows its algorithm and its id alone.
pub struct PrivateKey {
    pair: Pair,
    key_id: Option<String>,
}

enum Pair {
    Rsa { pair: RsaKeyPair, encoding: &'static dyn RsaEncoding, algorithm: &'static str },
    Ec(EcdsaKeyPair),
}

/// A JWK with its private members (RFC 7518 sections 6.2.2 and 6.3.2).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    x: Option<ClientSecret>,
    y: Option<ClientSecret>,
    n: Option<ClientSecret>,
    e: Option<ClientSecret>,
    d: Option<ClientSecret>,
    p: Option<ClientSecret>,
    q: Option<ClientSecret>,
    dp: Option<ClientSecret>,
    dq: Option<ClientSecret>,
    qi: Option<ClientSecret>,
}

impl PrivateKey {
    /// Reads what is kept as a client's secret: a PEM of `PRIVATE KEY`, RSA from 2048 bits or P-256; or such a key as a
    /// JWK, whose `kid` is then sent, and whose `alg` may be `RS256`, `PS256` or `ES256`. RSA signs with RS256 otherwise.
    ///
    /// # Errors
    /// When it is none; in words for the administrator who pasted it, and with nothing of it.
    pub fn read(secret: &ClientSecret) -> Result<Self, Error> {
        let text = secret.expose().trim();
        match text.starts_with('{') {
            true => Self::of_jwk(text),
            false => Self::of_pem(text),
        }
    }

    fn of_pem(text: &str) -> Result<Self, Error> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes()).map_err(|_| {
            wrong("is neither a JWK nor a PEM that begins with -----BEGIN PRIVATE KEY-----; `openssl pkcs8 -topk8 -nocrypt` makes one of others")
        })?;
        let der = Zeroizing::new(der);
        let der = der.secret_pkcs8_der();
        if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&P256, der, &SystemRandom::new()) {
            return Ok(Self { pair: Pair::Ec(pair), key_id: None });
        }
        let pair = RsaKeyPair::from_pkcs8(der).map_err(|why| {
            wrong(&format!("is neither an RSA key from 2048 bits nor one of P-256 ({why})"))
        })?;
        Ok(Self { pair: rsa(pair, None)?, key_id: None })
    }

    fn of_jwk(text: &str) -> Result<Self, Error> {
        // What serde says may quote what it read.
        let jwk: Jwk = serde_json::from_str(text).map_err(|_| wrong("begins like a JWK and is none"))?;
        let pair = match (jwk.kty.as_str(), jwk.crv.as_deref(), jwk.alg.as_deref()) {
            ("EC", Some("P-256"), None | Some("ES256")) => {
                let (x, y) = (member("x", &jwk.x)?, member("y", &jwk.y)?);
                let point = [&[4][..], &x, &y].concat();
                let d = member("d", &jwk.d)?;
                let pair =
                    EcdsaKeyPair::from_private_key_and_public_key(&P256, &d, &point, &SystemRandom::new());
                Pair::Ec(pair.map_err(|why| wrong(&format!("is no key of P-256 ({why})")))?)
            }
            ("RSA", _, alg) => {
                let parts = KeyPairComponents {
                    public_key: PublicKeyComponents { n: member("n", &jwk.n)?, e: member("e", &jwk.e)? },
                    d: member("d", &jwk.d)?,
                    p: member("p", &jwk.p)?,
                    q: member("q", &jwk.q)?,
                    dP: member("dp", &jwk.dp)?,
                    dQ: member("dq", &jwk.dq)?,
                    qInv: member("qi", &jwk.qi)?,
                };
                let pair = RsaKeyPair::from_components(&parts)
                    .map_err(|why| wrong(&format!("is no RSA key from 2048 bits ({why})")))?;
                rsa(pair, alg)?
            }
            _ => return Err(wrong("is a JWK, but neither of RSA nor of P-256 with RS256, PS256 or ES256")),
        };
        Ok(Self { pair, key_id: jwk.kid.filter(|kid| !kid.is_empty()) })
    }

    /// The `alg` of what it signs.
    pub fn algorithm(&self) -> &'static str {
        match &self.pair {
            Pair::Rsa { algorithm, .. } => algorithm,
            Pair::Ec(_) => "ES256",
        }
    }

    /// The `kid` that it says itself.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// A signature as a JWS has it (RFC 7518 section 3).
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let (random, failed) = (SystemRandom::new(), |_| Error::Unwritten("token"));
        match &self.pair {
            Pair::Rsa { pair, encoding, .. } => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
            Pair::Ec(pair) => Ok(pair.sign(&random, message).map_err(failed)?.as_ref().to_vec()),
        }
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrivateKey")
            .field("algorithm", &self.algorithm())
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

fn rsa(pair: RsaKeyPair, alg: Option<&str>) -> Result<Pair, Error> {
    let (encoding, algorithm): (&'static dyn RsaEncoding, _) = match alg {
        None | Some("RS256") => (&RSA_PKCS1_SHA256, "RS256"),
        Some("PS256") => (&RSA_PSS_SHA256, "PS256"),
        Some(_) => return Err(wrong("is a JWK of RSA whose `alg` is neither RS256 nor PS256")),
    };
    Ok(Pair::Rsa { pair, encoding, algorithm })
}

fn member(name: &str, value: &Option<ClientSecret>) -> Result<Zeroizing<Vec<u8>>, Error> {
    let value = value.as_ref().ok_or_else(|| wrong(&format!("is a JWK without its member `{name}`")))?;
    let bytes = URL_SAFE_NO_PAD.decode(value.expose().trim_end_matches('='));
    bytes.map(Zeroizing::new).map_err(|_| wrong(&format!("is a JWK whose `{name}` is no base64url")))
}

fn wrong(what: &str) -> Error {
    Error::Field("client_secret".to_owned(), format!("the client's private key {what}"))
}
