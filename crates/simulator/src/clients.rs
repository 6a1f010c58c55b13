//! The clients that are registered here.

use std::collections::BTreeMap;

use subtle::ConstantTimeEq as _;

use crate::assertion::PublicKey;

/// Registered clients by client id. All are confidential: each has a secret, or a key that it signs with.
#[derive(Default)]
pub(crate) struct Clients(BTreeMap<String, Client>);

struct Client {
    /// Empty where there is a key.
    secret: String,
    key: Option<PublicKey>,
    redirect_uris: Vec<String>,
}

/// What is known of a client id and a redirect URI together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Registration {
    UnknownClient,
    UnknownRedirect,
    Registered,
}

impl Clients {
    /// Registers a client, in place of an earlier one with the same id.
    pub(crate) fn put(&mut self, client_id: String, secret: String, redirect_uris: Vec<String>) {
        self.0.insert(client_id, Client { secret, key: None, redirect_uris });
    }

    /// The same, for one that signs for itself.
    pub(crate) fn put_key(&mut self, client_id: String, key: PublicKey, redirect_uris: Vec<String>) {
        self.0.insert(client_id, Client { secret: String::new(), key: Some(key), redirect_uris });
    }

    /// Whether there is a client that signs for itself.
    pub(crate) fn any_signs(&self) -> bool {
        self.0.values().any(|client| client.key.is_some())
    }

    pub(crate) fn key(&self, client_id: &str) -> Option<&PublicKey> {
        self.0.get(client_id)?.key.as_ref()
    }

    /// Compares redirect URIs as strings, byte for byte (RFC 9700 §2.1).
    pub(crate) fn registration(&self, client_id: &str, redirect_uri: &str) -> Registration {
        match self.0.get(client_id) {
            None => Registration::UnknownClient,
            Some(client) if client.redirect_uris.iter().any(|uri| uri == redirect_uri) => {
                Registration::Registered
            }
            Some(_) => Registration::UnknownRedirect,
        }
    }

    pub(crate) fn secret(&self, client_id: &str) -> Option<&str> {
        self.0.get(client_id).map(|client| client.secret.as_str())
    }

    pub(crate) fn authenticates(&self, client_id: &str, secret: &str) -> bool {
        let client = self.0.get(client_id).filter(|client| client.key.is_none());
        client.is_some_and(|client| client.secret.as_bytes().ct_eq(secret.as_bytes()).into())
    }
}
