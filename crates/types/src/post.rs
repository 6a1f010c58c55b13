//! Posts, as the platform's REST API has them (apps-framework.md section 6.4).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ExpandLevel, RawJson, is_default};

/// A message in a channel.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the members are those of Mattermost's REST API (section 6.4)")]
pub struct Post {
    pub id: String,
    pub create_at: i64,
    pub update_at: i64,
    pub edit_at: i64,
    pub delete_at: i64,
    pub is_pinned: bool,
    pub user_id: String,
    pub channel_id: String,
    pub root_id: String,
    pub original_id: String,
    pub message: String,
    #[serde(skip_serializing_if = "is_default")]
    pub message_source: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub props: Option<RawJson>,
    pub hashtags: String,
    #[serde(skip_serializing_if = "is_default")]
    pub file_ids: Vec<String>,
    pub pending_post_id: String,
    #[serde(skip_serializing_if = "is_default")]
    pub has_reactions: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub remote_id: Option<String>,
    pub reply_count: i64,
    pub last_reply_at: i64,
    pub participants: Option<RawJson>,
    #[serde(skip_serializing_if = "is_default")]
    pub is_following: Option<bool>,
    #[serde(skip_serializing_if = "is_default")]
    pub metadata: Option<RawJson>,
}

impl Post {
    /// What of a post a level shows.
    pub fn at_level(mut self, level: ExpandLevel) -> Option<Self> {
        match level {
            ExpandLevel::None => None,
            ExpandLevel::Id => Some(Self { id: self.id, ..Self::default() }),
            ExpandLevel::Summary => Some(Self {
                id: self.id,
                kind: self.kind,
                user_id: self.user_id,
                channel_id: self.channel_id,
                root_id: self.root_id,
                message: self.message,
                ..Self::default()
            }),
            ExpandLevel::All => {
                self.props = self.props.map(without_add_channel_member);
                Some(self)
            }
        }
    }
}

/// The property says whom the reader could invite: it is for the platform's own client.
fn without_add_channel_member(props: RawJson) -> RawJson {
    let Ok(mut members) = props.to::<BTreeMap<String, RawJson>>() else { return props };
    match members.remove("add_channel_member") {
        Some(_) => RawJson::from_value(&members).unwrap_or_default(),
        None => props,
    }
}
