//! The OAuth2 provider and the calendar behind it, spoken to with the user's token.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use axum::http;
use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use oauth2::basic::{BasicClient, BasicErrorResponseType, BasicTokenResponse};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, TokenResponse as _, TokenUrl,
};
use serde::Deserialize;
use tessera_driver::oauth2::OAuth2Token;
use tessera_driver::time::OffsetDateTime;
use tessera_driver::{AccessToken, OAuth2Context, RefreshToken, http_client_builder};

use crate::settings::{ClientAuth, ProviderSettings};

/// No answer of a provider or a calendar list is larger than this, in bytes.
const RESPONSE_LIMIT: usize = 1 << 20;
/// Two of these fit into the 30 seconds of a call: refresh, then read.
const TIMEOUT: Duration = Duration::from_secs(12);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);

/// Why the provider did not give what it was asked for. Texts are for the chat user.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The administrator has not stored a client id.
    #[error(
        "this App is not configured yet: a system administrator has to use `/hello-oauth2 configure` first"
    )]
    NotConfigured,
    /// The token is not accepted (any more), and no new one can be had without the user.
    #[error(
        "{provider} does not accept your connection any more. Use `/hello-oauth2 connect` to connect again"
    )]
    ConnectAgain {
        /// The provider's name.
        provider: String,
    },
    /// The provider answered with one of RFC 6749's errors.
    #[error("{provider} refused: {reason}")]
    Refused {
        /// The provider's name.
        provider: String,
        /// Its error code and description.
        reason: String,
    },
    /// The callback names another issuer, or none although this provider always names itself.
    #[error("the answer did not come from {provider}. Use `/hello-oauth2 connect` to try again")]
    WrongIssuer {
        /// The provider's name.
        provider: String,
    },
    /// The provider cannot be reached or answered something else.
    #[error("{provider} could not be asked: {reason}")]
    Unavailable {
        /// The provider's name.
        provider: String,
        /// What happened; holds nothing of the answer.
        reason: String,
    },
}

/// A provider and the HTTP client it is reached with.
#[derive(Clone)]
pub(crate) struct Provider {
    settings: ProviderSettings,
    http: Http,
}

/// What the `oauth2` crate, and the App itself, send their requests with.
#[derive(Clone)]
struct Http(reqwest::Client);

type ConfiguredClient = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

impl Provider {
    /// # Errors
    ///
    /// When the HTTP client cannot be made, in words.
    pub(crate) fn new(settings: ProviderSettings) -> Result<Self, String> {
        // A token endpoint that redirects would get the code and the client secret sent elsewhere: it is not followed.
        let http = http_client_builder()?
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            // Some providers refuse requests without one.
            .user_agent(concat!("hello-oauth2/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { settings, http: Http(http) })
    }

    /// The page's `oauth2Config`.
    fn client(&self, oauth2: &OAuth2Context) -> Result<ConfiguredClient, ProviderError> {
        if oauth2.client_id.is_empty() {
            return Err(ProviderError::NotConfigured);
        }
        let secret = oauth2.client_secret.expose();
        let client = BasicClient::new(ClientId::new(oauth2.client_id.clone()))
            .set_client_secret(ClientSecret::new(secret.to_owned()))
            .set_auth_type(match self.settings.client_auth {
                ClientAuth::Basic => AuthType::BasicAuth,
                ClientAuth::Form => AuthType::RequestBody,
            })
            .set_auth_uri(AuthUrl::from_url(self.settings.authorize_url.clone()))
            .set_token_uri(TokenUrl::from_url(self.settings.token_url.clone()));
        let redirect = RedirectUrl::new(oauth2.complete_url.clone())
            .map_err(|_| self.unavailable("the call request has no complete_url"))?;
        Ok(client.set_redirect_uri(redirect))
    }

    /// Where the browser goes: the authorization request of RFC 6749 section 4.1.1.
    pub(crate) fn authorize_url(&self, oauth2: &OAuth2Context, state: &str) -> Result<String, ProviderError> {
        let client = self.client(oauth2)?;
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&self.verifier(oauth2, state));
        let mut request = client
            .authorize_url(|| CsrfToken::new(state.to_owned()))
            .add_scopes(self.settings.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(challenge);
        for (name, value) in &self.settings.authorize_params {
            request = request.add_extra_param(name, value);
        }
        Ok(request.url().0.into())
    }

    /// Swaps the authorization code for a token (RFC 6749 section 4.1.3).
    pub(crate) async fn exchange(
        &self,
        oauth2: &OAuth2Context,
        code: &str,
        state: &str,
        now: OffsetDateTime,
    ) -> Result<OAuth2Token, ProviderError> {
        let client = self.client(oauth2)?;
        let answer = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(self.verifier(oauth2, state))
            .request_async(&self.http)
            .await;
        answer.map(|answer| token(&answer, None, now)).map_err(|error| self.token_error(error))
    }

    /// A new access token for the old refresh token (RFC 6749 section 6).
    pub(crate) async fn refresh(
        &self,
        oauth2: &OAuth2Context,
        refresh_token: &RefreshToken,
        now: OffsetDateTime,
    ) -> Result<OAuth2Token, ProviderError> {
        let client = self.client(oauth2)?;
        let old = oauth2::RefreshToken::new(refresh_token.expose().to_owned());
        let answer = client.exchange_refresh_token(&old).request_async(&self.http).await;
        answer.map(|answer| token(&answer, Some(refresh_token), now)).map_err(|error| match error {
            // The refresh token was revoked, has expired, or was used before (section 5.2).
            RequestTokenError::ServerResponse(answer)
                if *answer.error() == BasicErrorResponseType::InvalidGrant =>
            {
                self.connect_again()
            }
            other => self.token_error(other),
        })
    }

    /// Whether a callback is this provider's (RFC 9207 section 2.4): compared as texts, not as URLs.
    pub(crate) fn check_issuer(&self, iss: Option<&str>) -> Result<(), ProviderError> {
        match &self.settings.issuer {
            Some(issuer) if iss != Some(issuer) => {
                Err(ProviderError::WrongIssuer { provider: self.settings.name.clone() })
            }
            _ => Ok(()),
        }
    }

    /// Tells the provider that a token is not needed any more (RFC 7009); false where it cannot be told.
    ///
    /// The request is made by hand, for the `oauth2` crate revokes over https alone and this App is also tried
    /// out on loopback.
    pub(crate) async fn revoke(
        &self,
        oauth2: &OAuth2Context,
        token: &OAuth2Token,
    ) -> Result<bool, ProviderError> {
        let Some(url) = &self.settings.revoke_url else { return Ok(false) };
        let (token, hint) = match &token.refresh_token {
            Some(token) => (token.expose(), "refresh_token"),
            None => (token.access_token.expose(), "access_token"),
        };
        let (id, secret) = (oauth2.client_id.as_str(), oauth2.client_secret.expose());
        let mut form = vec![("token", token), ("token_type_hint", hint)];
        let request = self.http.0.post(url.clone());
        let request = match self.settings.client_auth {
            ClientAuth::Basic => {
                // Form-encoded first (RFC 6749 section 2.3.1).
                let encoded =
                    |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                request.basic_auth(encoded(id), Some(encoded(secret)))
            }
            ClientAuth::Form => {
                form.extend([("client_id", id), ("client_secret", secret)]);
                request
            }
        };
        let answer = request.form(&form).send().await.map_err(|error| self.unavailable(reason(error)))?;
        match answer.status() {
            status if status.is_success() => Ok(true),
            status => Err(self.unavailable(format!("it answered with status {}", status.as_u16()))),
        }
    }

    /// The titles of the user's calendars.
    pub(crate) async fn calendars(&self, token: &AccessToken) -> Result<Vec<String>, ProviderError> {
        #[derive(Deserialize)]
        struct Calendars {
            #[serde(default)]
            items: Vec<Calendar>,
        }
        #[derive(Deserialize)]
        struct Calendar {
            summary: String,
        }
        let request = self.http.0.get(self.settings.calendar_url.clone()).bearer_auth(token.expose());
        let answer = request.send().await.map_err(|error| self.unavailable(reason(error)))?;
        let status = answer.status();
        if status == reqwest::StatusCode::UNAUTHORIZED {
            return Err(self.connect_again());
        }
        if !status.is_success() {
            return Err(self.unavailable(format!("it answered with status {}", status.as_u16())));
        }
        let body = read(answer).await.map_err(|error| self.unavailable(error.0))?;
        let calendars: Calendars = serde_json::from_slice(&body)
            .map_err(|_| self.unavailable("its answer is not a list of calendars"))?;
        Ok(calendars.items.into_iter().map(|calendar| calendar.summary).collect())
    }

    /// The PKCE verifier (RFC 7636) that belongs to a state: HMAC-SHA256 of the state under the client secret.
    ///
    /// The App keeps nothing between connect and complete, so the verifier has to follow from what it gets
    /// both times. It serves as well as a random one: the state is 32 random bytes, used once, and whoever
    /// sees it in a URL cannot make the verifier without the client secret. A code that was stolen and is
    /// brought back under another state meets another verifier, and the provider refuses it.
    fn verifier(&self, oauth2: &OAuth2Context, state: &str) -> PkceCodeVerifier {
        let mac = Hmac::<sha2::Sha256>::new_from_slice(oauth2.client_secret.expose().as_bytes());
        let Ok(mut mac) = mac else { unreachable!("HMAC takes a key of any length") };
        mac.update(b"hello-oauth2 pkce verifier\0");
        mac.update(state.as_bytes());
        let bytes = mac.finalize().into_bytes();
        // 43 characters, all of them allowed in a verifier.
        PkceCodeVerifier::new(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
    }

    fn token_error(&self, error: TokenError) -> ProviderError {
        match error {
            RequestTokenError::ServerResponse(answer) => {
                let description = answer.error_description().map(String::as_str);
                self.refused(answer.error().as_ref(), description)
            }
            RequestTokenError::Request(error) => self.unavailable(error.0),
            // The answer itself may hold a token, so none of it is repeated.
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                self.unavailable("its answer is not a token")
            }
        }
    }

    /// For an `error` that came to the redirect URI or the token endpoint. Anybody can write one into a
    /// URL, so it is cut short and shown as text only.
    pub(crate) fn refused(&self, error: &str, description: Option<&str>) -> ProviderError {
        let plain = |text: &str| -> String {
            text.chars().filter(|c| !c.is_control() && !"`[]()<>*@#!|\\".contains(*c)).take(200).collect()
        };
        let mut reason = format!("`{}`", plain(error));
        if let Some(description) = description.map(plain).filter(|text| !text.is_empty()) {
            reason.push_str(": ");
            reason.push_str(&description);
        }
        ProviderError::Refused { provider: self.settings.name.clone(), reason }
    }

    pub(crate) fn name(&self) -> &str {
        &self.settings.name
    }

    pub(crate) fn connect_again(&self) -> ProviderError {
        ProviderError::ConnectAgain { provider: self.settings.name.clone() }
    }

    fn unavailable(&self, reason: impl Into<String>) -> ProviderError {
        ProviderError::Unavailable { provider: self.settings.name.clone(), reason: reason.into() }
    }
}

impl<'c> oauth2::AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<oauth2::HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: oauth2::HttpRequest) -> Self::Future {
        Box::pin(async move {
            let request = reqwest::Request::try_from(request).map_err(|error| HttpError(reason(error)))?;
            let answer = self.0.execute(request).await.map_err(|error| HttpError(reason(error)))?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            let mut response = http::Response::new(read(answer).await?);
            *response.status_mut() = status;
            *response.headers_mut() = headers;
            Ok(response)
        })
    }
}

type TokenError = RequestTokenError<HttpError, oauth2::basic::BasicErrorResponse>;

/// A request that got no usable answer. Holds no URL, header or body.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct HttpError(String);

fn reason(error: reqwest::Error) -> String {
    let what = if error.is_timeout() {
        "it did not answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    };
    what.to_owned()
}

async fn read(mut answer: reqwest::Response) -> Result<Vec<u8>, HttpError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| HttpError(reason(error)))? {
        if body.len() + chunk.len() > RESPONSE_LIMIT {
            return Err(HttpError("its answer is too large".into()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn token(answer: &BasicTokenResponse, old: Option<&RefreshToken>, now: OffsetDateTime) -> OAuth2Token {
    // A refresh that brings no new refresh token leaves the old one in force (section 6).
    let refresh_token = answer.refresh_token().map(|new| RefreshToken::new(new.secret().clone()));
    OAuth2Token::new(AccessToken::new(answer.access_token().secret().clone()))
        .refresh_token(refresh_token.or_else(|| old.cloned()))
        .expires_in(now, answer.expires_in())
}
