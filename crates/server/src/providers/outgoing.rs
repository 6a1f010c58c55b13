//! Requests as they go out: what the library wrote, changed to what a provider wants otherwise, and sent by the
//! house's own client.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use oauth2::{HttpRequest, HttpResponse, SyncHttpClient};
use tessera_types::AccessToken;
use url::Url;

use super::Error;
use super::assertion::assertion;
use super::client::Client;
use super::descriptor::{AssertionAudience, BasicEncoding, BodyFormat, ClientAuth};
use super::failure::Failure;
use super::provider::Provider;
use super::reply::{self, Tokens};
use crate::egress::{self, Audience, Egress};
use crate::env::Env;

/// How long a provider may take, everything included.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most that a reply may weigh: tokens of 16 kB are real.
const REPLY_CAP: usize = 64 << 10;
const AGENT: HeaderValue = HeaderValue::from_static(concat!("tessera/", env!("CARGO_PKG_VERSION")));
/// RFC 7523 section 2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A request that waits to be sent, once: another attempt is built anew, because an assertion in it serves one alone.
/// Its headers and body hold secrets, so `Debug` shows neither.
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Option<Bytes>,
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outgoing")
            .field("method", &self.method)
            .field("url", &self.url.as_str())
            .finish_non_exhaustive()
    }
}

impl Outgoing {
    /// Sends it, once.
    pub(super) async fn send(self, egress: &Egress) -> Result<egress::Reply, Failure> {
        self.send_within(egress, PATIENCE).await
    }

    async fn send_within(self, egress: &Egress, total: Duration) -> Result<egress::Reply, Failure> {
        let Self { method, url, headers, body } = self;
        let (cap_bytes, audience) = (REPLY_CAP, Audience::Provider);
        let request = egress::Request { method, url, headers, body, total, cap_bytes, audience };
        egress.send(request).await.map_err(|error| Failure::no_reply(&error))
    }
}

impl Provider {
    /// Sends a token request, once, and reads the reply.
    ///
    /// # Errors
    /// What the refusal means.
    pub async fn tokens(&self, egress: &Egress, outgoing: Outgoing, now_ms: i64) -> Result<Tokens, Failure> {
        self.tokens_within(egress, outgoing, now_ms, PATIENCE).await
    }

    /// The same with another patience, everything included.
    ///
    /// # Errors
    /// As [`Provider::tokens`].
    pub async fn tokens_within(
        &self,
        egress: &Egress,
        outgoing: Outgoing,
        now_ms: i64,
        total: Duration,
    ) -> Result<Tokens, Failure> {
        let reply = outgoing.send_within(egress, total).await?;
        reply::read(&self.descriptor, reply.status, &reply.headers, &reply.body, now_ms)
    }

    /// What this provider wants otherwise than the RFC has it, and the client's assertion, where that is its word.
    pub(super) fn finished(
        &self,
        env: &Env,
        client: Client<'_>,
        request: HttpRequest,
    ) -> Result<Outgoing, Error> {
        let (parts, mut body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string()).map_err(|_| Error::Unwritten("token"))?;
        let mut headers = with_agent(parts.headers);
        if self.descriptor.basic_encoding == BasicEncoding::Raw && headers.contains_key(header::AUTHORIZATION)
        {
            headers.insert(header::AUTHORIZATION, basic(client)?);
        }
        if let Some(value) = headers.get_mut(header::AUTHORIZATION) {
            value.set_sensitive(true);
        }
        if self.client_auth == ClientAuth::PrivateKeyJwt {
            let signed = assertion(env, client, self.assertion_audience())?;
            let written = String::from_utf8(body).map_err(|_| Error::Unwritten("token"))?;
            let mut form = url::form_urlencoded::Serializer::new(written);
            form.append_pair("client_assertion_type", ASSERTION_TYPE);
            form.append_pair("client_assertion", signed.expose());
            body = form.finish().into_bytes();
        }
        if self.descriptor.body_format == BodyFormat::Json {
            let members: BTreeMap<_, _> = url::form_urlencoded::parse(&body).into_owned().collect();
            body = serde_json::to_vec(&members).map_err(|_| Error::Unwritten("token"))?;
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Ok(Outgoing { method: parts.method, url, headers, body: Some(body.into()) })
    }

    fn assertion_audience(&self) -> &str {
        match (self.descriptor.assertion_audience, self.issuer()) {
            (None | Some(AssertionAudience::Issuer), Some(issuer)) => issuer,
            _ => self.token.as_str(),
        }
    }
}

/// Has the library write a request, and keeps it instead of sending it.
#[derive(Default)]
pub(super) struct Kept(RefCell<Option<HttpRequest>>);

impl SyncHttpClient for Kept {
    type Error = Unanswered;

    /// A refusal that ends whatever the library would do next: it polls for a device.
    fn call(&self, request: HttpRequest) -> Result<HttpResponse, Unanswered> {
        *self.0.borrow_mut() = Some(request);
        let mut refusal = HttpResponse::new(br#"{"error":"access_denied"}"#.to_vec());
        *refusal.status_mut() = StatusCode::BAD_REQUEST;
        Ok(refusal)
    }
}

impl Kept {
    pub(super) fn request(self, what: &'static str) -> Result<HttpRequest, Error> {
        self.0.into_inner().ok_or(Error::Unwritten(what))
    }
}

/// What the library would be told if a request could not be sent; never made.
#[derive(Debug, thiserror::Error)]
#[error("kept, to be sent by the house's own client")]
pub(super) struct Unanswered;

pub(super) fn bearer(token: &AccessToken) -> Result<HeaderValue, Error> {
    secret_header(format!("Bearer {}", token.expose()))
}

/// As they are: for providers that decode no forms there.
pub(super) fn basic(client: Client<'_>) -> Result<HeaderValue, Error> {
    secret_header(format!("Basic {}", STANDARD.encode(format!("{}:{}", client.id, client.secret.expose()))))
}

fn secret_header(text: String) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::try_from(text).map_err(|_| Error::Unwritten("authorization"))?;
    value.set_sensitive(true);
    Ok(value)
}

pub(super) fn with_agent(mut headers: HeaderMap) -> HeaderMap {
    headers.insert(header::USER_AGENT, AGENT);
    headers
}
