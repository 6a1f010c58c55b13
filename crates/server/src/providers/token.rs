//! Requests that bring tokens.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth2::{
    AuthorizationCode as Code, RedirectUrl, RefreshToken as Refresh, Scope,
    StandardDeviceAuthorizationResponse, TokenUrl,
};
use tessera_types::{AuthorizationCode, RefreshToken};
use url::Url;

use super::Error;
use super::client::{Client, Verifier};
use super::descriptor::Pkce;
use super::outgoing::{Kept, Outgoing};
use super::provider::Provider;
use crate::env::Env;

impl Provider {
    /// Swaps a code, with the redirect URI and the proof key of its flow (RFC 6749 section 4.1.3).
    ///
    /// # Errors
    /// When the library cannot write it, or the client's key cannot sign.
    pub fn exchange(
        &self,
        env: &Env,
        client: Client<'_>,
        code: &AuthorizationCode,
        redirect_uri: &Url,
        verifier: &Verifier,
    ) -> Result<Outgoing, Error> {
        let with_token = self.client(client).set_token_uri(TokenUrl::from_url(self.token.clone()));
        let mut asking = with_token.exchange_code(Code::new(code.expose().to_owned()));
        asking = asking.set_redirect_uri(Cow::Owned(RedirectUrl::from_url(redirect_uri.clone())));
        if self.descriptor.pkce == Pkce::S256 {
            asking = asking.set_pkce_verifier(verifier.of_library());
        }
        for (name, value) in &self.descriptor.token_params {
            asking = asking.add_extra_param(name.clone(), value.clone());
        }
        let kept = Kept::default();
        let _ = asking.request(&kept);
        self.finished(env, client, kept.request("token")?)
    }

    /// Refreshes a token (RFC 6749 section 6). `scopes` were granted: they are named again only where the provider wants
    /// it, and never more.
    ///
    /// # Errors
    /// When the library cannot write it, or the client's key cannot sign.
    pub fn refresh(
        &self,
        env: &Env,
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
        self.finished(env, client, kept.request("token")?)
    }

    /// Asks for a token of the client's own (RFC 6749 section 4.4). Exactly `scopes` are asked for, and none where there
    /// are none: a descriptor's defaults are for people.
    ///
    /// # Errors
    /// When the library cannot write it, or the client's key cannot sign.
    pub fn client_credentials(
        &self,
        env: &Env,
        client: Client<'_>,
        scopes: &[String],
    ) -> Result<Outgoing, Error> {
        let with_token = self.client(client).set_token_uri(TokenUrl::from_url(self.token.clone()));
        let mut asking = with_token.exchange_client_credentials();
        if !scopes.is_empty() && !self.descriptor.scopes.none {
            let joined = self.joined(scopes.iter().map(String::as_str));
            asking = match self.descriptor.scopes.param.as_str() {
                "scope" => asking.add_scope(Scope::new(joined)),
                param => asking.add_extra_param(param.to_owned(), joined),
            };
        }
        let kept = Kept::default();
        let _ = asking.request(&kept);
        self.finished(env, client, kept.request("token")?)
    }

    /// Asks whether the person has agreed on another device by now (RFC 8628 section 3.4).
    ///
    /// # Errors
    /// When the library cannot write it, or the client's key cannot sign.
    pub fn device_token(
        &self,
        env: &Env,
        client: Client<'_>,
        device_code: &AuthorizationCode,
    ) -> Result<Outgoing, Error> {
        let with_token = self.client(client).set_token_uri(TokenUrl::from_url(self.token.clone()));
        // Of the reply that the library wants back it writes the code alone.
        let reply = serde_json::json!({
            "device_code": device_code.expose(),
            "user_code": "-",
            "verification_uri": self.token.as_str(),
            "expires_in": 1,
        });
        let reply: StandardDeviceAuthorizationResponse =
            serde_json::from_value(reply).map_err(|_| Error::Unwritten("token"))?;
        // It would poll by the ambient clock: this one stands still, and the first answer ends it.
        let asking = with_token.exchange_device_access_token(&reply).set_time_fn(Default::default);
        let kept = Kept::default();
        let _ = asking.request(&kept, |_| {}, None);
        self.finished(env, client, kept.request("token")?)
    }

    /// A code exchange that must fail, to learn what the provider thinks of the client: see
    /// [`verdict`](super::verdict). Its code is one that cannot exist.
    ///
    /// # Errors
    /// When the library cannot write it, or the client's key cannot sign.
    pub fn probe(&self, env: &Env, client: Client<'_>, redirect_uri: &Url) -> Result<Outgoing, Error> {
        let unknown = env.bytes::<16>().map_err(|_| Error::NoRandomness)?;
        let code = AuthorizationCode::new(format!("tessera-probe-{}", URL_SAFE_NO_PAD.encode(unknown)));
        let verifier = Verifier::new(env).map_err(|_| Error::NoRandomness)?;
        self.exchange(env, client, &code, redirect_uri, &verifier)
    }
}
