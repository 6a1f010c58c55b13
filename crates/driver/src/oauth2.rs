//! The token object that Apps store, in the JSON of Go's OAuth2 library.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::time::Duration;
use tessera_types::{AccessToken, RefreshToken};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A token of the remote service (RFC 6749 section 5.1), as Go's `oauth2.Token` is written:
/// `{"access_token":…,"token_type":…,"refresh_token":…,"expiry":"2026-01-02T15:04:05Z"}`. An App that
/// was written in Go can be replaced by one in Rust without anybody connecting again.
///
/// It can be read from JSON but not written by accident: store [`expose`](Self::expose) of it, or mark
/// the field of your own record with `#[serde(serialize_with = "tessera_driver::oauth2::exposed")]`.
#[derive(Clone, Debug, Deserialize)]
pub struct OAuth2Token {
    /// What the remote service is called with.
    pub access_token: AccessToken,
    /// `Bearer` in practice; empty means that too.
    #[serde(default)]
    pub token_type: String,
    /// What a new access token is got with, if the provider gave one.
    #[serde(default, deserialize_with = "non_empty")]
    pub refresh_token: Option<RefreshToken>,
    /// When the access token ends; `None`: it does not, as far as is known (`0001-01-01T00:00:00Z`).
    #[serde(default, deserialize_with = "expiry")]
    pub expiry: Option<OffsetDateTime>,
}

impl OAuth2Token {
    /// A bearer token that does not expire.
    pub fn new(access_token: AccessToken) -> Self {
        Self { access_token, token_type: "Bearer".into(), refresh_token: None, expiry: None }
    }

    /// Sets the refresh token. Providers that leave it out of a refresh mean: keep the old one.
    #[must_use]
    pub fn refresh_token(mut self, refresh_token: Option<RefreshToken>) -> Self {
        self.refresh_token = refresh_token;
        self
    }

    /// Sets the end from the `expires_in` of a token response that arrived at `now`.
    #[must_use]
    pub fn expires_in(mut self, now: OffsetDateTime, expires_in: Option<Duration>) -> Self {
        self.expiry = expires_in
            .and_then(|left| time::Duration::try_from(left).ok())
            .and_then(|left| now.checked_add(left));
        self
    }

    /// Whether less than `min_ttl` of its life is left at `now`.
    pub fn expires_within(&self, now: OffsetDateTime, min_ttl: Duration) -> bool {
        self.expiry.is_some_and(|expiry| expiry - now < min_ttl)
    }

    /// The token for writing, secrets and all. Visible in the code on purpose.
    pub fn expose(&self) -> ExposedToken<'_> {
        ExposedToken(self)
    }
}

/// An [`OAuth2Token`] that can be serialised.
pub struct ExposedToken<'a>(&'a OAuth2Token);

/// For `#[serde(serialize_with = "tessera_driver::oauth2::exposed")]` on a token in a record of one's own.
pub fn exposed<S: Serializer>(token: &OAuth2Token, to: S) -> Result<S::Ok, S::Error> {
    token.expose().serialize(to)
}

impl Serialize for ExposedToken<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written<'a> {
            access_token: &'a str,
            #[serde(skip_serializing_if = "str::is_empty")]
            token_type: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            refresh_token: Option<&'a str>,
            expiry: String,
        }
        let expiry = match self.0.expiry {
            None => NEVER.to_owned(),
            Some(expiry) => expiry.format(&Rfc3339).map_err(serde::ser::Error::custom)?,
        };
        let refresh_token = self.0.refresh_token.as_ref().map(RefreshToken::expose);
        Written {
            access_token: self.0.access_token.expose(),
            token_type: &self.0.token_type,
            refresh_token,
            expiry,
        }
        .serialize(to)
    }
}

/// Go's zero time, which its OAuth2 library writes for "does not expire".
const NEVER: &str = "0001-01-01T00:00:00Z";

pub(crate) fn expiry<'de, D: Deserializer<'de>>(from: D) -> Result<Option<OffsetDateTime>, D::Error> {
    let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
    if text.is_empty() || text == NEVER {
        return Ok(None);
    }
    OffsetDateTime::parse(&text, &Rfc3339)
        .map(Some)
        .map_err(|_| serde::de::Error::custom("expiry is not RFC 3339"))
}

fn non_empty<'de, D: Deserializer<'de>>(from: D) -> Result<Option<RefreshToken>, D::Error> {
    let token = Option::<RefreshToken>::deserialize(from)?;
    Ok(token.filter(|token| !token.expose().is_empty()))
}
