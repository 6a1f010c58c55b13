//! Why a call got no answer, in the wire's texts (section 7.5).

use http::StatusCode;
use tessera_types::error::Kind;
use tessera_types::json;

use crate::egress;

/// Why a call got no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The App has nothing at this path.
    #[error("failed to invoke via HTTP: {url}: not found")]
    NotFound {
        /// The whole URL that was called.
        url: String,
    },
    /// Any other status but 200: the App's own words, or its status line when it has none (B-53).
    #[error("failed to invoke via HTTP: {0}")]
    Status(String),
    /// The App sent us elsewhere, and we do not go.
    #[error("failed to invoke via HTTP: {url}: answered with a redirect ({status}), which is not followed")]
    Redirect {
        /// The whole URL that was called.
        url: String,
        /// Which redirect.
        status: StatusCode,
    },
    /// No reply.
    #[error("failed to invoke via HTTP: {0}")]
    Egress(egress::Error),
    /// No reply with a static asset; the wire says why twice.
    #[error("failed to fetch: {url}, error: {error}: {error}")]
    Fetch {
        /// The whole URL that was fetched.
        url: String,
        /// What went wrong.
        error: egress::Error,
    },
    /// The name of an asset that is not below the static folder.
    #[error("bad path: {name:?}: invalid input")]
    OutsideStatic {
        /// The name.
        name: String,
    },
    /// The path makes no URL.
    #[error("failed to invoke via HTTP: {0}")]
    Url(String),
    /// The answer is not the JSON of a call response.
    #[error("{0}")]
    Json(json::Error),
    /// The request cannot be written as JSON.
    #[error("failed to encode the call: {0}")]
    Encode(json::Error),
    /// The App did not answer a ping (section 7.7).
    #[error("failed to call /ping endpoint: {0}")]
    Ping(Box<Error>),
    /// The JWT cannot be made.
    #[error("failed to sign the call")]
    Sign,
}

impl Error {
    /// The kind in the wire's error model (section 12.1).
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotFound { .. } => Kind::NotFound,
            Self::OutsideStatic { .. } => Kind::Invalid,
            _ => Kind::Other,
        }
    }
}
