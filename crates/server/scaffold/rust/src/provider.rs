//! The OAuth2 provider: its endpoints by discovery, a code swapped for a token, a token refreshed and used.

use std::time::Duration;

use reqwest::{RequestBuilder, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tessera_driver::oauth2::OAuth2Token;
use tessera_driver::time::OffsetDateTime;
use tessera_driver::{AccessToken, OAuth2Context, RefreshToken, http_client_builder};

/// What a person is told when something fails. It never holds what the provider answered.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What is asked for: who the user is. Add here what the App is to do in their name.
const SCOPE: &str = "openid profile email";
/// A token with less life left than this is refreshed before it is used.
const MIN_TTL: Duration = Duration::from_secs(30);

/// What a provider says of itself (OpenID Connect Discovery, RFC 8414).
#[derive(Deserialize)]
pub struct Endpoints {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: String,
}

/// A provider, and the App's credentials there.
pub struct Provider<'a> {
    endpoints: Endpoints,
    oauth2: &'a OAuth2Context,
    http: reqwest::Client,
}

/// Asks the provider at this address where everything is.
pub async fn discover(root_url: &str) -> Result<Endpoints, Failure> {
    let root_url = root_url.trim_end_matches('/');
    for name in ["openid-configuration", "oauth-authorization-server"] {
        let url = Url::parse(&format!("{root_url}/.well-known/{name}"))?;
        let Ok(endpoints) = answer::<Endpoints>(http()?.get(url)).await else { continue };
        // Only the provider itself may say where codes and secrets go.
        if endpoints.issuer.trim_end_matches('/') == root_url {
            return Ok(endpoints);
        }
    }
    Err(format!("no OAuth2 provider describes itself at {root_url}").into())
}

impl<'a> Provider<'a> {
    /// The provider that an administrator named with `configure`.
    pub async fn of(oauth2: &'a OAuth2Context) -> Result<Self, Failure> {
        if oauth2.client_id.is_empty() {
            return Err("an administrator has to configure this App first".into());
        }
        let endpoints = discover(&oauth2.remote_root_url).await?;
        Ok(Self { endpoints, oauth2, http: http()? })
    }

    /// Where a person is asked for consent (RFC 6749 section 4.1.1).
    pub fn authorize_url(&self, state: &str) -> Result<String, Failure> {
        let query = [
            ("response_type", "code"),
            ("client_id", &self.oauth2.client_id),
            ("redirect_uri", &self.oauth2.complete_url),
            ("scope", SCOPE),
            ("state", state),
            // How Google is asked for a refresh token; others pass over it.
            ("access_type", "offline"),
            ("prompt", "consent"),
        ];
        Ok(Url::parse_with_params(&self.endpoints.authorization_endpoint, query)?.into())
    }

    /// Swaps the code for a token (section 4.1.3).
    pub async fn exchange(&self, code: &str) -> Result<OAuth2Token, Failure> {
        let redirect_uri = self.oauth2.complete_url.as_str();
        let form =
            [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect_uri)];
        self.token(&form, None).await
    }

    /// A new token in place of one that ends, `None` for one that lives on (section 6).
    pub async fn refreshed(&self, token: &OAuth2Token) -> Result<Option<OAuth2Token>, Failure> {
        if !token.expires_within(OffsetDateTime::now_utc(), MIN_TTL) {
            return Ok(None);
        }
        let old = token.refresh_token.as_ref().ok_or("the connection has ended: connect again")?;
        let form = [("grant_type", "refresh_token"), ("refresh_token", old.expose())];
        self.token(&form, Some(old)).await.map(Some)
    }

    /// Whose token it is: a name, or else the provider's own id of the person.
    pub async fn user_name(&self, token: &OAuth2Token) -> Result<String, Failure> {
        #[derive(Deserialize)]
        struct User {
            sub: String,
            name: Option<String>,
        }
        let url = self.endpoints.userinfo_endpoint.as_str();
        let request = self.http.get(url).bearer_auth(token.access_token.expose());
        let user: User = answer(request).await?;
        // Somebody else's text, to be shown as code: it must not end the code.
        Ok(user.name.unwrap_or(user.sub).replace('`', "'"))
    }

    async fn token(
        &self,
        form: &[(&str, &str)],
        old: Option<&RefreshToken>,
    ) -> Result<OAuth2Token, Failure> {
        #[derive(Deserialize)]
        struct Answer {
            access_token: AccessToken,
            refresh_token: Option<RefreshToken>,
            expires_in: Option<u64>,
        }
        let (id, secret) = (&self.oauth2.client_id, self.oauth2.client_secret.expose());
        let request = self.http.post(&self.endpoints.token_endpoint).basic_auth(id, Some(secret));
        let new: Answer = answer(request.form(form)).await?;
        Ok(OAuth2Token::new(new.access_token)
            // An answer without a new refresh token leaves the old one in force.
            .refresh_token(new.refresh_token.or_else(|| old.cloned()))
            .expires_in(OffsetDateTime::now_utc(), new.expires_in.map(Duration::from_secs)))
    }
}

/// Follows no redirect: secrets go where they were meant to go, and nowhere else.
fn http() -> Result<reqwest::Client, Failure> {
    Ok(http_client_builder()?.timeout(Duration::from_secs(10)).build()?)
}

/// Sends a request, and reads JSON from a 200. Of any other answer only the status is told.
async fn answer<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, Failure> {
    let response = request.send().await.map_err(|_| "the provider cannot be reached")?;
    let status = response.status().as_u16();
    if status != 200 {
        return Err(match status {
            400 | 401 => "the provider does not accept this connection: connect again".into(),
            _ => Failure::from(format!("the provider answered with status {status}")),
        });
    }
    let body = response.bytes().await.map_err(|_| "the provider's answer broke off")?;
    serde_json::from_slice(&body).map_err(|_| "the provider's answer cannot be read".into())
}
