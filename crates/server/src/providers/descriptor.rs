//! What a provider is: everything that differs from one to the next, as data.
//!
//! A descriptor is a TOML file; the ones that come along lie in `crates/server/presets`. It is read strictly: a field
//! that is not known, or whose value does not fit, is refused with its name.

use std::collections::BTreeMap;

use serde::Deserialize;
use url::Url;

use super::place::{Placeholder, Template};
use super::{Class, Error};

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
    /// Where people are sent. With `discovery` it and the next two may be left out.
    #[serde(default)]
    pub authorize_url: Option<Template>,
    /// Where a code is swapped.
    #[serde(default)]
    pub token_url: Option<Template>,
    /// Where a token is refreshed, if that is elsewhere.
    #[serde(default)]
    pub refresh_url: Option<Template>,
    /// How a grant is ended.
    #[serde(default)]
    pub revoke: Option<Revoke>,
    /// Who the account is of, by a bearer token.
    #[serde(default)]
    pub userinfo_url: Option<Template>,
    /// Where a person sees and takes back what was granted.
    #[serde(default)]
    pub permissions_url: Option<Template>,
    /// How the client says who it is.
    #[serde(default)]
    pub client_auth: ClientAuth,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// In the header.
    #[default]
    Basic,
    /// In the body.
    Post,
    /// Not at all: a public client.
    None,
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

impl Descriptor {
    /// Reads one.
    ///
    /// # Errors
    /// With the place of what does not fit, such as `scopes.separator`.
    pub fn read(text: &str) -> Result<Self, Error> {
        let file = toml::Deserializer::parse(text).map_err(|error| {
            let (line, column) = place_of(text, error.span());
            Error::Syntax { line, column, what: error.message().to_owned() }
        })?;
        let descriptor: Self = serde_path_to_error::deserialize(file).map_err(|error| {
            let field = error.path().to_string();
            Error::Field(
                if field == "." { "the descriptor".into() } else { field },
                error.inner().message().into(),
            )
        })?;
        descriptor.check()?;
        Ok(descriptor)
    }

    /// What a shape alone does not say.
    fn check(&self) -> Result<(), Error> {
        let wrong = |field: &str, what: &str| Err(Error::Field(field.to_owned(), what.to_owned()));
        let plain = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if !plain(&self.name) {
            return wrong("name", "must be lower-case letters, digits and dashes, such as `my-provider`");
        }
        if self.display_name.trim().is_empty() {
            return wrong("display_name", "is empty: write the name that people know");
        }
        if self.discovery && self.issuer.is_none() {
            return wrong("issuer", "is needed for discovery: write, for instance, https://id.example.com");
        }
        for (field, address) in [("authorize_url", &self.authorize_url), ("token_url", &self.token_url)] {
            if !self.discovery && address.is_none() {
                return wrong(field, "is needed, unless `discovery = true`");
            }
        }
        for (field, address) in self.addresses() {
            for name in address.names() {
                if !self.placeholders.contains_key(name) {
                    return Err(Error::Field(
                        field.into(),
                        format!("names {{{name}}}, which `placeholders` does not have"),
                    ));
                }
            }
            if let Some(scheme) = address.scheme()
                && !matches!(scheme, "https" | "http")
            {
                return wrong(field, "must begin with https:// (http:// is for this machine in development)");
            }
        }
        for (name, placeholder) in &self.placeholders {
            if let Some(default) = &placeholder.default
                && let Err(why) = placeholder.accept(default)
            {
                return Err(Error::Field(format!("placeholders.{name}.default"), why));
            }
        }
        // What the service builds itself must not be said twice, let alone differently.
        let own = [
            "client_id",
            "client_secret",
            "redirect_uri",
            "state",
            "code",
            "code_challenge",
            "code_verifier",
            "response_type",
        ];
        for (table, params) in [
            ("authorize_params", &self.authorize_params),
            ("token_params", &self.token_params),
            ("refresh_params", &self.refresh_params),
        ] {
            if let Some(name) = own.into_iter().find(|name| params.contains_key(*name)) {
                let what = match name {
                    // OS-15: no other flow than the code's.
                    "response_type" => "only the code flow is offered: leave it out",
                    _ => "is written by the service: leave it out",
                };
                return Err(Error::Field(format!("{table}.{name}"), what.into()));
            }
        }
        if self.authorize_params.get("response_mode").is_some_and(|mode| mode != "query") {
            return wrong("authorize_params.response_mode", "only `query` is understood");
        }
        if self.scopes.none && !self.scopes.default.is_empty() {
            return wrong("scopes.default", "there are none to ask for, says `scopes.none`");
        }
        if self.client_auth == ClientAuth::None && self.pkce == Pkce::Unsupported {
            return wrong("pkce", "a client without a secret needs it");
        }
        Ok(())
    }

    /// Every address, with its field.
    pub(super) fn addresses(&self) -> impl Iterator<Item = (&'static str, &Template)> {
        let fields = [
            ("documentation", self.documentation.as_ref()),
            ("issuer", self.issuer.as_ref()),
            ("authorize_url", self.authorize_url.as_ref()),
            ("token_url", self.token_url.as_ref()),
            ("refresh_url", self.refresh_url.as_ref()),
            ("revoke.url", self.revoke.as_ref().map(|revoke| &revoke.url)),
            ("userinfo_url", self.userinfo_url.as_ref()),
            ("permissions_url", self.permissions_url.as_ref()),
        ];
        fields.into_iter().filter_map(|(field, address)| Some((field, address?)))
    }
}

/// Line and column of a place in a file, from 1.
fn place_of(text: &str, span: Option<std::ops::Range<usize>>) -> (usize, usize) {
    let before = text.get(..span.map_or(0, |span| span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    (line, before.rsplit('\n').next().unwrap_or_default().chars().count() + 1)
}

/// An address that was filled in, as a URL that may be spoken to.
pub(super) fn speakable(field: &str, text: &str) -> Result<Url, Error> {
    let wrong = |what: &str| Error::Field(field.to_owned(), format!("{text:?} {what}"));
    let url = Url::parse(text).map_err(|_| wrong("is no URL"))?;
    if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
        return Err(wrong("is no https URL"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(wrong("must not have a user name, password or fragment"));
    }
    Ok(url)
}
