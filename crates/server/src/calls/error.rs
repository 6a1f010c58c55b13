//! What can go wrong with a call, in the wire's texts (apps-framework.md sections 2.7 and 6.6).
//!
//! Whatever is the server's own trouble shows as [`INTERNAL`] and goes to the log instead.

use tessera_types::AppId;
use tessera_types::error::Kind;

use crate::upstream::{self, NoUpstream};
use crate::{apps, grants, platform};

/// Shown for trouble that is not the reader's.
const INTERNAL: &str = "internal error, see the server's log";

/// Why a person's call got no answer.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// Nobody is signed in (section 0.7, U).
    #[error("user ID is required: unauthorized")]
    NoUser,
    /// The App cannot be called (section 0.7, EN).
    #[error("{0}")]
    App(Shown),
    /// The path does not begin with a slash, or is empty (B-25).
    #[error("call path must start with a \"/\": \"{0}\": invalid input")]
    Path(String),
    /// The path is for the server's own calls (section 5.6).
    #[error("forbidden call path: path {path} defined as {label}")]
    Reserved {
        /// The cleaned path.
        path: String,
        /// Where the manifest defines it.
        label: &'static str,
    },
    /// The person must agree to something first.
    #[error("{name} wants to act for you here. [Agree to it once]({url}), {}.", if *waits { "and what you asked for is done" } else { "then try again" })]
    Agree {
        /// The App's display name.
        name: String,
        /// Where.
        url: String,
        /// Whether what was asked waits for that.
        waits: bool,
    },
    /// The call itself failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl InvokeError {
    /// Where to agree; with the ticket of a call that waits for it.
    pub(super) fn agree(name: String, url: String, ticket: Option<String>) -> Self {
        match ticket {
            Some(ticket) => Self::Agree { name, url: format!("{url}?again={ticket}"), waits: true },
            None => Self::Agree { name, url, waits: false },
        }
    }
}

/// Why a call got no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The App runs in a way that we cannot call.
    #[error(transparent)]
    NoUpstream(#[from] NoUpstream),
    /// The context could not be filled.
    #[error("failed to expand context: {0}")]
    Expand(#[from] ExpandError),
    /// The App could not be reached, or gave no good answer.
    #[error("upstream call failed: {0}")]
    Upstream(#[from] upstream::Error),
}

/// Why a context could not be filled.
#[derive(Debug, thiserror::Error)]
pub enum ExpandError {
    /// A level that there is not (section 6.1).
    #[error("{0}")]
    Level(String),
    /// The App has nobody's eyes to see with (section 6.3).
    #[error("apps without any ActAs* permission can't expand: unauthorized")]
    NoEyes,
    /// The bot's token could not be had.
    #[error("failed to get bot session: {0}")]
    BotSession(TokenError),
    /// A field that the App cannot do without.
    #[error("failed to expand required {field}: {cause}")]
    Required {
        /// The field's name on the wire.
        field: &'static str,
        /// Why it stayed empty.
        cause: Cause,
    },
    /// The person must first agree that the App acts for them.
    #[error("the user must first agree that the app acts for them, at {0}")]
    NeedsConsent(String),
    /// What was expanded does not fit together (section 6.6).
    #[error("failed post-expand consistency check: {0}")]
    Inconsistent(String),
}

/// Why a field stayed empty.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant is its text")]
pub enum Cause {
    #[error("no user ID to expand")]
    NoUser,
    #[error("no channel ID to expand")]
    NoChannel,
    #[error("no team ID to expand")]
    NoTeam,
    #[error("no post ID to expand")]
    NoPost,
    #[error("no user ID or channel ID to expand")]
    NoMembership,
    #[error("no acting user id to expand")]
    NoActingUser,
    #[error("id: {0}: {1}")]
    Read(String, Shown),
    #[error("failed to get channel membership: {0}")]
    ChannelMember(Shown),
    #[error("failed to get team membership: {0}")]
    TeamMember(Shown),
    #[error("failed to get team {0}: {1}")]
    Team(String, Shown),
    #[error("failed to get post {0}: {1}")]
    Post(String, Shown),
    #[error("{0} does not have permission to use Mattermost REST API as connected users: forbidden")]
    NotActAsUser(AppId),
    #[error("failed to get session: {0}")]
    Session(TokenError),
    #[error("{0} does not have permission to use a remote (3rd party) OAuth2 and store secrets: forbidden")]
    NotRemoteOAuth2(AppId),
    #[error("user_id: {user_id}: @{username} ({display_name}): is a bot: unauthorized")]
    Bot { user_id: String, username: String, display_name: String },
    #[error("{0}")]
    Grants(Shown),
}

/// Why there is no App token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// There is nobody to have one for.
    #[error("user ID is required: unauthorized")]
    NoUser,
    /// The person has not agreed yet.
    #[error("the user must first agree that the app acts for them, at {0}")]
    NeedsConsent(String),
    /// The platform refused, with its reason.
    #[error("{0}")]
    Refused(String),
    /// The platform failed.
    #[error("{0}")]
    Platform(Shown),
}

/// The text of a lower room's error where the wire shows it, and [`INTERNAL`] where it must not.
#[derive(Debug)]
pub struct Shown(String);

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Shown {
    pub(super) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "a call met internal trouble");
        Self(INTERNAL.to_owned())
    }
}

impl From<apps::Error> for Shown {
    fn from(error: apps::Error) -> Self {
        if error.kind() == Kind::Other { Self::internal(&error) } else { Self(error.to_string()) }
    }
}

impl From<grants::Error> for Shown {
    fn from(error: grants::Error) -> Self {
        match error {
            // The provider's trouble, and for whoever called to know: it passes.
            grants::Error::Unavailable { .. } => Self(error.to_string()),
            _ if error.kind() == Kind::Other => Self::internal(&error),
            _ => Self(error.to_string()),
        }
    }
}

impl From<platform::Error> for Shown {
    fn from(error: platform::Error) -> Self {
        match error {
            platform::Error::Entity(text) => Self(text),
            other => Self::internal(&other),
        }
    }
}
