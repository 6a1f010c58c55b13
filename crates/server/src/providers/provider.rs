//! A provider with every address filled in, and where it sends people.

use std::collections::BTreeMap;
use std::sync::Arc;

use oauth2::basic::BasicClient;
use oauth2::{AuthType, AuthUrl, ClientId, ClientSecret, CsrfToken, PkceCodeChallenge, RedirectUrl, Scope};
use url::Url;

use super::Error;
use super::client::{Client, Verifier};
use super::descriptor::{ClientAuth, Descriptor, Pkce, RevokeStyle};
use super::metadata::{Issuer, Metadata};
use super::place::Filled;
use super::reading::speakable;

/// A provider with every address filled in.
#[derive(Debug, Clone)]
pub struct Provider {
    pub(super) descriptor: Arc<Descriptor>,
    issuer: Option<String>,
    id_token_issuer: Option<String>,
    pub(super) client_auth: ClientAuth,
    authorize: Url,
    pub(super) token: Url,
    pub(super) refresh: Url,
    pub(super) device: Option<Url>,
    jwks: Option<Url>,
    pub(super) revoke: Option<Url>,
    pub(super) userinfo: Option<Url>,
    pub(super) permissions: Option<Url>,
    promises_iss: bool,
}

/// What a person is sent to the provider with.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// Which client asks.
    pub client_id: &'a str,
    /// Where the person comes back to; the exchange repeats it to the letter.
    pub redirect_uri: &'a Url,
    /// What the callback must bring back.
    pub state: &'a str,
    /// What is asked for; empty for what the descriptor asks for where nobody says.
    pub scopes: &'a [String],
    /// The flow's proof key. Its [nonce](Verifier::nonce) goes along where `openid` is asked for, and the id_token must
    /// bring it back.
    pub verifier: &'a Verifier,
}

impl Provider {
    /// Fills in what the descriptor leaves open. Where it says `discovery`, its metadata must be there.
    ///
    /// # Errors
    /// When something is missing, or an address is none that may be spoken to, or the metadata is another issuer's.
    pub fn new(
        descriptor: Arc<Descriptor>,
        given: &BTreeMap<String, String>,
        metadata: Option<&Metadata>,
    ) -> Result<Self, Error> {
        let wrong = |field: &str, what: &str| Err(Error::Field(field.to_owned(), what.to_owned()));
        let filled = Filled::new(&descriptor.placeholders, given)?;
        let mut urls = BTreeMap::new();
        for (field, address) in descriptor.addresses() {
            urls.insert(field, speakable(field, &address.fill(&filled)?)?);
        }
        let issuer = descriptor.issuer.as_ref().map(|issuer| issuer.fill(&filled)).transpose()?;
        let of_tokens = descriptor.id_token_issuer.as_ref().map(|issuer| issuer.fill(&filled)).transpose()?;
        if metadata.is_some_and(|found| ![&issuer, &of_tokens].contains(&&Some(found.issuer.clone()))) {
            return wrong("metadata.issuer", "is not the issuer of this provider: read its metadata again");
        }
        // What the descriptor says outright counts more than what the provider says of itself.
        let discovered = metadata.filter(|_| descriptor.discovery);
        let found = |field: &str| {
            let metadata = discovered?;
            match field {
                "authorize_url" => Some(metadata.authorize.clone()),
                "token_url" => Some(metadata.token.clone()),
                "device_url" => metadata.device.clone(),
                "jwks_url" => metadata.jwks.clone(),
                "revoke.url" => metadata.revoke.clone(),
                "userinfo_url" => metadata.userinfo.clone(),
                _ => None,
            }
        };
        if metadata.is_some_and(|metadata| metadata.pkce_s256 == Some(true))
            && descriptor.pkce == Pkce::Unsupported
        {
            return wrong("pkce", "the provider's metadata says that it takes S256: leave it on");
        }
        let listed = || discovered.and_then(Metadata::client_auth);
        let client_auth = descriptor.client_auth.or_else(listed).unwrap_or(ClientAuth::Basic);
        if client_auth == ClientAuth::None && descriptor.pkce == Pkce::Unsupported {
            return wrong("pkce", "a client without a secret needs it, and the metadata lists no other");
        }
        let deletes = descriptor.revoke.as_ref().is_some_and(|rules| rules.style == RevokeStyle::DeleteJson);
        if deletes && matches!(client_auth, ClientAuth::PrivateKeyJwt | ClientAuth::None) {
            return wrong("revoke.style", "delete-json needs a client's secret in the header");
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
        let (device, jwks) = (url("device_url"), url("jwks_url"));
        let permissions = url("permissions_url");
        let promises_iss = metadata.is_some_and(|metadata| metadata.promises_iss);
        let id_token_issuer = of_tokens.or_else(|| issuer.clone());
        Ok(Self {
            descriptor,
            issuer,
            id_token_issuer,
            client_auth,
            authorize,
            token,
            refresh,
            device,
            jwks,
            revoke,
            userinfo,
            permissions,
            promises_iss,
        })
    }

    /// The issuer with everything filled in, before anything else is known: whose metadata is to be read.
    ///
    /// # Errors
    /// When something is missing.
    pub fn issuer_of(
        descriptor: &Descriptor,
        given: &BTreeMap<String, String>,
    ) -> Result<Option<Issuer>, Error> {
        let filled = Filled::new(&descriptor.placeholders, given)?;
        let Some(issuer) = &descriptor.issuer else { return Ok(None) };
        let of_tokens = descriptor.id_token_issuer.as_ref().map(|issuer| issuer.fill(&filled)).transpose()?;
        Ok(Some(Issuer { id: issuer.fill(&filled)?, of_tokens }))
    }

    /// Where secrets go, in one text: equal for the same places.
    pub fn endpoints(&self) -> String {
        let issuer = self.issuer.as_deref().unwrap_or_default();
        format!("{issuer}\n{}\n{}\n{}", self.authorize, self.token, self.refresh)
    }

    /// Whether people are asked at this origin.
    pub(super) fn asks_at(&self, origin: &str) -> bool {
        self.authorize.origin().ascii_serialization() == origin
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

    /// How a client says who it is: as the descriptor says, or else its metadata.
    pub fn client_auth(&self) -> ClientAuth {
        self.client_auth
    }

    /// What `iss` on a callback must equal, if it comes.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// What `iss` in an id_token must equal; `{tenantid}` in it stands for the token's own `tid`. None where nobody said:
    /// no id_token can be verified then.
    pub fn id_token_issuer(&self) -> Option<&str> {
        self.id_token_issuer.as_deref()
    }

    /// Where the keys are that id_tokens are signed with.
    pub fn jwks_url(&self) -> Option<&Url> {
        self.jwks.as_ref()
    }

    /// Where a person is sent to agree.
    pub fn authorize_url(&self, asking: Asking<'_>) -> Url {
        let Asking { client_id, redirect_uri, state, scopes, verifier } = asking;
        let state = state.to_owned();
        let client = BasicClient::new(ClientId::new(client_id.to_owned()))
            .set_auth_uri(AuthUrl::from_url(self.authorize.clone()))
            .set_redirect_uri(RedirectUrl::from_url(redirect_uri.clone()));
        let mut asking = client.authorize_url(|| CsrfToken::new(state));
        let scopes = self.scopes(scopes);
        if !scopes.is_empty() {
            let joined = self.joined(scopes.iter().copied());
            asking = match self.descriptor.scopes.param.as_str() {
                "scope" => asking.add_scope(Scope::new(joined)),
                param => asking.add_extra_param(param.to_owned(), joined),
            };
        }
        if scopes.contains(&"openid") {
            asking = asking.add_extra_param("nonce", verifier.nonce());
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

    /// What is asked for: with what brings a refresh token, and each once.
    pub(super) fn scopes<'a>(&'a self, asked: &'a [String]) -> Vec<&'a str> {
        let rules = &self.descriptor.scopes;
        let mut scopes: Vec<&str> = Vec::new();
        if rules.none {
            return scopes;
        }
        let asked = if asked.is_empty() { &rules.default[..] } else { asked };
        for scope in asked.iter().chain(&rules.offline) {
            if !scopes.contains(&scope.as_str()) {
                scopes.push(scope);
            }
        }
        scopes
    }

    pub(super) fn joined<'a>(&self, scopes: impl Iterator<Item = &'a str>) -> String {
        let separator = self.descriptor.scopes.separator.to_string();
        scopes.collect::<Vec<_>>().join(&separator)
    }

    /// The client as the library writes it. With `private_key_jwt` its id alone: its key must never go out.
    pub(super) fn client(&self, client: Client<'_>) -> BasicClient {
        let library = BasicClient::new(ClientId::new(client.id.to_owned()));
        let (auth, has_secret) = match self.client_auth {
            ClientAuth::Basic => (AuthType::BasicAuth, true),
            ClientAuth::Post => (AuthType::RequestBody, true),
            ClientAuth::PrivateKeyJwt | ClientAuth::None => (AuthType::RequestBody, false),
        };
        let library = library.set_auth_type(auth);
        match has_secret && !client.secret.is_empty() {
            true => library.set_client_secret(ClientSecret::new(client.secret.expose().to_owned())),
            false => library,
        }
    }
}
