//! Who is in which team and channel, and as what.

use serde_json::{Value, json};
use tessera_types::{ChannelMember, TeamMember};

use super::state::State;

/// A membership of a team or a channel.
#[derive(Debug, Clone, Default)]
pub(super) struct Member {
    pub(super) is_guest: bool,
    pub(super) is_admin: bool,
    /// Roles on top of those that come with the place.
    pub(super) explicit: String,
}

impl Member {
    /// Its roles in a place of this kind (`team`, `channel`), with blanks between.
    pub(super) fn roles(&self, kind: &str) -> String {
        let mut roles = vec![format!("{kind}_{}", if self.is_guest { "guest" } else { "user" })];
        if self.is_admin {
            roles.push(format!("{kind}_admin"));
        }
        roles.extend(self.explicit.split_whitespace().map(str::to_owned));
        roles.join(" ")
    }

    pub(super) fn of_team(&self, team: &str, user: &str) -> Value {
        let member = TeamMember {
            team_id: team.to_owned(),
            user_id: user.to_owned(),
            roles: self.roles("team"),
            scheme_guest: self.is_guest,
            scheme_user: !self.is_guest,
            scheme_admin: self.is_admin,
            explicit_roles: self.explicit.clone(),
            ..TeamMember::default()
        };
        json!(member)
    }

    pub(super) fn of_channel(&self, channel: &str, user: &str) -> Value {
        let member = ChannelMember {
            channel_id: channel.to_owned(),
            user_id: user.to_owned(),
            roles: self.roles("channel"),
            notify_props: Some([("desktop".to_owned(), "default".to_owned())].into()),
            scheme_guest: self.is_guest,
            scheme_user: !self.is_guest,
            scheme_admin: self.is_admin,
            explicit_roles: self.explicit.clone(),
            ..ChannelMember::default()
        };
        json!(member)
    }
}

impl State {
    pub(super) fn member(&self, place: &str, user: &str) -> Option<&Member> {
        self.members.get(&(place.to_owned(), user.to_owned()))
    }

    /// Who is there.
    pub(super) fn members_of(&self, place: &str) -> impl Iterator<Item = (&str, &Member)> {
        let all = self.members.iter().filter(move |((one, _), _)| one == place);
        all.map(|((_, user), member)| (user.as_str(), member))
    }

    pub(super) fn is_member(&self, place: &str, user: &str) -> bool {
        self.member(place, user).is_some()
    }

    /// Adds somebody, unless they are there already.
    pub(super) fn join(&mut self, place: &str, user: &str) -> &mut Member {
        let is_guest = self.users.get(user).is_some_and(|user| user.roles().contains("system_guest"));
        let key = (place.to_owned(), user.to_owned());
        self.members.entry(key).or_insert_with(|| Member { is_guest, ..Member::default() })
    }
}
