//! Requests to a provider. The protocol's part is written by the library; what a provider wants otherwise is changed
//! afterwards, and sending is for the house's own client.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use oauth2::basic::BasicClient;
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode as Code, ClientId, ClientSecret as Secret, CsrfToken, HttpRequest,
    HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken as Refresh, RevocationUrl,
    Scope, StandardRevocableToken, SyncHttpClient, TokenUrl,
};
use tessera_types::{AccessToken, AuthorizationCode, ClientSecret, RefreshToken};
use url::Url;

use super::Error;
use super::descriptor::{BasicEncoding, BodyFormat, ClientAuth, Descriptor, Pkce, RevokeStyle, speakable};
use super::failure::Failure;
use super::metadata::Metadata;
use super::place::Filled;
use super::reply::{self, Tokens};
use crate::egress::{self, Audience, Egress};
use crate::env::{Env, RngError};

/// How long a provider may take, everything included.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// The most that a reply may weigh: tokens of 16 kB are real.
pub(super) const REPLY_CAP: usize = 64 << 10;
const AGENT: HeaderValue = HeaderValue::from_static(concat!("tessera/", env!("CARGO_PKG_VERSION")));

/// Who asks, as the provider knows it.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its secret; empty for a public client.
    pub secret: &'a ClientSecret,
}

/// A proof key (RFC 7636): made for one flow, sealed while it waits, and dropped after use.
#[derive(Debug, Clone)]
pub struct Verifier(AccessToken);

impl Verifier {
    /// 43 characters of 32 random bytes.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn new(env: &Env) -> Result<Self, RngError> {
        Ok(Self(AccessToken::new(URL_SAFE_NO_PAD.encode(env.bytes::<32>()?))))
    }

    /// One that was kept.
    pub fn of(text: AccessToken) -> Self {
        Self(text)
    }

    /// What is kept, sealed.
    pub fn text(&self) -> &AccessToken {
        &self.0
    }

    fn of_library(&self) -> PkceCodeVerifier {
        PkceCodeVerifier::new(self.0.expose().to_owned())
    }
}

/// A request that waits to be sent. Its headers and body hold secrets, so `Debug` shows neither.
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

/// A provider with every address filled in.
#[derive(Debug, Clone)]
pub struct Provider {
    descriptor: Arc<Descriptor>,
    issuer: Option<String>,
    authorize: Url,
    token: Url,
    refresh: Url,
    revoke: Option<Url>,
    userinfo: Option<Url>,
    promises_iss: bool,
}

impl Provider {
    /// Fills in what the descriptor leaves open. Where it says `discovery`, its metadata must be there.
    ///
    /// # Errors
    /// When something is missing, or an address is none that may be spoken to.
    pub fn new(
        descriptor: Arc<Descriptor>,
        given: &BTreeMap<String, String>,
        metadata: Option<&Metadata>,
    ) -> Result<Self, Error> {
        let filled = Filled::new(&descriptor.placeholders, given)?;
        let mut urls = BTreeMap::new();
        for (field, address) in descriptor.addresses() {
            urls.insert(field, speakable(field, &address.fill(&filled)?)?);
        }
        let issuer = descriptor.issuer.as_ref().map(|issuer| issuer.fill(&filled)).transpose()?;
        // What the descriptor says outright counts more than what the provider says of itself.
        let found = |field: &str| {
            let metadata = metadata.filter(|_| descriptor.discovery)?;
            match field {
                "authorize_url" => Some(metadata.authorize.clone()),
                "token_url" => Some(metadata.token.clone()),
                "revoke.url" => metadata.revoke.clone(),
                "userinfo_url" => metadata.userinfo.clone(),
                _ => None,
            }
        };
        if metadata.is_some_and(|metadata| metadata.pkce_s256 == Some(true))
            && descriptor.pkce == Pkce::Unsupported
        {
            return Err(Error::Field(
                "pkce".into(),
                "the provider's metadata says that it takes S256: leave it on".into(),
            ));
        }
        let mut url = |field: &'static str| urls.remove(field).or_else(|| found(field));
        let needed = |field: &str, url: Option<Url>| {
            url.ok_or_else(|| {
                Error::Field(field.to_owned(), "is not known yet: its metadata was not read".to_owned())
            })
        };
        let authorize = needed("authorize_url", url("authorize_url"))?;
        let token = needed("token_url", url("token_url"))?;
        let refresh = url("refresh_url").unwrap_or_else(|| token.clone());
        let (revoke, userinfo) = (url("revoke.url"), url("userinfo_url"));
        let promises_iss = metadata.is_some_and(|metadata| metadata.promises_iss);
        Ok(Self { descriptor, issuer, authorize, token, refresh, revoke, userinfo, promises_iss })
    }

    /// The issuer with everything filled in, before anything else is known: whose metadata is to be read.
    ///
    /// # Errors
    /// When something is missing.
    pub fn issuer_of(
        descriptor: &Descriptor,
        given: &BTreeMap<String, String>,
    ) -> Result<Option<String>, Error> {
        let filled = Filled::new(&descriptor.placeholders, given)?;
        descriptor.issuer.as_ref().map(|issuer| issuer.fill(&filled)).transpose()
    }

    /// Where secrets go, in one text: equal for the same places.
    pub fn endpoints(&self) -> String {
        let issuer = self.issuer.as_deref().unwrap_or_default();
        format!("{issuer}\n{}\n{}\n{}", self.authorize, self.token, self.refresh)
    }

    /// Whether a callback is this provider's, by its `iss` (RFC 9207 section 2.4; OS-12).
    ///
    /// # Errors
    /// In words that hold nothing of the callback.
    pub fn check_issuer(&self, iss: Option<&str>) -> Result<(), &'static str> {
        match (iss, self.issuer()) {
            (Some(iss), Some(issuer)) if iss == issuer => Ok(()),
            (Some(_), Some(_)) => Err("the callback names another issuer"),
            // Nobody said who may speak, so nobody can be checked.
            (_, None) => Ok(()),
            (None, Some(_)) if self.promises_iss => {
                Err("the callback names no issuer, and its provider promises one")
            }
            (None, Some(_)) => Ok(()),
        }
    }

    /// What it is.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// What `iss` on a callback must equal, if it comes.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Where a person is sent to agree.
    pub fn authorize_url(
        &self,
        client_id: &str,
        redirect_uri: &Url,
        state: &str,
        scopes: &[String],
        verifier: &Verifier,
    ) -> Url {
        let state = state.to_owned();
        let client = BasicClient::new(ClientId::new(client_id.to_owned()))
            .set_auth_uri(AuthUrl::from_url(self.authorize.clone()))
            .set_redirect_uri(RedirectUrl::from_url(redirect_uri.clone()));
        let mut asking = client.authorize_url(|| CsrfToken::new(state));
        let scopes = self.scopes(scopes);
        if !scopes.is_empty() {
            asking = match self.descriptor.scopes.param.as_str() {
                "scope" => asking.add_scope(Scope::new(scopes)),
                param => asking.add_extra_param(param.to_owned(), scopes),
            };
        }
        if self.descriptor.pkce == Pkce::S256 {
            asking = asking
                .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier.of_library()));
        }
        for (name, value) in &self.descriptor.authorize_params {
            asking = asking.add_extra_param(name.clone(), value.clone());
        }
        asking.url().0
    }

    /// Swaps a code, with the redirect URI and the proof key of its flow.
    ///
    /// # Errors
    /// When the library cannot write it.
    pub fn exchange(
        &self,
        client: Client<'_>,
        code: &AuthorizationCode,
        redirect_uri: &Url,
        verifier: &Verifier,
    ) -> Result<Outgoing, Error> {
        let with_token = self.client(client).set_token_uri(TokenUrl::from_url(self.token.clone()));
        let mut asking = with_token.exchange_code(Code::new(code.expose().to_owned()));
        asking =
            asking.set_redirect_uri(std::borrow::Cow::Owned(RedirectUrl::from_url(redirect_uri.clone())));
        if self.descriptor.pkce == Pkce::S256 {
            asking = asking.set_pkce_verifier(verifier.of_library());
        }
        for (name, value) in &self.descriptor.token_params {
            asking = asking.add_extra_param(name.clone(), value.clone());
        }
        let kept = Kept::default();
        let _ = asking.request(&kept);
        self.finished(client, kept.request("token")?)
    }

    /// Refreshes a token. `scopes` were granted: they are named again only where the provider wants it, and never more.
    ///
    /// # Errors
    /// When the library cannot write it.
    pub fn refresh(
        &self,
        client: Client<'_>,
        refresh_token: &RefreshToken,
        scopes: &[String],
    ) -> Result<Outgoing, Error> {
        let with_token = self.client(client).set_token_uri(TokenUrl::from_url(self.refresh.clone()));
        let held = Refresh::new(refresh_token.expose().to_owned());
        let mut asking = with_token.exchange_refresh_token(&held);
        if self.descriptor.refresh.names_scopes && !scopes.is_empty() {
            asking = asking.add_scope(Scope::new(self.joined(scopes.iter().map(String::as_str))));
        }
        for (name, value) in &self.descriptor.refresh_params {
            asking = asking.add_extra_param(name.clone(), value.clone());
        }
        let kept = Kept::default();
        let _ = asking.request(&kept);
        self.finished(client, kept.request("token")?)
    }

    /// Ends a grant, where the provider has a way: the refresh token first, if there is one (RFC 7009 section 2.1).
    ///
    /// # Errors
    /// When the library cannot write it.
    pub fn revoke(
        &self,
        client: Client<'_>,
        access_token: &AccessToken,
        refresh_token: Option<&RefreshToken>,
    ) -> Result<Option<Outgoing>, Error> {
        let Some(url) = &self.revoke else { return Ok(None) };
        let style = self.descriptor.revoke.as_ref().map_or(RevokeStyle::Rfc7009, |rules| rules.style);
        let outgoing = match style {
            RevokeStyle::Rfc7009 => {
                let token = match refresh_token {
                    Some(token) => StandardRevocableToken::from(Refresh::new(token.expose().to_owned())),
                    None => oauth2::AccessToken::new(access_token.expose().to_owned()).into(),
                };
                // The library takes https alone; whether plain http may be spoken is for `egress` to say.
                let mut secure = url.clone();
                let _ = secure.set_scheme("https");
                let with_url = self.client(client).set_revocation_url(RevocationUrl::from_url(secure));
                let asking = with_url.revoke_token(token).map_err(|_| Error::Unwritten("revoke"))?;
                let kept = Kept::default();
                let _ = asking.request(&kept);
                Outgoing { url: url.clone(), ..self.finished(client, kept.request("revoke")?)? }
            }
            RevokeStyle::Bearer => {
                let headers = HeaderMap::from_iter([(header::AUTHORIZATION, bearer(access_token)?)]);
                Outgoing { method: Method::POST, url: url.clone(), headers: with_agent(headers), body: None }
            }
            RevokeStyle::DeleteJson => {
                let mut url = url.clone();
                url.set_path(&url.path().replace("CLIENT_ID", client.id));
                let body = serde_json::json!({"access_token": access_token.expose()}).to_string();
                let headers = HeaderMap::from_iter([
                    (header::AUTHORIZATION, basic(client)?),
                    (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
                ]);
                Outgoing {
                    method: Method::DELETE,
                    url,
                    headers: with_agent(headers),
                    body: Some(body.into()),
                }
            }
        };
        Ok(Some(outgoing))
    }

    /// Asks whose account it is, where the provider tells.
    ///
    /// # Errors
    /// When the token cannot stand in a header.
    pub fn userinfo(&self, access_token: &AccessToken) -> Result<Option<Outgoing>, Error> {
        let Some(url) = self.userinfo.clone() else { return Ok(None) };
        let headers = HeaderMap::from_iter([
            (header::AUTHORIZATION, bearer(access_token)?),
            (header::ACCEPT, HeaderValue::from_static("application/json")),
        ]);
        Ok(Some(Outgoing { method: Method::GET, url, headers: with_agent(headers), body: None }))
    }

    /// Sends a token request, once, and reads the reply.
    ///
    /// # Errors
    /// What the refusal means.
    pub async fn tokens(&self, egress: &Egress, outgoing: Outgoing, now_ms: i64) -> Result<Tokens, Failure> {
        self.tokens_within(egress, outgoing, now_ms, PATIENCE).await
    }

    /// The same with less patience.
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
        let Outgoing { method, url, headers, body } = outgoing;
        let (cap_bytes, audience) = (REPLY_CAP, Audience::Provider);
        let request = egress::Request { method, url, headers, body, total, cap_bytes, audience };
        let reply = egress.send(request).await.map_err(|error| Failure::no_reply(&error))?;
        reply::read(&self.descriptor, reply.status, &reply.headers, &reply.body, now_ms)
    }

    /// What is asked for: with what brings a refresh token, and each once.
    fn scopes(&self, asked: &[String]) -> String {
        let rules = &self.descriptor.scopes;
        if rules.none {
            return String::new();
        }
        let asked = if asked.is_empty() { &rules.default[..] } else { asked };
        let mut scopes: Vec<&str> = Vec::new();
        for scope in asked.iter().chain(&rules.offline) {
            if !scopes.contains(&scope.as_str()) {
                scopes.push(scope);
            }
        }
        self.joined(scopes.into_iter())
    }

    fn joined<'a>(&self, scopes: impl Iterator<Item = &'a str>) -> String {
        let separator = self.descriptor.scopes.separator.to_string();
        scopes.collect::<Vec<_>>().join(&separator)
    }

    fn client(&self, client: Client<'_>) -> BasicClient {
        let library = BasicClient::new(ClientId::new(client.id.to_owned()));
        let auth = match self.descriptor.client_auth {
            ClientAuth::Basic => AuthType::BasicAuth,
            ClientAuth::Post | ClientAuth::None => AuthType::RequestBody,
        };
        let library = library.set_auth_type(auth);
        match self.descriptor.client_auth == ClientAuth::None || client.secret.is_empty() {
            true => library,
            false => library.set_client_secret(Secret::new(client.secret.expose().to_owned())),
        }
    }

    /// What this provider wants otherwise than the RFC has it.
    fn finished(&self, client: Client<'_>, request: HttpRequest) -> Result<Outgoing, Error> {
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
        if self.descriptor.body_format == BodyFormat::Json {
            let members: BTreeMap<_, _> = url::form_urlencoded::parse(&body).into_owned().collect();
            body = serde_json::to_vec(&members).map_err(|_| Error::Unwritten("token"))?;
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Ok(Outgoing { method: parts.method, url, headers, body: Some(body.into()) })
    }
}

/// Has the library write a request, and keeps it instead of sending it.
#[derive(Default)]
struct Kept(RefCell<Option<HttpRequest>>);

impl SyncHttpClient for Kept {
    type Error = NotSent;

    fn call(&self, request: HttpRequest) -> Result<HttpResponse, NotSent> {
        *self.0.borrow_mut() = Some(request);
        Err(NotSent)
    }
}

impl Kept {
    fn request(self, what: &'static str) -> Result<HttpRequest, Error> {
        self.0.into_inner().ok_or(Error::Unwritten(what))
    }
}

/// What the library is told in place of a reply.
#[derive(Debug, thiserror::Error)]
#[error("kept, to be sent by the house's own client")]
struct NotSent;

fn bearer(token: &AccessToken) -> Result<HeaderValue, Error> {
    secret_header(format!("Bearer {}", token.expose()))
}

/// As they are: for providers that decode no forms there.
fn basic(client: Client<'_>) -> Result<HeaderValue, Error> {
    secret_header(format!("Basic {}", STANDARD.encode(format!("{}:{}", client.id, client.secret.expose()))))
}

fn secret_header(text: String) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::try_from(text).map_err(|_| Error::Unwritten("authorization"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn with_agent(mut headers: HeaderMap) -> HeaderMap {
    headers.insert(header::USER_AGENT, AGENT);
    headers
}
