//! The clients that are registered here.

use std::collections::BTreeMap;

use subtle::ConstantTimeEq as _;

/// Registered clients by client id. All are confidential: each has a secret.
#[derive(Default)]
pub(crate) struct Clients(BTreeMap<String, Client>);

struct Client {
    secret: String,
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
        self.0.insert(client_id, Client { secret, redirect_uris });
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
        let client = self.0.get(client_id);
        client.is_some_and(|client| client.secret.as_bytes().ct_eq(secret.as_bytes()).into())
    }
}
