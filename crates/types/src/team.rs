//! Teams and their members, as the platform's REST API has them (apps-framework.md section 6.4).

use serde::{Deserialize, Serialize};

use crate::{ExpandLevel, is_default};

/// A team: `O` open, `I` by invitation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the members are those of Mattermost's REST API (section 6.4)")]
pub struct Team {
    pub id: String,
    pub create_at: i64,
    pub update_at: i64,
    pub delete_at: i64,
    pub display_name: String,
    pub name: String,
    pub description: String,
    pub email: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub company_name: String,
    pub allowed_domains: String,
    pub invite_id: String,
    pub allow_open_invite: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub last_team_icon_update: i64,
    pub scheme_id: Option<String>,
    pub group_constrained: Option<bool>,
    pub policy_id: Option<String>,
    pub cloud_limits_archived: bool,
}

impl Team {
    /// What of a team a level shows: the address is in the summary, and not in `all`.
    pub fn at_level(self, level: ExpandLevel) -> Option<Self> {
        match level {
            ExpandLevel::None => None,
            ExpandLevel::Id => Some(Self { id: self.id, ..Self::default() }),
            ExpandLevel::Summary => Some(Self {
                id: self.id,
                display_name: self.display_name,
                name: self.name,
                description: self.description,
                email: self.email,
                kind: self.kind,
                ..Self::default()
            }),
            ExpandLevel::All => Some(Self { email: String::new(), invite_id: String::new(), ..self }),
        }
    }
}

/// A membership of a team.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the members are those of Mattermost's REST API (section 6.4)")]
pub struct TeamMember {
    pub team_id: String,
    pub user_id: String,
    pub roles: String,
    pub delete_at: i64,
    pub scheme_guest: bool,
    pub scheme_user: bool,
    pub scheme_admin: bool,
    pub explicit_roles: String,
}

impl TeamMember {
    /// What of a membership a level shows.
    pub fn at_level(self, level: ExpandLevel) -> Option<Self> {
        match level {
            ExpandLevel::None => None,
            ExpandLevel::Id => Some(Self { team_id: self.team_id, user_id: self.user_id, ..Self::default() }),
            ExpandLevel::Summary | ExpandLevel::All => Some(self),
        }
    }
}
