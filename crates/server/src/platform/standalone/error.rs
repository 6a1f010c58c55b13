//! How the site says no.

use crate::platform;
use crate::rate::Wait;

/// What kind of no it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// The question makes no sense.
    Invalid,
    /// Nobody is signed in, or not with this password.
    Unauthorized,
    /// Not for this reader.
    Forbidden,
    /// Not there.
    NotFound,
    /// Too often, and when to come back.
    TooMany(Wait),
}

/// A no, in the words of Mattermost's REST API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What kind.
    pub kind: RefusalKind,
    /// The translation's id, by which clients tell errors apart.
    pub id: &'static str,
    /// For people.
    pub message: String,
    /// For developers; mostly empty, as on a Mattermost out of developer mode.
    pub detailed: String,
}

/// What can go wrong on the site.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It failed.
    #[error(transparent)]
    Failed(#[from] platform::Error),
}

impl From<crate::store::Error> for Error {
    fn from(error: crate::store::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<crate::env::RngError> for Error {
    fn from(error: crate::env::RngError) -> Self {
        Self::Failed(error.into())
    }
}

/// Towards Apps an error of the REST API is `: <message>`, or `: <message>, <detailed>` (section 6.6).
impl From<Error> for platform::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Failed(error) => error,
            Error::Refused(no) if no.detailed.is_empty() => Self::Entity(format!(": {}", no.message)),
            Error::Refused(no) => Self::Entity(format!(": {}, {}", no.message, no.detailed)),
        }
    }
}

impl Refusal {
    fn new(kind: RefusalKind, id: &'static str, message: impl Into<String>) -> Self {
        Self { kind, id, message: message.into(), detailed: String::new() }
    }

    /// A part of the path that has not the form it needs.
    pub fn bad_param(name: &str) -> Self {
        let message = format!("Invalid or missing {name} parameter in request URL.");
        Self::new(RefusalKind::Invalid, "api.context.invalid_url_param.app_error", message)
    }

    /// A body without what it needs.
    pub fn bad_body(name: &str) -> Self {
        let message = format!("Invalid or missing {name} in request body.");
        Self::new(RefusalKind::Invalid, "api.context.invalid_body_param.app_error", message)
    }

    /// No valid session.
    pub fn signed_out() -> Self {
        let message = "Invalid or expired session, please login again.";
        Self::new(RefusalKind::Unauthorized, "api.context.session_expired.app_error", message)
    }

    /// Signed in, and not allowed to.
    pub fn forbidden() -> Self {
        let message = "You do not have the appropriate permissions.";
        Self::new(RefusalKind::Forbidden, "api.context.permissions.app_error", message)
    }

    /// A request that another site made a browser send.
    pub fn foreign_origin() -> Self {
        let message = "This request comes from another site, so it was refused.";
        Self::new(RefusalKind::Forbidden, "api.context.foreign_origin.app_error", message)
    }

    /// A request for the websocket that asks for no upgrade.
    pub fn not_upgraded(why: &str) -> Self {
        let message = "Failed to upgrade websocket connection.";
        let refusal = Self::new(RefusalKind::Invalid, "api.web_socket.connect.upgrade.app_error", message);
        Self { detailed: why.to_owned(), ..refusal }
    }

    pub(super) fn bad_login() -> Self {
        let message = "Enter a valid email or username and/or password.";
        Self::new(RefusalKind::Unauthorized, "api.user.login.invalid_credentials_email_username", message)
    }

    pub(super) fn inactive() -> Self {
        let message =
            "Login failed because your account has been deactivated. Please contact an administrator.";
        Self::new(RefusalKind::Unauthorized, "api.user.login.inactive.app_error", message)
    }

    pub(super) fn too_many_logins(wait: Wait) -> Self {
        let message = format!("Too many sign-in attempts with this account. Please try again in {wait}.");
        Self::new(
            RefusalKind::TooMany(wait),
            "api.user.check_user_login_attempts.too_many.app_error",
            message,
        )
    }

    pub(super) fn no_user() -> Self {
        Self::new(RefusalKind::NotFound, "app.user.missing_account.const", "Unable to find the user.")
    }

    pub(super) fn no_team() -> Self {
        Self::new(RefusalKind::NotFound, "app.team.get.find.app_error", "Unable to find the existing team.")
    }

    pub(super) fn no_channel() -> Self {
        let message = "Unable to find the existing channel.";
        Self::new(RefusalKind::NotFound, "app.channel.get.existing.app_error", message)
    }

    pub(super) fn no_post() -> Self {
        Self::new(RefusalKind::NotFound, "app.post.get.app_error", "Unable to get the post.")
    }

    pub(super) fn no_channel_member() -> Self {
        let message = "No channel member found for that user ID and channel ID.";
        Self::new(RefusalKind::NotFound, "app.channel.get_member.missing.app_error", message)
    }

    pub(super) fn no_team_member() -> Self {
        let message = "No team member found for that user ID and team ID.";
        Self::new(RefusalKind::NotFound, "app.team.get_member.missing.app_error", message)
    }

    pub(super) fn bad_root() -> Self {
        let message = "Invalid RootId parameter.";
        Self::new(RefusalKind::Invalid, "api.post.create_post.root_id.app_error", message)
    }

    pub(super) fn root_elsewhere() -> Self {
        let message = "Invalid ChannelId for RootId parameter.";
        Self::new(RefusalKind::Invalid, "api.post.create_post.channel_root_id.app_error", message)
    }

    pub(super) fn long_message() -> Self {
        let message = "Post Message property is longer than the maximum permitted length.";
        Self::new(RefusalKind::Invalid, "model.post.is_valid.message_length.app_error", message)
    }

    pub(super) fn not_in_team() -> Self {
        let message = "The user is not a member of the channel's team.";
        Self::new(RefusalKind::Invalid, "api.channel.add_user.to.channel.failed.app_error", message)
    }
}
