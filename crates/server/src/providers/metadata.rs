//! A provider's metadata (RFC 8414, OpenID Connect Discovery 1.0): where its endpoints are, by its own word.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, header};
use serde::Deserialize;
use url::Url;

use super::Error;
use super::descriptor::speakable;
use crate::egress::{self, Audience, Egress};

/// How long reading it may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most that it may weigh.
const CAP: usize = 256 << 10;

/// What the metadata says, checked (OS-23).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Where people are sent.
    pub authorize: Url,
    /// Where codes are swapped and tokens refreshed.
    pub token: Url,
    /// Where grants are ended.
    pub revoke: Option<Url>,
    /// Who the account is of.
    pub userinfo: Option<Url>,
    /// Whether `iss` comes with every callback (RFC 9207): then a callback without it is refused.
    pub promises_iss: bool,
    /// Whether hashed proof keys are taken, if it says so at all.
    pub pkce_s256: Option<bool>,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    revocation_endpoint: Option<String>,
    userinfo_endpoint: Option<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    code_challenge_methods_supported: Option<Vec<String>>,
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
    pub async fn fetch(egress: &Egress, issuer: &str) -> Result<Self, Error> {
        let url = speakable("issuer", issuer)?;
        let mut why = None;
        for place in Self::places(&url) {
            let request = egress::Request {
                method: Method::GET,
                url: place.clone(),
                headers: HeaderMap::from_iter([(
                    header::ACCEPT,
                    HeaderValue::from_static("application/json"),
                )]),
                body: None,
                total: PATIENCE,
                cap_bytes: CAP,
                audience: Audience::Provider,
            };
            match egress.send(request).await {
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
    pub fn read(issuer: &str, bytes: &[u8]) -> Result<Self, Error> {
        let wrong = |field: &str, what: String| Error::Field(format!("metadata.{field}"), what);
        let document: Document = serde_json::from_slice(bytes)
            .map_err(|error| wrong("document", format!("is no metadata: {error}")))?;
        // RFC 8414 section 3.3: identical, or it is used for nothing.
        if document.issuer != issuer {
            let what = format!(
                "is {:?}, and the configured issuer is {issuer:?}: they must be the same",
                document.issuer
            );
            return Err(wrong("issuer", what));
        }
        let secure = issuer.starts_with("https://");
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
            promises_iss: document.authorization_response_iss_parameter_supported,
            pkce_s256: document
                .code_challenge_methods_supported
                .map(|known| known.iter().any(|one| one == "S256")),
        })
    }
}
