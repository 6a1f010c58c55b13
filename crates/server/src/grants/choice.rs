//! What an administrator chooses from, and how a choice is written down: the same by REST and at the local socket.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use tessera_types::{ClientSecret, json};

use super::ProviderRecord;

/// A provider that there is to choose.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Preset {
    /// Its name.
    pub name: String,
    /// Its name for people.
    pub display_name: String,
    /// Whether its descriptor was tried against the provider's own documents; if not, it is the community's.
    pub verified: bool,
    /// What people are asked for where a record does not say.
    pub scopes: Vec<String>,
    /// What is to be filled in.
    pub values: Vec<Blank>,
}

/// A place in a provider's addresses that an administrator fills in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Blank {
    /// By what name.
    pub name: String,
    /// What belongs there, in words for who fills it in.
    pub about: String,
    /// What stands there otherwise; without one it must be filled in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// What there is to choose from, where that is all that fits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
}

/// An App's client at its provider. What is empty stays as it is.
#[derive(Debug)]
pub struct NewClient {
    /// RFC 6749 section 2.2.
    pub id: String,
    /// RFC 6749 section 2.3.1; with `private_key_jwt` the private key.
    pub secret: ClientSecret,
}

/// A choice as it is written: a record, and with it the App's client at the provider. Without one the client stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Written {
    preset: String,
    descriptor: String,
    values: BTreeMap<String, String>,
    scopes: Vec<String>,
    key_id: String,
    bot_scopes: Vec<String>,
    client_id: String,
    client_secret: ClientSecret,
}

/// What [`Written`] has.
const MEMBERS: [&str; 8] =
    ["preset", "descriptor", "values", "scopes", "key_id", "bot_scopes", "client_id", "client_secret"];

impl Written {
    /// Reads one. A member that is not known is refused: `scope` in place of `scopes` would ask people for something else
    /// than was meant.
    ///
    /// # Errors
    /// In words for who wrote it, with the member's name.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let wrong = |error: json::Error| format!("the provider record is not valid: {error}");
        let members: BTreeMap<String, IgnoredAny> = json::from_slice_strict(bytes).map_err(wrong)?;
        let known = |name: &String| MEMBERS.iter().any(|known| known.eq_ignore_ascii_case(name));
        match members.keys().find(|name| !known(name)) {
            Some(name) => Err(format!(
                "the provider record is not valid: unknown member {name:?}, expected one of {}",
                MEMBERS.join(", ")
            )),
            None => json::from_slice_strict(bytes).map_err(wrong),
        }
    }

    /// The record and the client, which are kept apart.
    pub fn parts(self) -> (ProviderRecord, Option<NewClient>) {
        let Self { preset, descriptor, values, scopes, key_id, bot_scopes, client_id, client_secret } = self;
        let record = ProviderRecord { preset, descriptor, values, scopes, key_id, bot_scopes };
        let some = !client_id.is_empty() || !client_secret.is_empty();
        (record, some.then_some(NewClient { id: client_id, secret: client_secret }))
    }
}
