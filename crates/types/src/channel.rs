//! Channels and their members, as the platform's REST API has them (apps-framework.md section 6.4).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ExpandLevel, RawJson};

/// A channel: `O` open, `P` private, `D` direct, `G` group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the members are those of Mattermost's REST API (section 6.4)")]
pub struct Channel {
    pub id: String,
    pub create_at: i64,
    pub update_at: i64,
    pub delete_at: i64,
    pub team_id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub display_name: String,
    pub name: String,
    pub header: String,
    pub purpose: String,
    pub last_post_at: i64,
    pub total_msg_count: i64,
    pub extra_update_at: i64,
    pub creator_id: String,
    pub scheme_id: Option<String>,
    pub props: Option<RawJson>,
    pub group_constrained: Option<bool>,
    pub shared: Option<bool>,
    pub total_msg_count_root: i64,
    pub policy_id: Option<String>,
    pub last_root_post_at: i64,
}

impl Channel {
    /// What of a channel a level shows.
    pub fn at_level(self, level: ExpandLevel) -> Option<Self> {
        match level {
            ExpandLevel::None => None,
            ExpandLevel::Id => Some(Self { id: self.id, team_id: self.team_id, ..Self::default() }),
            ExpandLevel::Summary => Some(Self {
                id: self.id,
                team_id: self.team_id,
                delete_at: self.delete_at,
                kind: self.kind,
                display_name: self.display_name,
                name: self.name,
                ..Self::default()
            }),
            ExpandLevel::All => Some(self),
        }
    }
}

/// A membership of a channel.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the members are those of Mattermost's REST API (section 6.4)")]
pub struct ChannelMember {
    pub channel_id: String,
    pub user_id: String,
    pub roles: String,
    pub last_viewed_at: i64,
    pub msg_count: i64,
    pub mention_count: i64,
    pub mention_count_root: i64,
    pub urgent_mention_count: i64,
    pub msg_count_root: i64,
    pub notify_props: Option<BTreeMap<String, String>>,
    pub last_update_at: i64,
    pub scheme_guest: bool,
    pub scheme_user: bool,
    pub scheme_admin: bool,
    pub explicit_roles: String,
}

impl ChannelMember {
    /// What of a membership a level shows.
    pub fn at_level(self, level: ExpandLevel) -> Option<Self> {
        match level {
            ExpandLevel::None => None,
            ExpandLevel::Id => {
                Some(Self { channel_id: self.channel_id, user_id: self.user_id, ..Self::default() })
            }
            ExpandLevel::Summary | ExpandLevel::All => Some(self),
        }
    }
}
