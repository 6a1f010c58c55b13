//! The platform `standalone`: a small stand-in site for development, tests and the demo (decisions.md section 4).
//!
//! It has users, bots, sessions, one team, two channels, posts and live events, kept in our store. It is not a
//! chat product. What it answers is shaped like Mattermost, so that drivers and clients cannot tell it apart.

mod bots;
mod cookies;
mod error;
mod hub;
mod password;
mod people;
mod posts;
mod return_to;
mod rooms;
mod seed;
mod sign_in;
mod throttle;

use std::sync::Arc;

use async_trait::async_trait;
use tessera_types::{AccessToken, AppId, Channel, ChannelMember, Password, Post, Team, TeamMember, User};
use url::Url;

use super::app_tokens::{AppSession, Tokens};
use super::{AppToken, Bot, Credential, Event, Eyes, Freshness, Identity, Platform, Right};
use crate::apps::Registry;
use crate::env::Env;
use crate::store::{Site, Store};
use crate::vault::Vault;
pub use error::{Error, Refusal, RefusalKind};
pub use hub::{Heard, Listener, News, Place};
pub use posts::{Draft, Page};
pub use return_to::safe_return;
pub use rooms::{Role, role};
pub use sign_in::SignedIn;

/// The names of the cookies of a signed-in browser, as Mattermost's clients know them.
pub use cookies::{CSRF_COOKIE, TOKEN_COOKIE, USER_COOKIE};

/// What is configured of the site.
#[derive(Clone)]
pub struct Settings {
    /// Where browsers find it; may have a sub-path.
    pub site_url: Url,
    /// The password of the people that the first start makes.
    pub password: Password,
    /// How long a person stays signed in, in milliseconds.
    pub session_life_ms: i64,
    /// The locale for those who chose none.
    pub locale: String,
    /// Whether `X-Requested-With` is no proof against cross-site requests.
    pub strict_csrf: bool,
    /// Whether people see each other's e-mail addresses.
    pub show_email_address: bool,
}

impl Settings {
    /// Thirty days signed in, `en`, CSRF as lenient as Mattermost's default, addresses shown.
    pub fn new(site_url: Url, password: Password) -> Self {
        let session_life_ms = 30 * 24 * 60 * 60 * 1_000;
        Self {
            site_url,
            password,
            session_life_ms,
            locale: "en".to_owned(),
            strict_csrf: false,
            show_email_address: true,
        }
    }
}

/// The site.
pub struct Standalone {
    site: Site,
    tokens: Tokens,
    apps: Registry,
    vault: Arc<Vault>,
    env: Env,
    settings: Settings,
    sub_path: String,
    throttle: throttle::Throttle,
    passwords: password::Passwords,
    hub: hub::Hub,
}

impl Standalone {
    /// Opens the site; the first start makes its people, team and channels.
    pub async fn open(
        store: &Store,
        vault: Arc<Vault>,
        env: Env,
        settings: Settings,
    ) -> Result<Arc<Self>, super::Error> {
        let site = Self {
            site: store.site.clone(),
            tokens: Tokens::new(store.app_tokens.clone(), Arc::clone(&vault), env.clone()),
            apps: Registry::new(store.apps.clone(), Arc::clone(&vault), env.clone()),
            vault,
            sub_path: settings.site_url.path().trim_end_matches('/').to_owned(),
            throttle: throttle::Throttle::new(env.clone()),
            passwords: password::Passwords::new(env.clone()),
            hub: hub::Hub::new(),
            env,
            settings,
        };
        seed::seed(&site, &store.meta).await?;
        Ok(Arc::new(site))
    }

    /// A fresh id, such as a request's.
    pub fn fresh_id(&self) -> Result<String, super::Error> {
        Ok(self.env.id()?)
    }

    /// What time it is, in Unix milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.env.now_ms()
    }

    /// Where browsers find the site.
    pub fn site_url(&self) -> &Url {
        &self.settings.site_url
    }

    /// The path of the site's root, without the slash at its end: empty for a site of its own.
    pub fn sub_path(&self) -> &str {
        &self.sub_path
    }

    /// Whether an `Origin` header is the site's own, or that of the host that was asked. A foreign one, `null`
    /// among them, may neither sign anyone in nor open a live connection.
    pub fn is_own_origin(&self, origin: &str, host: Option<&str>) -> bool {
        let Ok(origin) = Url::parse(origin) else { return false };
        if !origin.origin().is_tuple() {
            return false;
        }
        let own = &self.settings.site_url;
        origin.origin() == own.origin()
            || host
                .and_then(|host| Url::parse(&format!("{}://{host}/", own.scheme())).ok())
                .is_some_and(|asked| asked.origin() == origin.origin())
    }

    /// The sessions in which Apps act as a user (apps-framework.md section 4.2).
    pub async fn app_sessions(&self, user_id: &str) -> Result<Vec<AppSession>, super::Error> {
        self.tokens.of_user(user_id).await
    }

    /// Removes expired sessions and tokens, a bounded number at a time; returns how many.
    pub async fn sweep(&self) -> Result<u64, super::Error> {
        let sessions = self.site.sessions.sweep(self.env.now_ms(), 1_000).await?;
        Ok(sessions + self.tokens.sweep().await?)
    }
}

#[async_trait]
impl Platform for Standalone {
    async fn resolve(
        &self,
        credential: Credential<'_>,
        _freshness: Freshness,
    ) -> Result<Option<Identity>, super::Error> {
        self.identify(credential).await
    }

    async fn may(&self, user_id: &str, right: Right, _: Freshness) -> Result<bool, super::Error> {
        let Some(row) = self.site.people.get(user_id).await? else { return Ok(false) };
        match right {
            Right::ManageSystem => Ok(row.delete_at == 0 && people::is_admin(&row)),
        }
    }

    async fn app_token(&self, app: &AppId, user_id: &str) -> Result<AppToken, super::Error> {
        self.hand_out(app, user_id).await
    }

    async fn revoke_app_tokens(&self, app: &AppId) -> Result<(), super::Error> {
        self.tokens.revoke_app(app).await?;
        self.hub.recheck();
        Ok(())
    }

    async fn ensure_bot(&self, app: &AppId, display_name: &str) -> Result<Bot, super::Error> {
        self.bot_of(app, display_name).await
    }

    async fn set_bot_active(&self, user_id: &str, active: bool) -> Result<(), super::Error> {
        Ok(self.set_user_active(user_id, active).await?)
    }

    async fn user(&self, eyes: Eyes<'_>, user_id: &str) -> Result<User, super::Error> {
        Ok(self.read_user(eyes, user_id).await?)
    }

    async fn channel(&self, eyes: Eyes<'_>, channel_id: &str) -> Result<Channel, super::Error> {
        Ok(self.read_channel(eyes, channel_id).await?)
    }

    async fn channel_member(
        &self,
        eyes: Eyes<'_>,
        channel_id: &str,
        user_id: &str,
    ) -> Result<ChannelMember, super::Error> {
        Ok(self.read_channel_member(eyes, channel_id, user_id).await?)
    }

    async fn team(&self, eyes: Eyes<'_>, team_id: &str) -> Result<Team, super::Error> {
        Ok(self.read_team(eyes, team_id).await?)
    }

    async fn team_member(
        &self,
        eyes: Eyes<'_>,
        team_id: &str,
        user_id: &str,
    ) -> Result<TeamMember, super::Error> {
        Ok(self.read_team_member(eyes, team_id, user_id).await?)
    }

    async fn post(&self, eyes: Eyes<'_>, post_id: &str) -> Result<Post, super::Error> {
        Ok(self.read_post(eyes, post_id).await?)
    }

    fn default_locale(&self) -> &str {
        &self.settings.locale
    }

    fn sign_in_url(&self, return_to: &str) -> String {
        return_to::sign_in_url(&self.sub_path, return_to)
    }

    async fn sign_out(&self, session: &AccessToken) -> Result<(), super::Error> {
        Ok(Self::sign_out(self, session).await?)
    }

    async fn direct_message(&self, bot: &str, user: &str, message: &str) -> Result<(), super::Error> {
        let channel = self.direct_channel(bot, [bot, user]).await?;
        let draft = Draft { channel_id: channel.id, message: message.to_owned(), ..Draft::default() };
        self.create_post(bot, draft).await?;
        Ok(())
    }

    fn publish(&self, event: Event) {
        self.hub.publish(&event);
    }
}

/// The token's text has the form of one that we made: nothing else is worth a look-up.
fn well_formed(token: &AccessToken) -> bool {
    is_id(token.expose())
}

/// Whether a text has the form of an id: 26 lower-case letters and digits.
pub fn is_id(text: &str) -> bool {
    text.len() == 26 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;
