//! A provider's metadata (RFC 8414, OpenID Connect Discovery 1.0): where its endpoints are, by its own word.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, header};
use serde::{Deserialize, Serialize};
use url::Url;

use super::Error;
use super::descriptor::ClientAuth;
use super::reading::speakable;
use crate::egress::{self, Audience, Egress};

/// How long reading it, or a key set, may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most that either may weigh.
const CAP: usize = 256 << 10;

/// What the metadata says, checked (OS-23). As JSON it is again a metadata document of the RFC, with what is used of it,
/// so that it can be pinned, and is checked anew when it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Document", try_from = "Document")]
pub struct Metadata {
    /// Whose it is: what it was asked for as.
    pub issuer: String,
    /// Where people are sent.
    pub authorize: Url,
    /// Where codes are swapped and tokens refreshed.
    pub token: Url,
    /// Where grants are ended.
    pub revoke: Option<Url>,
    /// Who the account is of.
    pub userinfo: Option<Url>,
    /// Where a device asks for a code (RFC 8628 section 4).
    pub device: Option<Url>,
    /// Where the keys of id_tokens are.
    pub jwks: Option<Url>,
    /// Whether `iss` comes with every callback (RFC 9207): then a callback without it is refused.
    pub promises_iss: bool,
    /// Whether hashed proof keys are taken, if it says so at all.
    pub pkce_s256: Option<bool>,
    /// How clients may say who they are at the token endpoint, in the RFC's names, if it says so at all.
    pub auth_methods: Option<Vec<String>>,
}

/// Whose metadata is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// The issuer identifier, which also says where the metadata is.
    pub id: String,
    /// What the metadata may name instead: the issuer that a descriptor states for id_tokens, with its `{tenantid}`.
    pub of_tokens: Option<String>,
}

impl From<&str> for Issuer {
    fn from(id: &str) -> Self {
        Self { id: id.to_owned(), of_tokens: None }
    }
}

#[derive(Serialize, Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    userinfo_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_authorization_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    require_pushed_authorization_requests: bool,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    code_challenge_methods_supported: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

impl Metadata {
    /// Where an issuer's metadata is: as OpenID Connect has it, then as RFC 8414 does.
    pub fn places(issuer: &Url) -> [Url; 2] {
        let path = issuer.path().trim_end_matches('/').to_owned();
        let at = |path: String| {
            let mut place = issuer.clone();
            place.set_path(&path);
            place
        };
        [
            at(format!("{path}/.well-known/openid-configuration")),
            at(format!("/.well-known/oauth-authorization-server{path}")),
        ]
    }

    /// Asks an issuer, at the one place and then at the other.
    ///
    /// # Errors
    /// When neither has metadata of this issuer that can be used; in words for who configures it.
    pub async fn fetch(egress: &Egress, issuer: &Issuer) -> Result<Self, Error> {
        let url = speakable("issuer", &issuer.id)?;
        let mut why = None;
        for place in Self::places(&url) {
            match get(egress, &place).await {
                Ok(reply) if reply.status.is_success() => return Self::read(issuer, &reply.body),
                Ok(reply) => why = why.or(Some(format!("{place} answered {}", reply.status.as_u16()))),
                Err(error) => why = why.or(Some(error.to_string())),
            }
        }
        Err(Error::Field("issuer".into(), why.unwrap_or_default()))
    }

    /// Reads a document that was found at an issuer's place.
    ///
    /// # Errors
    /// When it is another issuer's, or an endpoint is none that may be spoken to.
    pub fn read(issuer: &Issuer, bytes: &[u8]) -> Result<Self, Error> {
        let document: Document = serde_json::from_slice(bytes)
            .map_err(|error| wrong("document", format!("is no metadata: {error}")))?;
        // RFC 8414 section 3.3: identical, or it is used for nothing.
        if document.issuer != issuer.id && Some(&document.issuer) != issuer.of_tokens.as_ref() {
            let what = format!(
                "is {:?}, and the configured issuer is {:?}: they must be the same",
                document.issuer, issuer.id
            );
            return Err(wrong("issuer", what));
        }
        Self::try_from(document)
    }

    /// How a client says who it is, by what is listed: the first of ours, whatever order they are listed in, so that
    /// another order is no other behaviour. None when nothing is listed that we can do.
    pub(super) fn client_auth(&self) -> Option<ClientAuth> {
        let listed = self.auth_methods.as_ref()?;
        [
            ("client_secret_basic", ClientAuth::Basic),
            ("client_secret_post", ClientAuth::Post),
            ("private_key_jwt", ClientAuth::PrivateKeyJwt),
            ("none", ClientAuth::None),
        ]
        .into_iter()
        .find_map(|(name, auth)| listed.iter().any(|one| one == name).then_some(auth))
    }

    /// What another reading says otherwise, as (the RFC's name of the member, what it says here, what it says there), for
    /// an administrator who must agree to it.
    pub fn differs(&self, other: &Self) -> Vec<(&'static str, String, String)> {
        let (here, there) = (self.in_words(), other.in_words());
        let pairs = here.into_iter().zip(there).filter(|(here, there)| here != there);
        pairs.map(|((name, before), (_, after))| (name, before, after)).collect()
    }

    fn in_words(&self) -> [(&'static str, String); 10] {
        let or_none = |url: &Option<Url>| url.as_ref().map_or_else(|| "none".to_owned(), Url::to_string);
        let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
        let methods = self.auth_methods.as_ref().map(|methods| {
            let mut methods = methods.clone();
            methods.sort_unstable();
            methods.join(", ")
        });
        [
            ("issuer", self.issuer.clone()),
            ("authorization_endpoint", self.authorize.to_string()),
            ("token_endpoint", self.token.to_string()),
            ("revocation_endpoint", or_none(&self.revoke)),
            ("userinfo_endpoint", or_none(&self.userinfo)),
            ("device_authorization_endpoint", or_none(&self.device)),
            ("jwks_uri", or_none(&self.jwks)),
            ("authorization_response_iss_parameter_supported", yes(self.promises_iss)),
            ("S256 in code_challenge_methods_supported", self.pkce_s256.map_or("not said".into(), yes)),
            ("token_endpoint_auth_methods_supported", methods.unwrap_or_else(|| "not said".to_owned())),
        ]
    }
}

impl TryFrom<Document> for Metadata {
    type Error = Error;

    fn try_from(document: Document) -> Result<Self, Error> {
        if document.require_pushed_authorization_requests {
            let what = "is true, and pushed authorization requests (RFC 9126) are not offered: such a provider cannot \
                        be used";
            return Err(wrong("require_pushed_authorization_requests", what.to_owned()));
        }
        let secure = document.issuer.starts_with("https://");
        let endpoint = |field: &str, text: &str| {
            let url = speakable(&format!("metadata.{field}"), text)?;
            match secure && url.scheme() != "https" {
                true => Err(wrong(field, format!("{text:?} is plain http, which is not allowed"))),
                false => Ok(url),
            }
        };
        let optional = |field: &str, text: &Option<String>| {
            text.as_deref().map(|text| endpoint(field, text)).transpose()
        };
        Ok(Self {
            authorize: endpoint("authorization_endpoint", &document.authorization_endpoint)?,
            token: endpoint("token_endpoint", &document.token_endpoint)?,
            revoke: optional("revocation_endpoint", &document.revocation_endpoint)?,
            userinfo: optional("userinfo_endpoint", &document.userinfo_endpoint)?,
            device: optional("device_authorization_endpoint", &document.device_authorization_endpoint)?,
            jwks: optional("jwks_uri", &document.jwks_uri)?,
            promises_iss: document.authorization_response_iss_parameter_supported,
            pkce_s256: document
                .code_challenge_methods_supported
                .map(|known| known.iter().any(|one| one == "S256")),
            auth_methods: document.token_endpoint_auth_methods_supported,
            issuer: document.issuer,
        })
    }
}

impl From<Metadata> for Document {
    fn from(metadata: Metadata) -> Self {
        let text = |url: Option<Url>| url.map(String::from);
        let s256 = |takes: bool| if takes { vec!["S256".to_owned()] } else { Vec::new() };
        Self {
            require_pushed_authorization_requests: false,
            issuer: metadata.issuer,
            authorization_endpoint: metadata.authorize.into(),
            token_endpoint: metadata.token.into(),
            revocation_endpoint: text(metadata.revoke),
            userinfo_endpoint: text(metadata.userinfo),
            device_authorization_endpoint: text(metadata.device),
            jwks_uri: text(metadata.jwks),
            authorization_response_iss_parameter_supported: metadata.promises_iss,
            code_challenge_methods_supported: metadata.pkce_s256.map(s256),
            token_endpoint_auth_methods_supported: metadata.auth_methods,
        }
    }
}

/// A public document of the provider's, as JSON.
pub(super) async fn get(egress: &Egress, place: &Url) -> Result<egress::Reply, egress::Error> {
    let request = egress::Request {
        method: Method::GET,
        url: place.clone(),
        headers: HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static("application/json"))]),
        body: None,
        total: PATIENCE,
        cap_bytes: CAP,
        audience: Audience::Provider,
    };
    egress.send(request).await
}

fn wrong(field: &str, what: String) -> Error {
    Error::Field(format!("metadata.{field}"), what)
}
