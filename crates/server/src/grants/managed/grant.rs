//! What a managed grant holds: what the App is given, what it never sees, and what people are told.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tessera_types::{AccessToken, RefreshToken, SecretBytes};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zeroize::Zeroizing;

use crate::providers::{Account, Descriptor, Expiry, Tokens};

/// What people may know of a grant: nothing secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// The provider's name in the catalogue.
    pub provider: String,
    /// Its name for people.
    pub provider_name: String,
    /// Whether its descriptor was tried against the provider's own documents.
    pub verified: bool,
    /// The account's own id there; empty where the provider does not tell.
    pub account_id: String,
    /// What people know the account by.
    pub account_name: String,
    /// Scopes that were asked for.
    pub asked: Vec<String>,
    /// Scopes that were granted.
    pub granted: Vec<String>,
    /// Whether there is a refresh token, or the client itself is enough to ask with.
    pub refreshable: bool,
    /// Whether it is the client's own, by client credentials: nobody agreed to it.
    pub own: bool,
    /// Tells one consent's grant from the next one's in the same place.
    pub grant: String,
}

/// Scopes of OpenID Connect say who somebody is and open nothing: providers often leave them out of what they granted.
const IDENTITY: [&str; 3] = ["openid", "profile", "email"];

impl About {
    /// What was asked for and not granted. `offline` is what brings a refresh token: many providers never name it.
    pub fn missing(&self, offline: Option<&str>) -> Vec<String> {
        missing(&self.asked, &self.granted, offline)
    }

    /// What it is read from.
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// What is stored.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The account, as one says it: `somebody@example.com at Google`. That a provider is unverified is said with its name,
    /// wherever that is.
    pub fn account(&self) -> String {
        account((&self.account_name, &self.account_id), (&self.provider_name, self.verified))
    }
}

/// What was asked for, was not granted, and opens something.
pub(in crate::grants) fn missing(asked: &[String], granted: &[String], offline: Option<&str>) -> Vec<String> {
    let counts = |scope: &str| !IDENTITY.contains(&scope) && Some(scope) != offline;
    asked.iter().filter(|scope| counts(scope) && !granted.contains(scope)).cloned().collect()
}

/// An account, as one says it: by its name or else its id, at a provider that is verified or not.
pub(in crate::grants) fn account((name, id): (&str, &str), (provider, verified): (&str, bool)) -> String {
    let mark = if verified { "" } else { " (unverified)" };
    match if name.is_empty() { id } else { name } {
        "" => format!("an account at {provider}{mark}"),
        name => format!("{name} at {provider}{mark}"),
    }
}

/// What the App never sees.
pub(super) struct Held {
    /// For ending the grant where there is no refresh token, and for its owner's new consent.
    pub access_token: AccessToken,
    /// None where the provider gives none.
    pub refresh_token: Option<RefreshToken>,
    /// What came beside the tokens.
    pub extra: Map<String, Value>,
}

impl Held {
    /// The tokens of a reply, and what is held already where the reply says nothing of it.
    pub(super) fn of(tokens: &Tokens, before: Option<&Self>) -> Self {
        let kept = || before.and_then(|held| held.refresh_token.clone());
        let mut extra = before.map(|held| held.extra.clone()).unwrap_or_default();
        extra.extend(tokens.extra.clone());
        Self {
            access_token: tokens.access_token.clone(),
            refresh_token: tokens.refresh_token.clone().or_else(kept),
            extra,
        }
    }

    /// What is sealed.
    pub(super) fn bytes(&self) -> Zeroizing<Vec<u8>> {
        let value = json!({
            "access_token": self.access_token.expose(),
            "refresh_token": self.refresh_token.as_ref().map(RefreshToken::expose),
            "extra": self.extra,
        });
        Zeroizing::new(value.to_string().into_bytes())
    }

    /// What was sealed.
    pub(super) fn read(bytes: &SecretBytes) -> Option<Self> {
        #[derive(Deserialize)]
        struct Sealed {
            access_token: String,
            refresh_token: Option<String>,
            #[serde(default)]
            extra: Map<String, Value>,
        }
        let Sealed { access_token, refresh_token, extra } = serde_json::from_slice(bytes.expose()).ok()?;
        Some(Self {
            access_token: AccessToken::new(access_token),
            refresh_token: refresh_token.map(RefreshToken::new),
            extra,
        })
    }
}

/// What the App is given: a token object in the shape of Go's OAuth2 library, never a refresh token
/// (decisions.md section 2). Who the account is of, and what the provider gave besides, are members that the library
/// passes over.
pub(super) fn released(tokens: &Tokens, held: &Held, about: &About) -> Zeroizing<Vec<u8>> {
    let mut record = Map::new();
    record.insert("access_token".into(), tokens.access_token.expose().into());
    record.insert("token_type".into(), tokens.token_type.clone().into());
    if let Some(expiry) = expires_at(tokens).and_then(rfc3339) {
        record.insert("expiry".into(), expiry.into());
    }
    if !about.granted.is_empty() {
        record.insert("scope".into(), about.granted.join(" ").into());
    }
    if !about.account_id.is_empty() || !about.account_name.is_empty() {
        record.insert("account".into(), json!({"id": about.account_id, "name": about.account_name}));
    }
    if !held.extra.is_empty() {
        record.insert("extra".into(), Value::Object(held.extra.clone()));
    }
    Zeroizing::new(Value::Object(record).to_string().into_bytes())
}

/// Unix ms; None where it does not end, or nobody knows.
pub(super) fn expires_at(tokens: &Tokens) -> Option<i64> {
    match tokens.expiry {
        Expiry::At(at) => Some(at),
        Expiry::Never | Expiry::Unknown => None,
    }
}

fn rfc3339(unix_ms: i64) -> Option<String> {
    // To the second below: a token is never said to live longer than it does.
    OffsetDateTime::from_unix_timestamp(unix_ms.div_euclid(1000)).ok()?.format(&Rfc3339).ok()
}

/// What a consent brought, told.
pub(super) fn about(
    provider: &Descriptor,
    account: Account,
    asked: Vec<String>,
    tokens: &Tokens,
    refreshable: bool,
) -> About {
    let granted = tokens.scopes.clone().unwrap_or_else(|| asked.clone());
    About {
        provider: provider.name.clone(),
        provider_name: provider.display_name.clone(),
        verified: provider.verified,
        account_id: account.id,
        account_name: account.name,
        asked,
        granted,
        refreshable,
        own: false,
        grant: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_nothing_is_not_missed() {
        let about = About {
            asked: ["openid", "email", "offline_access", "calendar", "drive"].map(str::to_owned).into(),
            granted: vec!["calendar".into()],
            ..About::default()
        };
        assert_eq!(about.missing(Some("offline_access")), ["drive"]);
    }

    #[test]
    fn a_token_is_never_said_to_live_longer_than_it_does() {
        assert_eq!(rfc3339(1_999).unwrap(), "1970-01-01T00:00:01Z");
    }
}
