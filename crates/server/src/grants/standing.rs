//! How a connection stands, as Apps and people are told.

use serde::{Deserialize, Serialize};

/// How a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// There is none.
    NotConnected,
    /// It works. Of a connection that the App keeps itself, nothing else is known.
    Connected,
    /// It works, with fewer scopes than were asked for.
    MissingScopes,
    /// Only a new consent helps, or something that the person must do at the provider.
    NeedsReconnect,
    /// Its token has ended, and the provider cannot be asked for another one right now.
    Unavailable,
}

impl Standing {
    /// Whether an App that asked for a record learns something by it.
    pub fn is_worth_telling(self) -> bool {
        matches!(self, Self::MissingScopes | Self::NeedsReconnect | Self::Unavailable)
    }

    /// The word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotConnected => "not_connected",
            Self::Connected => "connected",
            Self::MissingScopes => "missing_scopes",
            Self::NeedsReconnect => "needs_reconnect",
            Self::Unavailable => "unavailable",
        }
    }
}
