//! The record of an installed App (apps-framework.md section 8.5).

use serde::{Deserialize, Deserializer, Serialize};

use crate::secret::{self, ClientSecret, JwtSecret, WebhookSecret};
use crate::{DeployType, Manifest, OAuth2App, RawJson, is_default};

/// An installed App: its manifest, and what the site added. Serialising writes its secrets in clear, as the answer
/// to an administrator's install must (section 2.13); see [`App::without_secrets`].
#[derive(Debug, Clone, Default, Serialize)]
pub struct App {
    /// All its members stand at top level.
    #[serde(flatten)]
    pub manifest: Manifest,
    /// How it runs here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deploy_type: Option<DeployType>,
    /// Whether an administrator disabled it.
    #[serde(skip_serializing_if = "is_default")]
    pub disabled: bool,
    /// The key of the JWTs it is called with.
    #[serde(skip_serializing_if = "JwtSecret::is_empty", serialize_with = "secret::expose")]
    pub secret: JwtSecret,
    /// What senders of webhooks must know.
    #[serde(skip_serializing_if = "WebhookSecret::is_empty", serialize_with = "secret::expose")]
    pub webhook_secret: WebhookSecret,
    /// Its bot.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub bot_user_id: String,
    /// Its bot's user name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub bot_username: String,
    /// Its client at the site's own OAuth2 provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mattermost_oauth2: Option<MattermostOAuth2App>,
    /// Its client at the remote service: always there.
    pub remote_oauth2: OAuth2App,
    /// What it may do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub granted_permissions: Vec<String>,
    /// Where it may be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub granted_locations: Vec<String>,
}

impl App {
    /// Whether it was granted a permission.
    pub fn is_granted(&self, permission: &str) -> bool {
        self.granted_permissions.iter().any(|granted| granted == permission)
    }

    /// The record as anyone signed in may see it (section 2.15, and B-20: also without the JWT key).
    pub fn without_secrets(self) -> Self {
        Self {
            secret: JwtSecret::default(),
            webhook_secret: WebhookSecret::default(),
            mattermost_oauth2: None,
            remote_oauth2: OAuth2App::default(),
            ..self
        }
    }
}

impl<'de> Deserialize<'de> for App {
    /// Reads the object twice: once for the manifest's members, once for its own.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(default, rename = "App")]
        struct Own {
            deploy_type: Option<DeployType>,
            disabled: bool,
            secret: JwtSecret,
            webhook_secret: WebhookSecret,
            bot_user_id: String,
            bot_username: String,
            mattermost_oauth2: Option<MattermostOAuth2App>,
            remote_oauth2: OAuth2App,
            granted_permissions: Vec<String>,
            granted_locations: Vec<String>,
        }
        let raw = RawJson::deserialize(deserializer)?;
        let manifest = raw.to().map_err(serde::de::Error::custom)?;
        let own: Own = raw.to().map_err(serde::de::Error::custom)?;
        Ok(Self {
            manifest,
            deploy_type: own.deploy_type,
            disabled: own.disabled,
            secret: own.secret,
            webhook_secret: own.webhook_secret,
            bot_user_id: own.bot_user_id,
            bot_username: own.bot_username,
            mattermost_oauth2: own.mattermost_oauth2,
            remote_oauth2: own.remote_oauth2,
            granted_permissions: own.granted_permissions,
            granted_locations: own.granted_locations,
        })
    }
}

/// An App's client at the site's own OAuth2 provider. The original used it to label sessions only.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the members are those of Mattermost's REST API")]
pub struct MattermostOAuth2App {
    pub id: String,
    pub creator_id: String,
    pub create_at: i64,
    pub update_at: i64,
    #[serde(serialize_with = "secret::expose")]
    pub client_secret: ClientSecret,
    pub name: String,
    pub description: String,
    pub icon_url: String,
    pub callback_urls: Vec<String>,
    pub homepage: String,
    pub is_trusted: bool,
    pub mattermost_app_id: String,
}
