//! What a provider is: everything that differs from one to the next, as data.
//!
//! A descriptor is a TOML file; the ones that come along lie in `crates/server/presets`. `reading.rs` reads them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Class;
use super::place::{Placeholder, Template};

/// How a provider is spoken to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Descriptor {
    /// Its id, as an administrator writes it: `google`.
    pub name: String,
    /// Its name, as people know it.
    pub display_name: String,
    /// Whether every value was compared with the provider's own documentation and recorded answers; if not, wherever
    /// it is shown it is marked as the community's, unverified.
    #[serde(default)]
    pub verified: bool,
    /// Where the provider documents this.
    #[serde(default)]
    pub documentation: Option<Template>,
    /// Its issuer identifier, which `iss` on a callback must equal (RFC 9207).
    #[serde(default)]
    pub issuer: Option<Template>,
    /// Whether the endpoints are read from the issuer's metadata (RFC 8414, OpenID Connect Discovery).
    #[serde(default)]
    pub discovery: bool,
    /// What `iss` in id_tokens is where that is not `issuer`. `{tenantid}` in it stands for the token's own `tid`
    /// (Microsoft's issuer for all organisations); only here may the issuer depend on the token.
    #[serde(default)]
    pub id_token_issuer: Option<Template>,
    /// Where people are sent. With `discovery` it and the next two may be left out.
    #[serde(default)]
    pub authorize_url: Option<Template>,
    /// Where a code is swapped.
    #[serde(default)]
    pub token_url: Option<Template>,
    /// Where a token is refreshed, if that is elsewhere.
    #[serde(default)]
    pub refresh_url: Option<Template>,
    /// Where a device that has no browser asks for a code (RFC 8628 section 3.1).
    #[serde(default)]
    pub device_url: Option<Template>,
    /// Where the keys are that id_tokens are signed with (RFC 7517).
    #[serde(default)]
    pub jwks_url: Option<Template>,
    /// How a grant is ended.
    #[serde(default)]
    pub revoke: Option<Revoke>,
    /// Who the account is of, by a bearer token.
    #[serde(default)]
    pub userinfo_url: Option<Template>,
    /// Where a person sees and takes back what was granted.
    #[serde(default)]
    pub permissions_url: Option<Template>,
    /// How the client says who it is. Left out, it is what the metadata lists, or else in the header.
    #[serde(default)]
    pub client_auth: Option<ClientAuth>,
    /// With `private_key_jwt`: whom an assertion is for. Left out, the issuer, or the token endpoint where there is none.
    #[serde(default)]
    pub assertion_audience: Option<AssertionAudience>,
    /// What is encoded before it goes into `Authorization: Basic` (RFC 6749 section 2.3.1).
    #[serde(default)]
    pub basic_encoding: BasicEncoding,
    /// How bodies of token requests are written.
    #[serde(default)]
    pub body_format: BodyFormat,
    /// Proof key for code exchange (RFC 7636).
    #[serde(default)]
    pub pkce: Pkce,
    /// Scopes, and how they are written.
    #[serde(default)]
    pub scopes: Scopes,
    /// Sent along to the authorize endpoint.
    #[serde(default)]
    pub authorize_params: BTreeMap<String, String>,
    /// Sent along when a code is swapped.
    #[serde(default)]
    pub token_params: BTreeMap<String, String>,
    /// Sent along when a token is refreshed.
    #[serde(default)]
    pub refresh_params: BTreeMap<String, String>,
    /// What a reply looks like.
    #[serde(default)]
    pub reply: ReplyRules,
    /// What becomes of refresh tokens.
    #[serde(default)]
    pub refresh: RefreshRules,
    /// Arguments of the callback that must be kept: without them the token is of no use.
    #[serde(default)]
    pub callback_fields: Vec<String>,
    /// Parts of addresses that an administrator fills in.
    #[serde(default)]
    pub placeholders: BTreeMap<String, Placeholder>,
    /// What this provider's own error codes mean, beside those that everybody knows.
    #[serde(default)]
    pub errors: BTreeMap<String, Class>,
}

/// How a grant is ended at the provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// Where.
    pub url: Template,
    /// How.
    #[serde(default)]
    pub style: RevokeStyle,
    /// Whether one revocation ends every grant of that person and client.
    #[serde(default)]
    pub ends_all: bool,
}

/// The ways there are to end a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevokeStyle {
    /// RFC 7009: a form with the token, and the client's word.
    #[default]
    Rfc7009,
    /// A bare POST with the access token as the bearer.
    Bearer,
    /// GitHub's: DELETE with Basic, and the access token in a JSON body. `CLIENT_ID` in the address stands for the
    /// client's id.
    DeleteJson,
}

/// How the client says who it is (RFC 6749 section 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// With its secret in the header.
    Basic,
    /// With its secret in the body.
    Post,
    /// With an assertion that its private key signed (RFC 7523 section 2.2): what is kept as its secret is that key.
    PrivateKeyJwt,
    /// Not at all: a public client.
    None,
}

/// What stands in the `aud` of a client's assertion (RFC 7523 section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssertionAudience {
    /// The issuer identifier: nobody else can use it then.
    Issuer,
    /// The token endpoint, for every request.
    TokenEndpoint,
}

/// What is done to id and secret before base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BasicEncoding {
    /// They are form-encoded, as the RFC says.
    #[default]
    Form,
    /// Nothing.
    Raw,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyFormat {
    /// `application/x-www-form-urlencoded`.
    #[default]
    Form,
    /// `application/json`.
    Json,
}

/// Whether a proof key goes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Pkce {
    /// The challenge is a hash: always, unless the provider rejects it.
    #[default]
    S256,
    /// The provider refuses requests that carry one.
    #[serde(rename = "unsupported")]
    Unsupported,
}

/// Scopes, and how they are written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scopes {
    /// What parts them in a request.
    pub separator: char,
    /// The argument that they are in.
    pub param: String,
    /// What is asked for where nobody says.
    pub default: Vec<String>,
    /// Added to every request, for a refresh token to come.
    pub offline: Option<String>,
    /// Whether there are none to ask for.
    pub none: bool,
}

impl Default for Scopes {
    fn default() -> Self {
        Self { separator: ' ', param: "scope".into(), default: Vec::new(), offline: None, none: false }
    }
}

/// What a reply looks like.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReplyRules {
    /// Below which member the user's tokens are, where not at the top: `authed_user`.
    pub within: Option<String>,
    /// The member of a refusal that holds its code, where it is not `error`.
    pub code: Option<String>,
    /// Seconds that an access token lives where the reply does not say.
    pub default_ttl: Option<u64>,
    /// Whether a life of 0 means that it does not end.
    pub zero_is_forever: bool,
    /// Whether an access token without a stated life does not end.
    pub silent_is_forever: bool,
    /// Where the account's own id is, in the reply or in what userinfo says: parted by dots, the first that is there.
    pub account_id: Vec<String>,
    /// Where a name is that people know the account by.
    pub account_name: Vec<String>,
}

/// What becomes of refresh tokens.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RefreshRules {
    /// Whether each refresh brings a new one.
    pub rotation: Rotation,
    /// For how many seconds an old one still works once there is a new one.
    pub grace_seconds: u32,
    /// After how many days without use one ends.
    pub idle_days: Option<u32>,
    /// After how many days a grant ends, whatever is done.
    pub most_days: Option<u32>,
    /// Whether the scopes are named again.
    pub names_scopes: bool,
    /// Whether the old access token ends, too, when there is a new one.
    pub ends_old_access_token: bool,
}

/// Whether a refresh brings a new refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// Never.
    #[default]
    Never,
    /// Each time, and the old one is spent.
    Always,
    /// Now and then.
    Sometimes,
}
