//! What can go wrong when an App speaks to the server.

use std::time::Duration;

/// Why a request of the [`Client`](crate::Client) failed.
///
/// Nothing in it, neither `Display` nor `Debug`, carries a token or a stored secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server answered with another status than 200 or 201. The text is its body, trimmed: the
    /// Apps API explains itself in plain text, the REST API v4 in JSON of which this is the `message`.
    #[error("the server answered {status}: {}", if text.is_empty() { "(no text)" } else { text })]
    Status {
        /// The HTTP status.
        status: u16,
        /// The server's words, without surrounding white space; may be empty.
        text: String,
    },
    /// 422: the provider's tokens never live as long as `min_ttl`. Ask for less.
    #[error("{text}")]
    TokenTooShort {
        /// The server's words, with how long they do live.
        text: String,
    },
    /// 503: no token that lives as long as `min_ttl` can be had now, as the provider cannot be asked. The connection
    /// itself is well.
    #[error("{text}")]
    TokenUnavailable {
        /// The server's words.
        text: String,
        /// When it may work.
        retry_after: Duration,
    },
    /// The server answered with a redirect. They are not followed: the token would go along.
    #[error(
        "{status}: the server redirects to {to}; redirects are not followed, set the site URL to where it really is"
    )]
    Redirected {
        /// The HTTP status, 301 to 308.
        status: u16,
        /// Where to, without query.
        to: String,
    },
    /// The context of the call request has no token, so nothing was sent.
    #[error("the call request carries no {0}: {hint}", hint = token_hint(.0))]
    NoToken(&'static str),
    /// The sender of a direct message is not known, so nothing was sent.
    #[error("empty sender user_id, perhaps Call does not expand acting_user")]
    NoSender,
    /// The site URL is not an absolute http or https URL, so nothing was sent.
    #[error("bad site URL {url:?}: {reason}")]
    SiteUrl {
        /// What was given, without user name, password and query.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An argument cannot be sent, so nothing was sent.
    #[error("{0}")]
    Argument(String),
    /// The value to store cannot be written as JSON, so nothing was sent.
    #[error("the value cannot be encoded as JSON: {0}")]
    Encode(String),
    /// The answer is not the JSON that was expected. The text names the place, never the value.
    #[error("failed to decode response: {0}")]
    Decode(String),
    /// The answer is larger than [`RESPONSE_LIMIT`](crate::client::RESPONSE_LIMIT).
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// No answer within the deadline. A write may have happened all the same: it is not repeated.
    #[error("no answer from {site} in time")]
    Timeout {
        /// The site URL.
        site: String,
    },
    /// No connection, or one that broke. A write may have happened all the same: it is not repeated.
    #[error("cannot reach {site}: {reason}")]
    Transport {
        /// The site URL.
        site: String,
        /// The reasons, outermost first.
        reason: String,
    },
    /// The HTTP client could not be made (for example: no root certificates on this machine).
    #[error("cannot set up the HTTP client: {0}")]
    Setup(String),
}

impl Error {
    /// The HTTP status that the server answered with, if it answered.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } | Self::Redirected { status, .. } => Some(*status),
            Self::TokenTooShort { .. } => Some(422),
            Self::TokenUnavailable { .. } => Some(503),
            _ => None,
        }
    }

    /// The server's own words, trimmed, if it answered with an error status.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Status { text, .. }
            | Self::TokenTooShort { text }
            | Self::TokenUnavailable { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The token is missing, unknown, expired, or may not do this. (The Apps API answers a missing
    /// permission with 401 too; the text tells which.)
    pub fn is_unauthorized(&self) -> bool {
        matches!(self, Self::NoToken(_)) || self.status() == Some(401)
    }

    /// 403: known, and not allowed.
    pub fn is_forbidden(&self) -> bool {
        self.status() == Some(403)
    }

    /// 404: no such App, user or route.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }

    /// 409: the record is managed by the server, so the App may not store one.
    pub fn is_conflict(&self) -> bool {
        self.status() == Some(409)
    }

    /// What was sent is larger than the server takes: 413, or the 500 with which the original says so.
    pub fn is_too_large(&self) -> bool {
        match self {
            Self::Status { status: 413, .. } => true,
            Self::Status { status: 500, text } => text.contains("size limit"),
            _ => false,
        }
    }

    /// No answer within the deadline.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout { .. })
    }
}

fn token_hint(field: &str) -> &'static str {
    if field == "bot_access_token" {
        "the App's manifest must request the permission act_as_bot"
    } else {
        "the call must expand it with level all, and the manifest request the permission act_as_user"
    }
}
