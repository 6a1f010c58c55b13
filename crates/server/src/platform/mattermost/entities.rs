//! People, channels, teams and posts, as somebody may see them.
//!
//! They are asked for in our own name, as the person's token is often not at hand, and what that person may see is decided
//! by their memberships and roles: a member sees a channel, a member of the team its public ones, a system administrator
//! all. Where we could not tell, the answer is the one for what is not there.

use tessera_types::{Channel, ChannelMember, Post, Team, TeamMember, User};

use super::Mattermost;
use super::rest::{As, is_id};
use crate::platform::{Error, Eyes, Freshness};

/// Members of a user that only the user and administrators see.
fn profile(user: User) -> User {
    User {
        auth_service: String::new(),
        notify_props: None,
        failed_attempts: 0,
        last_activity_at: 0,
        terms_of_service_id: String::new(),
        terms_of_service_create_at: 0,
        ..user
    }
}

impl Mattermost {
    pub(super) async fn read_user(&self, eyes: Eyes<'_>, user_id: &str) -> Result<User, Error> {
        let user: User = self.entity("user", user_id, &format!("/users/{user_id}")).await?;
        match eyes {
            Eyes::Unrestricted => Ok(user),
            Eyes::Of(reader) if reader == user_id => Ok(user),
            Eyes::Of(reader) => {
                let reader: User = self.entity("user", reader, &format!("/users/{reader}")).await?;
                let sees_all = self.allow(&reader.roles, "manage_system", Freshness::Cached).await?;
                if sees_all {
                    return Ok(user);
                }
                // A guest sees those with whom they share a channel, which is more than we can ask for here.
                if !self.allow(&reader.roles, "view_members", Freshness::Cached).await? {
                    return Err(missing("user"));
                }
                Ok(self.shown(profile(user)).await)
            }
        }
    }

    /// As the site's privacy settings have it.
    async fn shown(&self, user: User) -> User {
        let config: std::collections::HashMap<String, String> =
            self.rest.get(As::Service, "/config/client?format=old").await.unwrap_or_default();
        let on = |key: &str| config.get(key).is_some_and(|value| value == "true");
        let (email, full_name) = (on("ShowEmailAddress"), on("ShowFullName"));
        User {
            email: if email { user.email } else { String::new() },
            first_name: if full_name { user.first_name } else { String::new() },
            last_name: if full_name { user.last_name } else { String::new() },
            ..user
        }
    }

    pub(super) async fn read_channel(&self, eyes: Eyes<'_>, channel_id: &str) -> Result<Channel, Error> {
        let channel: Channel = self.entity("channel", channel_id, &format!("/channels/{channel_id}")).await?;
        match eyes {
            Eyes::Unrestricted => Ok(channel),
            Eyes::Of(reader) if self.sees_channel(reader, &channel).await? => Ok(channel),
            Eyes::Of(_) => Err(missing("channel")),
        }
    }

    async fn sees_channel(&self, reader: &str, channel: &Channel) -> Result<bool, Error> {
        let id = &channel.id;
        if self.is_member(&format!("/channels/{id}/members/{reader}"), reader).await? {
            return Ok(true);
        }
        let public = channel.kind == "O" && !channel.team_id.is_empty();
        if public && self.is_member(&format!("/teams/{}/members/{reader}", channel.team_id), reader).await? {
            return Ok(true);
        }
        self.sees_all(reader).await
    }

    async fn sees_all(&self, reader: &str) -> Result<bool, Error> {
        let reader: User = self.entity("user", reader, &format!("/users/{reader}")).await?;
        self.allow(&reader.roles, "manage_system", Freshness::Cached).await
    }

    async fn is_member(&self, path: &str, user: &str) -> Result<bool, Error> {
        if !is_id(user) {
            return Ok(false);
        }
        let member: Option<TeamMember> = self.rest.find(As::Service, path).await?;
        Ok(member.is_some_and(|member| member.delete_at == 0))
    }

    pub(super) async fn read_channel_member(
        &self,
        eyes: Eyes<'_>,
        channel_id: &str,
        user_id: &str,
    ) -> Result<ChannelMember, Error> {
        if let Eyes::Of(_) = eyes {
            self.read_channel(eyes, channel_id).await?;
        }
        let path = format!("/channels/{channel_id}/members/{user_id}");
        let ids = if is_id(user_id) { channel_id } else { user_id };
        self.entity("channel member", ids, &path).await
    }

    pub(super) async fn read_team(&self, eyes: Eyes<'_>, team_id: &str) -> Result<Team, Error> {
        let team: Team = self.entity("team", team_id, &format!("/teams/{team_id}")).await?;
        match eyes {
            Eyes::Unrestricted => Ok(team),
            Eyes::Of(reader) => {
                let member = format!("/teams/{team_id}/members/{reader}");
                let sees = self.is_member(&member, reader).await? || self.sees_all(reader).await?;
                if sees { Ok(team) } else { Err(missing("team")) }
            }
        }
    }

    pub(super) async fn read_team_member(
        &self,
        eyes: Eyes<'_>,
        team_id: &str,
        user_id: &str,
    ) -> Result<TeamMember, Error> {
        if let Eyes::Of(_) = eyes {
            self.read_team(eyes, team_id).await?;
        }
        let path = format!("/teams/{team_id}/members/{user_id}");
        let ids = if is_id(user_id) { team_id } else { user_id };
        self.entity("team member", ids, &path).await
    }

    pub(super) async fn read_post(&self, eyes: Eyes<'_>, post_id: &str) -> Result<Post, Error> {
        let post: Post = self.entity("post", post_id, &format!("/posts/{post_id}")).await?;
        if let Eyes::Of(_) = eyes {
            self.read_channel(eyes, &post.channel_id).await.map_err(|error| match error {
                Error::Entity(_) => missing("post"),
                other => other,
            })?;
        }
        Ok(post)
    }

    /// Reads one. `id` is what of its path came from outside.
    async fn entity<T: serde::de::DeserializeOwned>(
        &self,
        what: &'static str,
        id: &str,
        path: &str,
    ) -> Result<T, Error> {
        if !is_id(id) {
            return Err(missing(what));
        }
        self.rest.find(As::Service, path).await?.ok_or_else(|| missing(what))
    }
}

fn missing(what: &str) -> Error {
    Error::Entity(format!(": Unable to find the {what}."))
}
