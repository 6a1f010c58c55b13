//! The server as an App sees it.

mod admin;
mod oauth2;
mod rest;
mod tls;
mod token;
mod transport;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde::Serialize;
use tessera_types::{AccessToken, CallRequest, CallResponse, Context, json, routes};

use crate::Error;
pub use oauth2::{Pending, Stored};
pub(crate) use transport::decode;
pub use transport::http_client_builder;
use transport::{Answer, Outgoing, Transport};
pub use transport::{CONNECT_TIMEOUT, RESPONSE_LIMIT, TIMEOUT};

/// A client of the Apps API and of the REST API v4, with the token of the App's bot or of a user.
///
/// Making one costs nothing: make it where the call is handled and drop it there. The tokens live for
/// minutes, so keep neither. All clients share one pool of connections.
///
/// What it sends: `Authorization: Bearer …`, `Accept: */*`, and with a body `Content-Type:
/// application/json`. What it does not do: follow redirects, repeat a request, or use a proxy from the
/// environment ([`http_client`](Self::http_client) for those who need one). A request takes at most
/// [`TIMEOUT`]; an answer may have [`RESPONSE_LIMIT`] bytes.
#[derive(Clone)]
pub struct Client {
    site_url: String,
    /// `Err` names the member of the context that should have had it.
    token: Result<AccessToken, &'static str>,
    /// Who the token belongs to, as far as is known; direct messages need it.
    sender: Option<String>,
    http: Option<reqwest::Client>,
    timeout: Option<Duration>,
}

impl Client {
    /// A client with the bot's token. `act_as_bot` in the manifest gives it to every call.
    pub fn as_bot(context: &Context) -> Self {
        let sender = Some(context.bot_user_id.clone()).filter(|id| !id.is_empty());
        Self::of(context, &context.bot_access_token, "bot_access_token", sender)
    }

    /// A client with the acting user's token. The call must expand `acting_user_access_token` with level
    /// `all` (and `acting_user` for direct messages); the manifest must request `act_as_user`.
    pub fn as_acting_user(context: &Context) -> Self {
        let sender = context.acting_user.as_ref().map(|user| user.id.clone());
        Self::of(context, &context.acting_user_access_token, "acting_user_access_token", sender)
    }

    /// A client with a token got in another way, for example an administrator's for installing Apps.
    pub fn new(site_url: impl Into<String>, token: AccessToken) -> Self {
        Self { site_url: site_url.into(), token: Ok(token), sender: None, http: None, timeout: None }
    }

    fn of(context: &Context, token: &AccessToken, member: &'static str, sender: Option<String>) -> Self {
        let token = if token.is_empty() { Err(member) } else { Ok(token.clone()) };
        Self { site_url: context.mattermost_site_url.clone(), token, sender, http: None, timeout: None }
    }

    /// Sets whose token it is, for [`dm`](Self::dm) with a client made by [`new`](Self::new).
    #[must_use]
    pub fn sender(mut self, user_id: impl Into<String>) -> Self {
        self.sender = Some(user_id.into());
        self
    }

    /// Another deadline for each request than [`TIMEOUT`].
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Another HTTP client, for a proxy or certificates of one's own. Build it so that it follows no
    /// redirects: the token would go along.
    #[must_use]
    pub fn http_client(mut self, http: reqwest::Client) -> Self {
        self.http = Some(http);
        self
    }

    /// Makes a call of an App, as a user agent does. A response of type `error` is a response, no [`Error`].
    ///
    /// # Errors
    ///
    /// See [`Error`]; `context.app_id` must name the App.
    pub async fn call(&self, creq: &CallRequest) -> Result<CallResponse, Error> {
        decode(&self.api(Method::POST, routes::CALL, Some(encode(creq)?)).await?)
    }

    /// `route` is below the API root.
    async fn api(&self, method: Method, route: &str, body: Option<Vec<u8>>) -> Result<Bytes, Error> {
        self.send(method, &format!("{}{route}", routes::API_V1), body).await
    }

    /// `path` is below the site URL. Gives the body of a 200 or 201.
    async fn send(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<Bytes, Error> {
        self.ask(method, path, body).await?.good()
    }

    /// The same, with whatever is answered.
    async fn ask(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<Answer, Error> {
        let token = self.token.as_ref().map_err(|member| Error::NoToken(member))?;
        let site = transport::site(&self.site_url)?;
        let http = match &self.http {
            Some(http) => http.clone(),
            None => transport::shared()?,
        };
        Transport { site, http, timeout: self.timeout }.send(Outgoing { method, path, token, body }).await
    }
}

/// A value that cannot be written is an error, never an empty body.
fn encode(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    json::to_vec(value).map_err(|error| Error::Encode(error.to_string()))
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let site = transport::site(&self.site_url).unwrap_or_else(|error| error.to_string());
        f.debug_struct("Client")
            .field("site_url", &site)
            .field("sender", &self.sender)
            .finish_non_exhaustive()
    }
}
