//! Teams, channels and memberships, with the eyes of a reader.

use tessera_types::{Channel, ChannelMember, Team, TeamMember};

use super::people::{decode, encode, is_admin};
use super::{Error, Eyes, Refusal, Standalone, is_id};
use crate::platform;
use crate::store::site::{ChannelRow, Member, PersonRow};

/// A role, as `roles/names` gives it.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct Role {
    /// Its id; roles of this site are built in, so it is the name.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Empty: no page of this site shows roles.
    pub display_name: &'static str,
    /// Empty too.
    pub description: &'static str,
    /// Never, in Unix milliseconds.
    pub create_at: i64,
    /// Never.
    pub update_at: i64,
    /// Never.
    pub delete_at: i64,
    /// What it allows.
    pub permissions: &'static [&'static str],
    /// Always true: memberships have the roles of a scheme.
    pub scheme_managed: bool,
    /// Always true.
    pub built_in: bool,
}

/// The site's roles.
const ROLES: [Role; 6] = [
    Role::new("system_user", &["create_direct_channel", "list_public_teams", "view_members"]),
    Role::new(
        "system_admin",
        &["manage_system", "view_team", "read_channel", "create_post", "edit_other_users"],
    ),
    Role::new(
        "team_user",
        &["view_team", "list_team_channels", "join_public_channels", "read_public_channel"],
    ),
    Role::new("team_admin", &["manage_team", "manage_team_roles"]),
    Role::new("channel_user", &["read_channel", "create_post"]),
    Role::new("channel_admin", &["manage_channel_roles"]),
];

impl Role {
    const fn new(name: &'static str, permissions: &'static [&'static str]) -> Self {
        Self {
            id: name,
            name,
            display_name: "",
            description: "",
            create_at: 0,
            update_at: 0,
            delete_at: 0,
            permissions,
            scheme_managed: true,
            built_in: true,
        }
    }
}

/// The role of this name.
pub fn role(name: &str) -> Option<Role> {
    ROLES.into_iter().find(|role| role.name == name)
}

fn channel_of(row: &ChannelRow) -> Result<Channel, platform::Error> {
    let channel: Channel = decode("channel", &row.doc)?;
    Ok(Channel {
        last_post_at: row.last_post_at,
        last_root_post_at: row.last_post_at,
        total_msg_count: row.messages,
        total_msg_count_root: row.root_posts,
        ..channel
    })
}

fn checked<'a>(id: &'a str, name: &str) -> Result<&'a str, Refusal> {
    if is_id(id) { Ok(id) } else { Err(Refusal::bad_param(name)) }
}

fn all<T: serde::de::DeserializeOwned>(what: &'static str, docs: &[String]) -> Result<Vec<T>, Error> {
    docs.iter().map(|doc| Ok(decode(what, doc)?)).collect()
}

impl Standalone {
    /// A team: for its members and administrators.
    pub async fn read_team(&self, eyes: Eyes<'_>, id: &str) -> Result<Team, Error> {
        let reader = self.reader(eyes).await?;
        let doc = self.site.rooms.team(checked(id, "team_id")?).await?.ok_or_else(Refusal::no_team)?;
        self.team_seen_by(reader.as_deref(), &doc).await
    }

    /// The team of a name.
    pub async fn read_team_named(&self, eyes: Eyes<'_>, name: &str) -> Result<Team, Error> {
        let reader = self.reader(eyes).await?;
        let doc = self.site.rooms.team_named(name).await?.ok_or_else(Refusal::no_team)?;
        self.team_seen_by(reader.as_deref(), &doc).await
    }

    async fn team_seen_by(&self, reader: Option<&PersonRow>, doc: &str) -> Result<Team, Error> {
        let team: Team = decode("team", doc)?;
        self.may_view_team(reader, &team.id).await?;
        Ok(sanitized(reader, team))
    }

    /// The teams of a user: one's own, or an administrator asks.
    pub async fn read_teams_of(&self, eyes: Eyes<'_>, user: &str) -> Result<Vec<Team>, Error> {
        let reader = self.reader(eyes).await?;
        self.own(reader.as_deref(), user)?;
        let teams: Vec<Team> = all("team", &self.site.rooms.teams_of(user).await?)?;
        Ok(teams.into_iter().map(|team| sanitized(reader.as_deref(), team)).collect())
    }

    /// Whether a user's preferences, of which there are none, may be read: one's own, or an administrator asks.
    pub async fn may_read_preferences(&self, eyes: Eyes<'_>, user: &str) -> Result<(), Error> {
        Ok(self.own(self.reader(eyes).await?.as_deref(), user)?)
    }

    /// A user's memberships of teams: one's own, or an administrator asks.
    pub async fn read_team_members_of(&self, eyes: Eyes<'_>, user: &str) -> Result<Vec<TeamMember>, Error> {
        self.own(self.reader(eyes).await?.as_deref(), user)?;
        all("team membership", &self.site.rooms.team_members_of(user).await?)
    }

    /// A membership of a team.
    pub async fn read_team_member(
        &self,
        eyes: Eyes<'_>,
        team: &str,
        user: &str,
    ) -> Result<TeamMember, Error> {
        let reader = self.reader(eyes).await?;
        self.may_view_team(reader.as_deref(), checked(team, "team_id")?).await?;
        let doc = self.site.rooms.team_member(team, checked(user, "user_id")?).await?;
        Ok(decode("team membership", &doc.ok_or_else(Refusal::no_team_member)?)?)
    }

    /// Adds someone to a team: its members and administrators may.
    pub async fn join_team(&self, eyes: Eyes<'_>, team: &str, user: &str) -> Result<TeamMember, Error> {
        let reader = self.reader(eyes).await?;
        self.may_view_team(reader.as_deref(), checked(team, "team_id")?).await?;
        self.site.rooms.team(team).await?.ok_or_else(Refusal::no_team)?;
        self.person(checked(user, "user_id")?).await?;
        self.site.rooms.join_team(team_member(team, user)?).await?;
        self.read_team_member(Eyes::Unrestricted, team, user).await
    }

    /// A channel: for its members, for the team's if it is open, and for administrators.
    pub async fn read_channel(&self, eyes: Eyes<'_>, id: &str) -> Result<Channel, Error> {
        let reader = self.reader(eyes).await?;
        let row =
            self.site.rooms.channel(checked(id, "channel_id")?).await?.ok_or_else(Refusal::no_channel)?;
        self.may_read_channel(reader.as_deref(), &row).await
    }

    /// The channel of a name.
    pub async fn read_channel_named(&self, eyes: Eyes<'_>, team: &str, name: &str) -> Result<Channel, Error> {
        let reader = self.reader(eyes).await?;
        let row = self.site.rooms.channel_named(checked(team, "team_id")?, name).await?;
        self.may_read_channel(reader.as_deref(), &row.ok_or_else(Refusal::no_channel)?).await
    }

    /// A user's channels in a team, and the direct ones: one's own, or an administrator asks.
    pub async fn read_channels_of(
        &self,
        eyes: Eyes<'_>,
        user: &str,
        team: &str,
    ) -> Result<Vec<Channel>, Error> {
        let reader = self.reader(eyes).await?;
        self.own(reader.as_deref(), user)?;
        self.may_view_team(reader.as_deref(), checked(team, "team_id")?).await?;
        let rows = self.site.rooms.channels_of(user, team).await?;
        rows.iter().map(|row| Ok(channel_of(row)?)).collect()
    }

    /// A user's memberships of a team's channels and of the direct ones.
    pub async fn read_channel_members_of(
        &self,
        eyes: Eyes<'_>,
        user: &str,
        team: &str,
    ) -> Result<Vec<ChannelMember>, Error> {
        let reader = self.reader(eyes).await?;
        self.own(reader.as_deref(), user)?;
        self.may_view_team(reader.as_deref(), checked(team, "team_id")?).await?;
        all("channel membership", &self.site.rooms.channel_members_of(user, team).await?)
    }

    /// The memberships of a channel.
    pub async fn read_channel_members(
        &self,
        eyes: Eyes<'_>,
        channel: &str,
        page: super::Page,
    ) -> Result<Vec<ChannelMember>, Error> {
        self.read_channel(eyes, channel).await?;
        let (skip, limit) = page.range();
        all("channel membership", &self.site.rooms.members_of_channel(channel, skip, limit).await?)
    }

    /// A membership of a channel.
    pub async fn read_channel_member(
        &self,
        eyes: Eyes<'_>,
        channel: &str,
        user: &str,
    ) -> Result<ChannelMember, Error> {
        self.read_channel(eyes, channel).await?;
        let doc = self.site.rooms.channel_member(channel, checked(user, "user_id")?).await?;
        Ok(decode("channel membership", &doc.ok_or_else(Refusal::no_channel_member)?)?)
    }

    /// Adds someone of the team to a channel: whoever may read it may.
    pub async fn join_channel(
        &self,
        eyes: Eyes<'_>,
        channel: &str,
        user: &str,
    ) -> Result<ChannelMember, Error> {
        let found = self.read_channel(eyes, channel).await?;
        if found.kind == "D" {
            return Err(Refusal::forbidden().into());
        }
        self.person(checked(user, "user_id")?).await?;
        if self.site.rooms.team_member(&found.team_id, user).await?.is_none() {
            return Err(Refusal::not_in_team().into());
        }
        self.site.rooms.join_channel(channel_member(channel, user, self.env.now_ms())?).await?;
        self.read_channel_member(Eyes::Unrestricted, channel, user).await
    }

    /// The direct channel of two users or bots, made when there is none. Of many callers, all get the same.
    pub async fn direct_channel(&self, actor: &str, pair: [&str; 2]) -> Result<Channel, Error> {
        if !pair.iter().all(|id| is_id(id)) {
            return Err(Refusal::bad_body("user_ids").into());
        }
        if !pair.contains(&actor) {
            self.admin(actor).await?;
        }
        for id in pair {
            self.person(id).await?;
        }
        let [a, b] = if pair[0] <= pair[1] { pair } else { [pair[1], pair[0]] };
        let name = format!("{a}__{b}");
        if let Some(row) = self.site.rooms.channel_named("", &name).await? {
            return Ok(channel_of(&row)?);
        }
        let now = self.env.now_ms();
        let channel = Channel {
            id: self.env.id()?,
            create_at: now,
            update_at: now,
            kind: "D".to_owned(),
            name,
            creator_id: actor.to_owned(),
            ..Channel::default()
        };
        let row = row_of_channel(&channel)?;
        let members = pair.iter().map(|user| channel_member(&channel.id, user, now));
        let row = self.site.rooms.add_channel(row, members.collect::<Result<_, _>>()?).await?;
        Ok(channel_of(&row)?)
    }

    /// The channel, if the reader may read it.
    pub(super) async fn may_read_channel(
        &self,
        reader: Option<&PersonRow>,
        row: &ChannelRow,
    ) -> Result<Channel, Error> {
        let channel = channel_of(row)?;
        let Some(reader) = reader else { return Ok(channel) };
        let open = channel.kind == "O";
        if is_admin(reader)
            || self.site.rooms.channel_member(&row.id, &reader.id).await?.is_some()
            || (open && self.site.rooms.team_member(&row.team, &reader.id).await?.is_some())
        {
            return Ok(channel);
        }
        Err(Refusal::forbidden().into())
    }

    async fn may_view_team(&self, reader: Option<&PersonRow>, team: &str) -> Result<(), Error> {
        match reader {
            Some(reader)
                if !is_admin(reader) && self.site.rooms.team_member(team, &reader.id).await?.is_none() =>
            {
                Err(Refusal::forbidden().into())
            }
            _ => Ok(()),
        }
    }

    fn own(&self, reader: Option<&PersonRow>, user: &str) -> Result<(), Refusal> {
        checked(user, "user_id")?;
        match reader {
            Some(reader) if reader.id != user && !is_admin(reader) => Err(Refusal::forbidden()),
            _ => Ok(()),
        }
    }
}

/// Address and invitation are for those who manage the team.
fn sanitized(reader: Option<&PersonRow>, team: Team) -> Team {
    match reader {
        Some(reader) if !is_admin(reader) => Team { email: String::new(), invite_id: String::new(), ..team },
        _ => team,
    }
}

pub(super) fn row_of_channel(channel: &Channel) -> Result<ChannelRow, platform::Error> {
    Ok(ChannelRow {
        id: channel.id.clone(),
        team: channel.team_id.clone(),
        name: channel.name.clone(),
        last_post_at: 0,
        messages: 0,
        root_posts: 0,
        doc: encode("channel", channel)?,
    })
}

pub(super) fn team_member(team: &str, user: &str) -> Result<Member, platform::Error> {
    let member = TeamMember {
        team_id: team.to_owned(),
        user_id: user.to_owned(),
        roles: "team_user".to_owned(),
        scheme_user: true,
        ..TeamMember::default()
    };
    Ok(Member { of: team.to_owned(), user: user.to_owned(), doc: encode("team membership", &member)? })
}

pub(super) fn channel_member(channel: &str, user: &str, now: i64) -> Result<Member, platform::Error> {
    let notify = ["desktop", "email", "ignore_channel_mentions", "mark_unread", "push"]
        .map(|name| (name.to_owned(), if name == "mark_unread" { "all" } else { "default" }.to_owned()));
    let member = ChannelMember {
        channel_id: channel.to_owned(),
        user_id: user.to_owned(),
        roles: "channel_user".to_owned(),
        notify_props: Some(notify.into()),
        last_update_at: now,
        scheme_user: true,
        ..ChannelMember::default()
    };
    Ok(Member { of: channel.to_owned(), user: user.to_owned(), doc: encode("channel membership", &member)? })
}
