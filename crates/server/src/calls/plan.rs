//! What is to be expanded, in which order (apps-framework.md sections 6.1 and 6.2).

use tessera_types::{Expand, ExpandLevel, parse_level};

use super::ExpandError;

/// A member of the context that an App can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    ActingUserAccessToken,
    ActingUser,
    App,
    ChannelMember,
    Channel,
    Locale,
    OAuth2App,
    OAuth2User,
    Post,
    RootPost,
    TeamMember,
    Team,
    User,
}

/// One field to fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) field: Field,
    pub(super) level: ExpandLevel,
    /// Without it the call must fail.
    pub(super) required: bool,
}

impl Field {
    /// The order in which fields are filled, which is not that of the wire.
    const ORDER: [Self; 13] = [
        Self::ActingUserAccessToken,
        Self::ActingUser,
        Self::App,
        Self::ChannelMember,
        Self::Channel,
        Self::Locale,
        Self::OAuth2App,
        Self::OAuth2User,
        Self::Post,
        Self::RootPost,
        Self::TeamMember,
        Self::Team,
        Self::User,
    ];

    /// The member's name, and what is asked of it.
    fn asked(self, expand: &Expand) -> (&'static str, &str) {
        match self {
            Self::ActingUserAccessToken => ("acting_user_access_token", &expand.acting_user_access_token),
            Self::ActingUser => ("acting_user", &expand.acting_user),
            Self::App => ("app", &expand.app),
            Self::ChannelMember => ("channel_member", &expand.channel_member),
            Self::Channel => ("channel", &expand.channel),
            Self::Locale => ("locale", &expand.locale),
            Self::OAuth2App => ("oauth2_app", &expand.oauth2_app),
            Self::OAuth2User => ("oauth2_user", &expand.oauth2_user),
            Self::Post => ("post", &expand.post),
            Self::RootPost => ("root_post", &expand.root_post),
            Self::TeamMember => ("team_member", &expand.team_member),
            Self::Team => ("team", &expand.team),
            Self::User => ("user", &expand.user),
        }
    }

    /// The member's name on the wire.
    pub(super) fn name(self) -> &'static str {
        self.asked(&Expand::default()).0
    }

    /// Whether a level means anything for it. One that does not is skipped in silence (B-05).
    fn can_use(self, level: ExpandLevel) -> bool {
        match self {
            Self::ActingUserAccessToken | Self::OAuth2App | Self::OAuth2User => level == ExpandLevel::All,
            Self::App => matches!(level, ExpandLevel::Summary | ExpandLevel::All),
            _ => level != ExpandLevel::None,
        }
    }
}

/// The steps that an expand asks for.
///
/// # Errors
/// A level that there is not, whatever the field: found before any entity or secret is touched.
pub(super) fn plan(expand: Option<&Expand>) -> Result<Vec<Step>, ExpandError> {
    let Some(expand) = expand else { return Ok(Vec::new()) };
    let mut steps = Vec::new();
    for field in Field::ORDER {
        let (level, required) = parse_level(field.asked(expand).1).map_err(ExpandError::Level)?;
        if field.can_use(level) {
            steps.push(Step { field, level, required });
        }
    }
    Ok(steps)
}
