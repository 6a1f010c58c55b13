//! What an App may do (apps-framework.md section 8.3). A manifest may ask for anything; only these mean something.

/// The permissions that mean something, and how to speak of them.
#[derive(Debug, Clone, Copy)]
pub struct Permission;

impl Permission {
    /// To hear when users join channels. Gates nothing any more.
    pub const USER_JOINED_CHANNEL: &'static str = "user_joined_channel_notification";
    /// To use the platform's REST API as its bot.
    pub const ACT_AS_BOT: &'static str = "act_as_bot";
    /// To use the platform's REST API as its users.
    pub const ACT_AS_USER: &'static str = "act_as_user";
    /// To use OAuth2 at a remote service.
    pub const REMOTE_OAUTH2: &'static str = "remote_oauth2";
    /// To receive webhooks.
    pub const REMOTE_WEBHOOKS: &'static str = "remote_webhooks";

    /// What is said of a permission in errors and to who is asked to consent.
    pub fn prose(permission: &str) -> String {
        let prose = match permission {
            Self::USER_JOINED_CHANNEL => "be notified when users join channels",
            Self::ACT_AS_BOT => "use Mattermost REST API as the app's bot user",
            Self::ACT_AS_USER => "use Mattermost REST API as connected users",
            Self::REMOTE_OAUTH2 => "use a remote (3rd party) OAuth2 and store secrets",
            Self::REMOTE_WEBHOOKS => "receive webhook messages from a remote (3rd party) system",
            unknown => return format!("unknown permission: {unknown}"),
        };
        prose.to_owned()
    }

    /// The first permission that is asked for without what it needs, in the wire's words.
    pub(crate) fn unmet(requested: &[String]) -> Option<String> {
        let needs = [
            (Self::REMOTE_WEBHOOKS, Self::ACT_AS_BOT),
            (Self::REMOTE_OAUTH2, Self::ACT_AS_USER),
            (Self::USER_JOINED_CHANNEL, Self::ACT_AS_BOT),
        ];
        let has = |wanted: &str| requested.iter().any(|requested| requested == wanted);
        let (_, missing) = needs.into_iter().find(|(what, needed)| has(what) && !has(needed))?;
        let all: Vec<String> = requested.iter().map(|permission| Self::prose(permission)).collect();
        Some(format!("{} requires {}", all.join(", "), Self::prose(missing)))
    }
}
