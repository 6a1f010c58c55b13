//! Managed connections: an administrator names the App's provider, the server keeps the tokens, and the App uses them.
//!
//! The App has no OAuth2 code: no client secret, no refresh token, no callback. It asks for a token when it needs one
//! ([`Client::oauth2_token`](crate::Client::oauth2_token)), and shows a link to people who must agree first:
//!
//! ```
//! use tessera_driver::{CallRequest, Client, Error, OAuth2ContextExt};
//!
//! async fn use_remote_service(creq: CallRequest) -> Result<String, Error> {
//!     let connection = Client::as_acting_user(&creq.context).oauth2_token(None).await?;
//!     let Some(token) = connection.token else {
//!         // Not connected, not connected any more, or the provider is away.
//!         return Ok(format!("{}: [connect]({})", connection.status, creq.context.oauth2.connect_link()));
//!     };
//!     let _bearer = token.access_token.expose();
//!     Ok("Done.".into())
//! }
//! # use std::time::Duration;
//! # use tessera_driver::{App, ConnectionStatus, manifest, test};
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! # let service = test::FakeService::start().await.unwrap();
//! # service.manage(Duration::from_secs(3600));
//! # let app = App::new(manifest("page", "Page")).call("/use", use_remote_service).into_router();
//! # let call = test::call("/use").service(&service).acting_user("ann");
//! # assert!(call.send(app.clone()).await.unwrap().text.starts_with("not connected: [connect](http"));
//! # service.set_connection("ann", ConnectionStatus::Connected);
//! # assert_eq!(call.send(app).await.unwrap().text, "Done.");
//! # });
//! ```

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use tessera_types::{AccessToken, OAuth2Context, RawJson};
use time::OffsetDateTime;

use crate::client::decode;
use crate::{Error, oauth2};

/// How a person's connection with the App stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionStatus {
    /// It works. Of one that the App keeps itself: there is a record.
    Connected,
    /// It works, with fewer scopes than were asked for: some requests will be refused. A new consent may help.
    MissingScopes,
    /// Only a new consent helps: show [`connect_link`](OAuth2ContextExt::connect_link). A token may still be there, and
    /// works until it ends.
    NeedsReconnect,
    /// The token has ended, and the provider cannot be asked for another one right now. Nothing is lost: try again.
    Unavailable {
        /// When it may work; `None` where that is not known, as in a call's context.
        retry_after: Option<Duration>,
    },
    /// There is none: show [`connect_link`](OAuth2ContextExt::connect_link).
    NotConnected,
}

impl ConnectionStatus {
    /// Whether the person must go to the provider before anything works (again).
    pub fn needs_consent(&self) -> bool {
        matches!(self, Self::NeedsReconnect | Self::NotConnected)
    }

    /// The word on the wire, in `context.oauth2.status` and the header `Tessera-Connection`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::MissingScopes => "missing_scopes",
            Self::NeedsReconnect => "needs_reconnect",
            Self::Unavailable { .. } => "unavailable",
            Self::NotConnected => "not_connected",
        }
    }

    /// What a word means; `None` for one of a newer server.
    fn of(word: &str) -> Option<Self> {
        let known = [Self::Connected, Self::MissingScopes, Self::NeedsReconnect, Self::NotConnected];
        let unavailable = [Self::Unavailable { retry_after: None }];
        known.into_iter().chain(unavailable).find(|status| status.word() == word)
    }
}

/// In words that can be shown to a person.
impl fmt::Display for ConnectionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connected => "connected",
            Self::MissingScopes => "connected, with less than was asked for",
            Self::NeedsReconnect => "the connection has ended",
            Self::Unavailable { .. } => "the provider cannot be reached right now",
            Self::NotConnected => "not connected",
        })
    }
}

/// What [`Client::oauth2_token`](crate::Client::oauth2_token) found.
#[derive(Clone, Debug)]
#[must_use]
pub struct Connection {
    /// How it stands.
    pub status: ConnectionStatus,
    /// The token, unless there is none to be given; `status` then says why.
    pub token: Option<LiveToken>,
}

/// A token that lives: what the remote service is called with, and nothing that gets another one.
#[derive(Clone, Deserialize)]
pub struct LiveToken {
    /// What the remote service is called with.
    pub access_token: AccessToken,
    /// `Bearer` in practice; empty means that too.
    #[serde(default)]
    pub token_type: String,
    /// When it ends; `None`: it does not, or nobody knows. There is no need to look: ask again for each use.
    #[serde(default, deserialize_with = "oauth2::expiry")]
    pub expiry: Option<OffsetDateTime>,
    /// What was granted, separated by spaces (RFC 6749 section 3.3); empty where the provider does not tell.
    #[serde(default)]
    pub scope: String,
    /// Whose account it is at the provider.
    #[serde(default)]
    pub account: Account,
    /// What the provider gave besides, by the names of its reply: an instance's address, for example.
    #[serde(default)]
    pub extra: Map<String, Value>,
}

/// An account at the provider. What the provider does not tell is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Account {
    /// Its own id there: the same for the same account, forever.
    pub id: String,
    /// What people know it by.
    pub name: String,
}

impl LiveToken {
    /// Whether this scope was granted. Providers that tell nothing say no to all.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scope.split_whitespace().any(|granted| granted == scope)
    }
}

/// Of what the provider gave besides, the names alone.
impl fmt::Debug for LiveToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { access_token, token_type, expiry, scope, account, extra } = self;
        f.debug_struct("LiveToken")
            .field("access_token", access_token)
            .field("token_type", token_type)
            .field("expiry", expiry)
            .field("scope", scope)
            .field("account", account)
            .field("extra", &extra.keys().collect::<Vec<_>>())
            .finish()
    }
}

impl Connection {
    /// From the answer to R03: its body, and the header that says how the connection stands unless all is well.
    pub(crate) fn read(body: &[u8], word: Option<&str>) -> Result<Self, Error> {
        let told = word.and_then(ConnectionStatus::of);
        // `null` and `{}` are what Apps store to disconnect.
        if matches!(body.trim_ascii(), b"" | b"null" | b"{}") {
            return Ok(Self { status: told.unwrap_or(ConnectionStatus::NotConnected), token: None });
        }
        let token = decode(body)?;
        Ok(Self { status: told.unwrap_or(ConnectionStatus::Connected), token: Some(token) })
    }
}

/// How the acting user's connection stands, as a call's context tells it (`oauth2_user` expanded).
pub trait OAuth2ContextExt {
    /// How it stands. Where the App keeps its users' tokens itself: connected, if there is a record.
    fn status(&self) -> ConnectionStatus;

    /// Where a browser connects, or connects again (with `oauth2_app` expanded; after `oauth2_user` alone the link is
    /// there when it is needed).
    fn connect_link(&self) -> &str;
}

impl OAuth2ContextExt for OAuth2Context {
    fn status(&self) -> ConnectionStatus {
        match ConnectionStatus::of(&self.status) {
            Some(status) => status,
            None if self.user.as_ref().is_none_or(RawJson::is_null) => ConnectionStatus::NotConnected,
            None => ConnectionStatus::Connected,
        }
    }

    fn connect_link(&self) -> &str {
        if self.reconnect_url.is_empty() { &self.connect_url } else { &self.reconnect_url }
    }
}
