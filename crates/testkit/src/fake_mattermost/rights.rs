//! Roles, and what they allow: of the site, of a team and of a channel, the narrower one first.

use std::collections::{BTreeMap, BTreeSet};

use super::refusal::Refusal;
use super::sessions::Session;
use super::state::{State, fresh};
use super::version::Version;

/// What administrators may, on top of what members of teams and channels may. A permission of the site that no route
/// here asks for is left out.
const OF_ADMINS: [&str; 39] = [
    "manage_system",
    "create_bot",
    "manage_bots",
    "manage_others_bots",
    "read_bots",
    "read_others_bots",
    "create_user_access_token",
    "read_user_access_token",
    "revoke_user_access_token",
    "create_post_ephemeral",
    "edit_other_users",
    "manage_system_wide_oauth",
    "list_private_teams",
    "join_private_teams",
    "join_public_teams",
    "list_public_teams",
    "add_user_to_team",
    "view_members",
    "view_team",
    "manage_team",
    "list_team_channels",
    "join_public_channels",
    "read_public_channel",
    "read_channel",
    "create_post",
    "create_post_public",
    "edit_post",
    "edit_others_posts",
    "use_slash_commands",
    "manage_public_channel_members",
    "manage_private_channel_members",
    "create_public_channel",
    "create_private_channel",
    "create_direct_channel",
    "manage_others_slash_commands",
    "sysconsole_read_user_management_users",
    "sysconsole_write_user_management_users",
    "sysconsole_write_user_management_permissions",
    "manage_roles",
];

/// A role.
#[derive(Debug, Clone)]
pub(super) struct Role {
    pub(super) id: String,
    pub(super) permissions: BTreeSet<String>,
}

impl Role {
    pub(super) fn of(permissions: &[&str]) -> Self {
        let permissions = permissions.iter().map(|one| (*one).to_owned()).collect();
        Self { id: fresh(), permissions }
    }
}

impl Version {
    /// The permission for commands, under the name that this version has for it.
    pub(super) fn manage_commands(self) -> &'static str {
        if self.has_own_slash_commands() { "manage_own_slash_commands" } else { "manage_slash_commands" }
    }
}

/// The roles of a fresh installation.
pub(super) fn roles(version: Version) -> BTreeMap<String, Role> {
    let commands = version.manage_commands();
    let mut admin: Vec<&str> = OF_ADMINS.into();
    admin.push(commands);
    if version.gives_manage_oauth_to_admins() {
        admin.push("manage_oauth");
    }
    let user = [
        "list_public_teams",
        "join_public_teams",
        "create_direct_channel",
        "create_group_channel",
        "view_members",
    ];
    let in_team = [
        "list_team_channels",
        "join_public_channels",
        "read_public_channel",
        "view_team",
        "add_user_to_team",
    ];
    let in_channel = [
        "read_channel",
        "create_post",
        "edit_post",
        "use_slash_commands",
        "manage_public_channel_members",
        "manage_private_channel_members",
    ];
    [
        ("system_admin", Role::of(&admin)),
        ("system_user", Role::of(&user)),
        ("system_guest", Role::of(&["create_direct_channel", "create_group_channel"])),
        (
            "system_user_access_token",
            Role::of(&["create_user_access_token", "read_user_access_token", "revoke_user_access_token"]),
        ),
        ("system_post_all", Role::of(&["create_post"])),
        ("team_user", Role::of(&in_team)),
        ("team_guest", Role::of(&["view_team"])),
        ("team_admin", Role::of(&["manage_team", commands, "manage_others_slash_commands"])),
        ("channel_user", Role::of(&in_channel)),
        ("channel_guest", Role::of(&["read_channel", "create_post", "edit_post", "use_slash_commands"])),
        ("channel_admin", Role::of(&["manage_channel_roles"])),
    ]
    .map(|(name, role)| (name.to_owned(), role))
    .into()
}

impl State {
    fn grants<'a>(&self, roles: impl IntoIterator<Item = &'a str>, permission: &str) -> bool {
        roles
            .into_iter()
            .filter_map(|role| self.roles.get(role))
            .any(|role| role.permissions.contains(permission))
    }

    /// Whether somebody may, on the site.
    pub(super) fn allows(&self, user: &str, permission: &str) -> bool {
        let roles = self.users.get(user).map(|user| user.roles()).unwrap_or_default();
        self.grants(roles.split_whitespace(), permission)
    }

    /// Whether somebody may, in a team or everywhere.
    pub(super) fn allows_in_team(&self, user: &str, team: &str, permission: &str) -> bool {
        if team.is_empty() {
            return false;
        }
        let of_member = self
            .member(team, user)
            .is_some_and(|member| self.grants(member.roles("team").split_whitespace(), permission));
        of_member || self.allows(user, permission)
    }

    /// Whether somebody may, in a channel, its team or everywhere.
    pub(super) fn allows_in_channel(&self, user: &str, channel: &str, permission: &str) -> bool {
        let of_member = self
            .member(channel, user)
            .is_some_and(|member| self.grants(member.roles("channel").split_whitespace(), permission));
        if of_member {
            return true;
        }
        match self.channels.get(channel) {
            Some(channel) if !channel.team_id.is_empty() => {
                self.allows_in_team(user, &channel.team_id, permission)
            }
            Some(_) => self.allows(user, permission),
            None => false,
        }
    }

    /// Whether somebody may read a channel: members, and members of the team where it is public.
    pub(super) fn may_read(&self, user: &str, id: &str) -> bool {
        let public = self.channels.get(id).is_some_and(|channel| {
            channel.kind == "O" && self.allows_in_team(user, &channel.team_id, "read_public_channel")
        });
        public || self.allows_in_channel(user, id, "read_channel")
    }

    pub(super) fn require(&self, session: &Session, permission: &str) -> Result<(), Refusal> {
        if self.allows(&session.user, permission) { Ok(()) } else { Err(Refusal::forbidden()) }
    }

    /// Whether somebody may act on an account: their own, or any with `edit_other_users`.
    pub(super) fn manages_user(&self, caller: &str, user: &str) -> bool {
        caller == user || self.allows(caller, "edit_other_users")
    }

    /// The same, or a bot of theirs, or any bot by permission.
    pub(super) fn manages_user_or_bot(&self, caller: &str, user: &str) -> bool {
        self.manages_user(caller, user) || self.manage_bot(caller, user).is_ok()
    }

    /// Whether somebody may change a bot. Who may not even read it is told that there is none.
    pub(super) fn manage_bot(&self, caller: &str, bot: &str) -> Result<(), Refusal> {
        let user = self.users.get(bot).filter(|user| user.is_bot()).ok_or_else(Refusal::no_bot)?;
        let (manage, read) = match user.owner == caller {
            true => ("manage_bots", "read_bots"),
            false => ("manage_others_bots", "read_others_bots"),
        };
        match (self.allows(caller, manage), self.allows(caller, read)) {
            (true, _) => Ok(()),
            (false, true) => Err(Refusal::forbidden()),
            (false, false) => Err(Refusal::no_bot()),
        }
    }
}
