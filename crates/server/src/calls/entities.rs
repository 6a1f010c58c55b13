//! One function for each field that is an entity of the platform (apps-framework.md sections 6.4 to 6.6).

use tessera_types::{AppSummary, Channel, ExpandLevel, Post, Team, User, WebhookSecret};

use super::Cause;
use super::error::TokenError;
use super::expand::Expansion;
use super::eyes::ACT_AS_USER;
use crate::platform::{Freshness, Right};

type Filled = Result<(), Cause>;

impl<'a> Expansion<'a> {
    pub(super) async fn acting_user_access_token(&mut self) -> Filled {
        if !self.asking.app.is_granted(ACT_AS_USER) {
            return Err(Cause::NotActAsUser(self.app_id.clone()));
        }
        let user = self.asking.acting.ok_or(Cause::Session(TokenError::NoUser))?;
        let token = self.calls.app_token(&self.asking, &self.app_id, user).await.map_err(Cause::Session)?;
        self.context.acting_user_access_token = token;
        Ok(())
    }

    pub(super) async fn acting_user(&mut self, level: ExpandLevel) -> Filled {
        let id = self.asking.acting.ok_or(Cause::NoUser)?;
        self.context.acting_user = self.read_user(id, level).await?;
        Ok(())
    }

    pub(super) async fn user(&mut self, level: ExpandLevel) -> Filled {
        let id = given(&self.asking.given.user_id).ok_or(Cause::NoUser)?;
        self.context.user = self.read_user(id, level).await?;
        Ok(())
    }

    async fn read_user(&self, id: &str, level: ExpandLevel) -> Result<Option<User>, Cause> {
        let read = self.calls.platform.user(self.eyes, id).await;
        let user = read.map_err(|error| Cause::Read(id.to_owned(), error.into()))?;
        Ok(user.at_level(level))
    }

    /// The webhook secret is for administrators only.
    pub(super) async fn app(&mut self, level: ExpandLevel) -> Filled {
        let app = self.asking.app;
        let mut summary = AppSummary {
            app_id: app.manifest.app_id.clone(),
            version: app.manifest.version.clone(),
            bot_user_id: app.bot_user_id.clone(),
            bot_username: app.bot_username.clone(),
            ..AppSummary::default()
        };
        if level == ExpandLevel::All {
            summary.deploy_type = app.deploy_type.clone();
            summary.webhook_secret = self.webhook_secret().await;
        }
        self.context.app = Some(summary);
        Ok(())
    }

    async fn webhook_secret(&self) -> WebhookSecret {
        let Some(user) = self.asking.acting else { return WebhookSecret::default() };
        match self.calls.platform.may(user, Right::ManageSystem, Freshness::Now).await {
            Ok(true) => self.asking.app.webhook_secret.clone(),
            _ => WebhookSecret::default(),
        }
    }

    /// Whose membership: that of the user whom the call is about, else of the acting user.
    fn member(&self) -> Option<&'a str> {
        given(&self.asking.given.user_id).or(self.asking.acting)
    }

    pub(super) async fn channel_member(&mut self, level: ExpandLevel) -> Filled {
        let (Some(channel), Some(user)) = (given(&self.asking.given.channel_id), self.member()) else {
            return Err(Cause::NoMembership);
        };
        let read = self.calls.platform.channel_member(self.eyes, channel, user).await;
        self.context.channel_member =
            read.map_err(|error| Cause::ChannelMember(error.into()))?.at_level(level);
        Ok(())
    }

    pub(super) async fn team_member(&mut self, level: ExpandLevel) -> Filled {
        let (Some(team), Some(user)) = (given(&self.asking.given.team_id), self.member()) else {
            return Err(Cause::NoMembership);
        };
        let read = self.calls.platform.team_member(self.eyes, team, user).await;
        self.context.team_member = read.map_err(|error| Cause::TeamMember(error.into()))?.at_level(level);
        Ok(())
    }

    /// A channel that cannot be read has at least its ids: they were given (section 6.5).
    pub(super) async fn channel(&mut self, level: ExpandLevel) -> Filled {
        let id = given(&self.asking.given.channel_id).ok_or(Cause::NoChannel)?;
        self.context.channel = match self.calls.platform.channel(self.eyes, id).await {
            Ok(channel) => channel.at_level(level),
            Err(_) if level == ExpandLevel::Id => Some(Channel {
                id: id.to_owned(),
                team_id: self.asking.given.team_id.clone(),
                ..Channel::default()
            }),
            Err(error) => return Err(Cause::Read(id.to_owned(), error.into())),
        };
        Ok(())
    }

    /// A team that cannot be read has at least its id: it was given (section 6.5).
    pub(super) async fn team(&mut self, level: ExpandLevel) -> Filled {
        let id = given(&self.asking.given.team_id).ok_or(Cause::NoTeam)?;
        self.context.team = match self.calls.platform.team(self.eyes, id).await {
            Ok(team) => team.at_level(level),
            Err(_) if level == ExpandLevel::Id => Some(Team { id: id.to_owned(), ..Team::default() }),
            Err(error) => return Err(Cause::Team(id.to_owned(), error.into())),
        };
        Ok(())
    }

    pub(super) async fn post(&mut self, level: ExpandLevel) -> Filled {
        self.context.post = self.read_post(&self.asking.given.post_id, level).await?;
        Ok(())
    }

    pub(super) async fn root_post(&mut self, level: ExpandLevel) -> Filled {
        self.context.root_post = self.read_post(&self.asking.given.root_post_id, level).await?;
        Ok(())
    }

    async fn read_post(&self, id: &str, level: ExpandLevel) -> Result<Option<Post>, Cause> {
        let id = given(id).ok_or(Cause::NoPost)?;
        let read = self.calls.platform.post(self.eyes, id).await;
        Ok(read.map_err(|error| Cause::Post(id.to_owned(), error.into()))?.at_level(level))
    }

    /// The acting user's own, else the site's. Never fails.
    pub(super) async fn locale(&mut self) {
        let mut locale =
            self.context.acting_user.as_ref().map(|user| user.locale.clone()).unwrap_or_default();
        if locale.is_empty()
            && let Some(id) = self.asking.acting
            && let Ok(user) = self.calls.platform.user(self.eyes, id).await
        {
            locale = user.locale;
        }
        if locale.is_empty() {
            locale = self.calls.platform.default_locale().to_owned();
        }
        self.context.locale = if locale.is_empty() { "en".to_owned() } else { locale };
    }
}

/// An id, if there is one.
fn given(id: &str) -> Option<&str> {
    Some(id).filter(|id| !id.is_empty())
}
