//! Users, as the platform's REST API has them (apps-framework.md section 6.4).
//!
//! `password`, `auth_data`, `mfa_secret` and `last_password_update` are never carried, at any level.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ExpandLevel, is_default};

/// A person or a bot.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the members are those of Mattermost's REST API (section 6.4)")]
pub struct User {
    pub id: String,
    #[serde(skip_serializing_if = "is_default")]
    pub create_at: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub update_at: i64,
    pub delete_at: i64,
    pub username: String,
    pub auth_service: String,
    pub email: String,
    #[serde(skip_serializing_if = "is_default")]
    pub email_verified: bool,
    pub nickname: String,
    pub first_name: String,
    pub last_name: String,
    pub position: String,
    pub roles: String,
    #[serde(skip_serializing_if = "is_default")]
    pub allow_marketing: bool,
    #[serde(skip_serializing_if = "says_nothing")]
    pub props: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "says_nothing")]
    pub notify_props: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "is_default")]
    pub last_picture_update: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub failed_attempts: i64,
    pub locale: String,
    pub timezone: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "is_default")]
    pub mfa_active: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub remote_id: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub last_activity_at: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub is_bot: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub bot_description: String,
    #[serde(skip_serializing_if = "is_default")]
    pub bot_last_icon_update: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub terms_of_service_id: String,
    #[serde(skip_serializing_if = "is_default")]
    pub terms_of_service_create_at: i64,
    pub disable_welcome_email: bool,
}

/// An empty map is left out too.
fn says_nothing(map: &Option<BTreeMap<String, String>>) -> bool {
    map.as_ref().is_none_or(BTreeMap::is_empty)
}

impl User {
    /// What of a user a level shows.
    pub fn at_level(self, level: ExpandLevel) -> Option<Self> {
        match level {
            ExpandLevel::None => None,
            ExpandLevel::Id => Some(Self { id: self.id, ..Self::default() }),
            ExpandLevel::Summary => Some(Self {
                id: self.id,
                username: self.username,
                email: self.email,
                nickname: self.nickname,
                first_name: self.first_name,
                last_name: self.last_name,
                position: self.position,
                roles: self.roles,
                locale: self.locale,
                timezone: self.timezone,
                delete_at: self.delete_at,
                is_bot: self.is_bot,
                bot_description: self.bot_description,
                ..Self::default()
            }),
            ExpandLevel::All => Some(Self { auth_service: String::new(), ..self }),
        }
    }

    /// The name shown to people: nickname, else first and last name, else user name (section 0.7).
    pub fn display_name(&self) -> String {
        let full = format!("{} {}", self.first_name, self.last_name);
        [self.nickname.trim(), full.trim(), &self.username]
            .into_iter()
            .find(|name| !name.is_empty())
            .unwrap_or_default()
            .to_owned()
    }
}
