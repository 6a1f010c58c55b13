//! What can go wrong, by who has to be told: the person, the client, or whoever started the simulator.

use crate::params::Repeated;
use crate::request::Back;

/// Why the simulator could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The listener could not say which address it is bound to.
    #[error("cannot tell the address of the simulator's listener: {0}")]
    Address(#[source] std::io::Error),
}

/// A fault on the way through sign-in and consent. All but [`AuthorizeError::Back`] end on a page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthorizeError {
    #[error("No client with this client_id is registered here.")]
    UnknownClient,
    #[error("This redirect_uri is not one that the client registered. It must match one of them exactly.")]
    UnknownRedirect,
    #[error("The registered redirect URI is not an absolute URI without a fragment.")]
    UnusableRedirect,
    #[error("The parameter {0} came more than once.")]
    RepeatedOnPage(&'static str),
    #[error(
        "This request has run out, was answered already, or was begun in another browser. Start again from the App."
    )]
    Gone,
    #[error("This form was not sent from a page of ours. Go back, reload the page and try again.")]
    Forged,
    #[error("Say approve or deny.")]
    NoDecision,
    /// RFC 6749 §4.1.2.1: the client is told.
    #[error("{error}: {why}")]
    Back { back: Box<Back>, client_id: String, error: &'static str, why: String },
}

/// A fault of a request from client to token or revocation endpoint (RFC 6749 §5.2).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("{0}")]
    InvalidRequest(String),
    #[error("client authentication failed")]
    InvalidClient,
    #[error("{0}")]
    InvalidGrant(&'static str),
    #[error("grant_type must be authorization_code, refresh_token, client_credentials or that of RFC 8628")]
    UnsupportedGrantType,
    #[error("{0}")]
    InvalidScope(&'static str),
    /// RFC 8628 §3.5: the code says it.
    #[error("the device's code is not to be swapped now: {0}")]
    Device(&'static str),
    /// RFC 7009 §2.2.1.
    #[error("refresh tokens cannot be revoked here")]
    UnsupportedTokenType,
}

/// Why a protected resource is not given out (RFC 6750 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ResourceError {
    #[error("the request carries no bearer token")]
    NoToken,
    #[error("the access token is unknown, expired or revoked")]
    InvalidToken,
    #[error("the access token was not granted the scope {0}")]
    InsufficientScope(&'static str),
}

impl From<Repeated> for AuthorizeError {
    fn from(Repeated(name): Repeated) -> Self {
        Self::RepeatedOnPage(name)
    }
}

impl From<Repeated> for TokenError {
    fn from(Repeated(name): Repeated) -> Self {
        Self::InvalidRequest(format!("{name} came more than once"))
    }
}
