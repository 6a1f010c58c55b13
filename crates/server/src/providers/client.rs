//! Who asks, and the proof key of a flow.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth2::PkceCodeVerifier;
use sha2::{Digest as _, Sha256};
use tessera_types::{AccessToken, ClientSecret};

use crate::env::{Env, RngError};

/// Who asks, as the provider knows it.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its secret; empty for a public client. With `private_key_jwt` its private key: see
    /// [`PrivateKey::read`](super::PrivateKey::read).
    pub secret: &'a ClientSecret,
    /// The `kid` that the provider knows its key by; None for the one that the key says itself, if it does.
    pub key_id: Option<&'a str>,
}

impl<'a> Client<'a> {
    /// A client, without a `kid` for its key.
    pub fn new(id: &'a str, secret: &'a ClientSecret) -> Self {
        Self { id, secret, key_id: None }
    }
}

/// A proof key (RFC 7636): made for one flow, sealed while it waits, and dropped after use.
#[derive(Debug, Clone)]
pub struct Verifier(AccessToken);

impl Verifier {
    /// 43 characters of 32 random bytes.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn new(env: &Env) -> Result<Self, RngError> {
        Ok(Self(AccessToken::new(URL_SAFE_NO_PAD.encode(env.bytes::<32>()?))))
    }

    /// One that was kept.
    pub fn of(text: AccessToken) -> Self {
        Self(text)
    }

    /// What is kept, sealed.
    pub fn text(&self) -> &AccessToken {
        &self.0
    }

    /// The `nonce` of the same flow (OpenID Connect Core section 3.1.2.1): 43 characters that are sent in the open,
    /// and that nobody has who has not the verifier. So nothing more must be kept for it.
    pub fn nonce(&self) -> String {
        let hashed = Sha256::new().chain_update(b"nonce\0").chain_update(self.0.expose());
        URL_SAFE_NO_PAD.encode(hashed.finalize())
    }

    pub(super) fn of_library(&self) -> PkceCodeVerifier {
        PkceCodeVerifier::new(self.0.expose().to_owned())
    }
}
