//! The context of a call (apps-framework.md section 5.2).

use serde::{Deserialize, Serialize};

use crate::secret::{self, AccessToken, ClientSecret, WebhookSecret};
use crate::{Channel, ChannelMember, DeployType, Post, RawJson, Team, TeamMember, User, is_default};

/// Who calls, where, and what was expanded. A user agent sends the ids; the App gets the entities instead.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Context {
    /// The event of a notification.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// From the user agent: where the call was made.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub channel_id: String,
    /// From the user agent.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub team_id: String,
    /// From the user agent.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub post_id: String,
    /// From the user agent.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub root_post_id: String,
    /// From the user agent: whom the call is about.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user_id: String,
    /// Which App is called; empty when it reaches the App.
    pub app_id: String,
    /// The binding that was used.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub location: String,
    /// `webapp`, `mobile`, anything.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user_agent: String,
    /// Whether to count it as a submit.
    #[serde(skip_serializing_if = "is_default")]
    pub track_as_submit: bool,
    /// The site, as configured.
    pub mattermost_site_url: String,
    /// Whether the server is in development.
    #[serde(skip_serializing_if = "is_default")]
    pub developer_mode: bool,
    /// To be appended to the site URL.
    pub app_path: String,
    /// The App's bot.
    pub bot_user_id: String,
    /// The bot's token.
    #[serde(skip_serializing_if = "AccessToken::is_empty", serialize_with = "secret::expose")]
    pub bot_access_token: AccessToken,
    /// The App itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<AppSummary>,
    /// Who made the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acting_user: Option<User>,
    /// With which the App acts as that user.
    #[serde(skip_serializing_if = "AccessToken::is_empty", serialize_with = "secret::expose")]
    pub acting_user_access_token: AccessToken,
    /// The acting user's language.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub locale: String,
    /// Where the call was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// The membership of `user`, else of the acting user, in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_member: Option<ChannelMember>,
    /// The team of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<Team>,
    /// The membership in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_member: Option<TeamMember>,
    /// The post the call is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post: Option<Post>,
    /// The first post of its thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_post: Option<Post>,
    /// The user the call is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User>,
    /// OAuth2 at the remote service: always there, empty when nothing was expanded.
    pub oauth2: OAuth2Context,
}

impl PartialEq for AccessToken {
    /// For comparing whole contexts, in tests above all; never to check a token: it takes as long as they agree.
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

/// The App as it sees itself (section 6.4).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AppSummary {
    /// Its id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub app_id: String,
    /// Its version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// How it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deploy_type: Option<DeployType>,
    /// For an administrator's call only.
    #[serde(skip_serializing_if = "WebhookSecret::is_empty", serialize_with = "secret::expose")]
    pub webhook_secret: WebhookSecret,
    /// Its bot.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub bot_user_id: String,
    /// Its bot's user name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub bot_username: String,
    /// Always `{}`.
    pub remote_oauth2: Empty,
}

impl PartialEq for AppSummary {
    fn eq(&self, other: &Self) -> bool {
        let members = |app: &Self| {
            let Self { app_id, version, deploy_type, bot_user_id, bot_username, .. } = app.clone();
            (app_id, version, deploy_type, bot_user_id, bot_username)
        };
        members(self) == members(other) && self.webhook_secret.expose() == other.webhook_secret.expose()
    }
}

/// An object without members.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Empty {}

/// OAuth2 at the remote service (section 3.6).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OAuth2Context {
    /// As in [`OAuth2App`].
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remote_root_url: String,
    /// As in [`OAuth2App`].
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_id: String,
    /// As in [`OAuth2App`].
    #[serde(skip_serializing_if = "ClientSecret::is_empty", serialize_with = "secret::expose")]
    pub client_secret: ClientSecret,
    /// As in [`OAuth2App`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<RawJson>,
    /// Where a browser begins to connect an account.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub connect_url: String,
    /// The redirect URI to register at the remote service.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub complete_url: String,
    /// The acting user's record, as it was stored; of a managed connection, a token that lives for a while.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<RawJson>,
    /// Ours, of managed connections alone: `connected`, `missing_scopes`, `needs_reconnect`, `unavailable` or
    /// `not_connected`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub status: String,
    /// Ours: where a browser connects again, unless all is well.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reconnect_url: String,
}

impl PartialEq for OAuth2Context {
    fn eq(&self, other: &Self) -> bool {
        let open = |context: &Self| serde_json::to_string(context).unwrap_or_default();
        open(self) == open(other)
    }
}

/// An App's client at a remote service (section 3.1).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OAuth2App {
    /// The service's base URL, for the App's own use.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remote_root_url: String,
    /// RFC 6749 section 2.2.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_id: String,
    /// RFC 6749 section 2.3.1. Written in clear: the App that stored it gets it back.
    #[serde(skip_serializing_if = "ClientSecret::is_empty", serialize_with = "secret::expose")]
    pub client_secret: ClientSecret,
    /// Whatever else the App keeps, for instance a service account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<RawJson>,
}

impl OAuth2App {
    /// Whether nothing is stored.
    pub fn is_empty(&self) -> bool {
        self.remote_root_url.is_empty()
            && self.client_id.is_empty()
            && self.client_secret.is_empty()
            && self.data.as_ref().is_none_or(RawJson::is_null)
    }
}
