//! id_tokens (OpenID Connect Core §2), and the keys that they are signed with.
//!
//! The signature is Ed25519's (RFC 8037): its keys are 32 random bytes of [`Random`](crate::Random), and signing draws no
//! more of them.

use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::grants::{Issued, Kind};
use crate::pages::json_reply;
use crate::people::Account;
use crate::resource;
use crate::simulator::Simulator;

/// How many keys are published: the one that signs, and the one before.
const PUBLISHED: usize = 2;

/// The keys, the newest last.
#[derive(Default)]
pub(crate) struct Keys {
    keys: Vec<Ed25519KeyPair>,
    /// How many there were before those.
    forgotten: usize,
}

impl Keys {
    /// Signs with a new key from now on. 32 bytes are always a key.
    pub(crate) fn renew(&mut self, seed: &[u8; 32]) {
        self.keys.extend(Ed25519KeyPair::from_seed_unchecked(seed));
        if self.keys.len() > PUBLISHED {
            self.keys.remove(0);
            self.forgotten += 1;
        }
    }

    fn named(&self) -> impl DoubleEndedIterator<Item = (String, &Ed25519KeyPair)> {
        self.keys.iter().enumerate().map(|(index, key)| (format!("key-{}", self.forgotten + index + 1), key))
    }

    /// The set as it is published (RFC 7517 §5).
    fn published(&self) -> Value {
        let jwk = |(kid, key): (String, &Ed25519KeyPair)| {
            let x = URL_SAFE_NO_PAD.encode(key.public_key().as_ref());
            json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": x })
        };
        json!({ "keys": self.named().map(jwk).collect::<Vec<_>>() })
    }

    fn sign(&self, claims: &Value) -> Option<String> {
        let (kid, key) = self.named().next_back()?;
        let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": kid });
        let signed = [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
        let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
        Some(format!("{signed}.{signature}"))
    }

    /// What goes along with these tokens: nothing, unless `openid` was granted, and not for a bot.
    pub(crate) fn id_token(
        &self,
        issued: &Issued,
        account: Option<&Account>,
        client_id: &str,
        issuer: &str,
        shown: i64,
        life: i64,
    ) -> Option<String> {
        let account = account.filter(|_| issued.scope.has("openid") && issued.kind != Kind::Bot)?;
        let mut claims = resource::claims(account, &issued.scope);
        claims["iss"] = issuer.into();
        claims["aud"] = client_id.into();
        claims["iat"] = shown.into();
        claims["exp"] = shown.saturating_add(life).into();
        if let Some(nonce) = &issued.nonce {
            claims["nonce"] = nonce.as_str().into();
        }
        self.sign(&claims)
    }
}

/// `GET /jwks`.
pub(crate) async fn jwks(State(simulator): State<Simulator>) -> Response {
    let set = simulator.lock().keys.published();
    json_reply(StatusCode::OK, &set)
}
