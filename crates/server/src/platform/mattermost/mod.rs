//! The platform `mattermost`: a real Mattermost over its REST API, of any version (mattermost-attach.md part C).
//!
//! Nothing runs inside it. People are who Mattermost says that they are, asked for with the token that they bring; an
//! App has a bot account with a token of its own, and acts for people with a token of Mattermost's own OAuth2 provider,
//! to which each of them agreed once. What is kept of all this is sealed; whose a token of ours is stands in our own table.

mod acting;
mod bots;
mod clients;
mod commands;
mod entities;
mod identity;
mod joined;
mod look;
mod named;
pub mod prepare;
mod relay;
mod rest;
mod rights;
mod sessions;
mod sign_in;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http::Method;
use serde_json::{Value, json};
use tessera_types::{AccessToken, AppId, Channel, ChannelMember, Post, Team, TeamMember, User};
use tokio::sync::Semaphore;
use url::Url;

use super::app_tokens::Tokens;
use super::{
    AppToken, Bot, By, CameBack, Command, Credential, Entered, Error, Event, Eyes, Freshness, Identity,
    Integrations, Leading, Named, OwnHost, Platform, Relayed, Right, Streamed,
};
use crate::apps::Registry;
use crate::egress::Egress;
use crate::env::Env;
use crate::grants::Grants;
use crate::store::{BrowserSessions, Commands, Store};
use crate::vault::Vault;
pub use look::{Command as Callbacks, Finding, Look, State};
use rest::{As, Rest};

/// What is configured of the Mattermost.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where people's browsers find it: its `ServiceSettings.SiteURL`.
    pub site_url: Url,
    /// Where we find it.
    pub internal_url: Url,
    /// Where browsers and Apps find us: the same as `site_url` where one proxy serves both.
    pub own_url: Url,
    /// With what we ask in our own name.
    pub token: AccessToken,
    /// Whether Apps act for people by personal access tokens that an administrator makes, without asking them.
    pub danger_admin_tokens: bool,
}

impl Settings {
    /// Whether browsers and Apps find us under a host name of our own: Mattermost's cookies do not get there.
    pub fn is_apart(&self) -> bool {
        self.own_url.origin() != self.site_url.origin()
    }
}

/// A Mattermost.
pub struct Mattermost {
    rest: Rest,
    settings: Settings,
    identities: identity::Identities,
    questions: joined::Questions,
    roles: rights::Roles,
    tokens: Tokens,
    commands: Commands,
    reconciling: commands::Turns,
    /// Of browsers, where we have a host name of our own.
    sessions: BrowserSessions,
    egress: Arc<Egress>,
    /// Turns of what is passed on.
    relays: Arc<Semaphore>,
    /// Whether our own client at its provider was looked at since we started.
    client_seen: AtomicBool,
    /// Its version, and when it was asked for (Unix ms).
    version: Mutex<Option<(i64, (u32, u32))>>,
    apps: Arc<Registry>,
    grants: Arc<Grants>,
    vault: Arc<Vault>,
    env: Env,
}

/// The rooms below that it leans on.
pub struct Rooms {
    /// Installed Apps.
    pub apps: Arc<Registry>,
    /// Keeps the tokens with which Apps act for people.
    pub grants: Arc<Grants>,
    /// Seals and hashes.
    pub vault: Arc<Vault>,
    /// Requests to it.
    pub egress: Arc<Egress>,
    /// Time and chance.
    pub env: Env,
}

impl Mattermost {
    /// A Mattermost at this address. Nothing is asked of it yet: it may be down while we start.
    pub fn new(store: &Store, rooms: Rooms, settings: Settings) -> Arc<Self> {
        let Rooms { apps, grants, vault, egress, env } = rooms;
        let rest = Rest::new(
            Arc::clone(&egress),
            env.clone(),
            settings.internal_url.clone(),
            settings.token.clone(),
        );
        let tokens = Tokens::new(store.app_tokens.clone(), Arc::clone(&vault), env.clone());
        let (identities, roles) = (identity::Identities::new(), rights::Roles::default());
        let (commands, reconciling) = (store.commands.clone(), commands::Turns::default());
        Arc::new(Self {
            rest,
            settings,
            identities,
            questions: joined::Questions::default(),
            roles,
            tokens,
            commands,
            reconciling,
            sessions: store.browser_sessions.clone(),
            egress,
            relays: Arc::new(Semaphore::new(relay::AT_ONCE)),
            client_seen: AtomicBool::new(false),
            version: Mutex::default(),
            apps,
            grants,
            vault,
            env,
        })
    }

    /// Removes expired tokens, a bounded number at a time, and puts Apps' commands in order; gives how many were removed.
    pub async fn sweep(&self) -> Result<u64, Error> {
        let swept = self.tokens.sweep().await? + self.sessions.sweep(self.env.now_ms()).await?;
        self.end_replaced_tokens().await?;
        self.reconcile_commands().await?;
        Ok(swept)
    }

    /// A path of ours, as a browser finds it.
    fn own(&self, path: &str) -> String {
        tessera_types::routes::below_site(self.settings.own_url.as_str(), path)
    }
}

#[async_trait]
impl Integrations for Mattermost {
    async fn command(&self, app: &AppId, token: &AccessToken) -> Result<Option<Command>, Error> {
        self.command_of(app, token).await
    }

    async fn named(&self, user_id: &str) -> Result<Option<Identity>, Error> {
        self.whom_it_named(user_id).await
    }

    async fn answer_later(&self, hook: &str, answer: &Value) -> Result<(), Error> {
        match rest::is_id(hook) {
            true => self.rest.hook(hook, answer).await,
            false => Err(Error::Entity(": Unable to find the hook.".to_owned())),
        }
    }

    async fn say_to(
        &self,
        user_id: &str,
        channel_id: &str,
        text: &str,
        attachments: &[Value],
    ) -> Result<(), Error> {
        self.ephemeral(user_id, channel_id, text, attachments).await
    }

    async fn open_dialog(&self, trigger: &str, path: &str, dialog: &Value) -> Result<(), Error> {
        let body = json!({"trigger_id": trigger, "url": self.own(path), "dialog": dialog});
        self.rest.tell(Method::POST, As::Service, "/actions/dialogs/open", &body).await
    }

    async fn person(&self, reader: &str, by: By<'_>) -> Result<Option<Named>, Error> {
        self.person_for(reader, by).await
    }

    async fn place(&self, reader: &str, team_id: &str, by: By<'_>) -> Result<Option<Named>, Error> {
        self.place_for(reader, team_id, by).await
    }

    fn address(&self, path: &str) -> String {
        self.own(path)
    }

    async fn version(&self) -> Result<(u32, u32), Error> {
        self.known_version().await
    }
}

#[async_trait]
impl OwnHost for Mattermost {
    async fn lead(&self, return_to: &str) -> Result<Leading, Error> {
        self.lead_to_sign_in(return_to).await
    }

    fn trip_cookie(&self, state: &str) -> String {
        self.trip_cookie(state)
    }

    async fn enter(&self, cookie: &AccessToken, back: CameBack<'_>) -> Result<Option<Entered>, Error> {
        self.come_back(cookie, back).await
    }

    async fn relay(&self, request: Relayed) -> Result<Streamed, Error> {
        self.pass_on(request).await
    }
}

#[async_trait]
impl Platform for Mattermost {
    async fn resolve(
        &self,
        credential: Credential<'_>,
        freshness: Freshness,
    ) -> Result<Option<Identity>, Error> {
        self.identify(credential, freshness).await
    }

    async fn may(&self, user_id: &str, right: Right, freshness: Freshness) -> Result<bool, Error> {
        self.has_right(user_id, right, freshness).await
    }

    async fn app_token(&self, app: &AppId, user_id: &str) -> Result<AppToken, Error> {
        // On the heap: rare beside reads, and large.
        Box::pin(self.hand_out(app, user_id)).await
    }

    async fn consent_url(&self, app: &AppId, user_id: &str) -> Result<Option<String>, Error> {
        Box::pin(self.where_to_agree(app, user_id)).await
    }

    async fn revoke_app_tokens(&self, app: &AppId) -> Result<(), Error> {
        self.end_tokens(app).await
    }

    async fn ensure_bot(&self, app: &AppId, display_name: &str) -> Result<Bot, Error> {
        self.bot_of(app, display_name).await
    }

    async fn set_bot_active(&self, user_id: &str, active: bool) -> Result<(), Error> {
        self.switch_bot(user_id, active).await
    }

    async fn user(&self, eyes: Eyes<'_>, user_id: &str) -> Result<User, Error> {
        self.read_user(eyes, user_id).await
    }

    async fn channel(&self, eyes: Eyes<'_>, channel_id: &str) -> Result<Channel, Error> {
        self.read_channel(eyes, channel_id).await
    }

    async fn channel_member(
        &self,
        eyes: Eyes<'_>,
        channel_id: &str,
        user_id: &str,
    ) -> Result<ChannelMember, Error> {
        self.read_channel_member(eyes, channel_id, user_id).await
    }

    async fn team(&self, eyes: Eyes<'_>, team_id: &str) -> Result<Team, Error> {
        self.read_team(eyes, team_id).await
    }

    async fn team_member(&self, eyes: Eyes<'_>, team_id: &str, user_id: &str) -> Result<TeamMember, Error> {
        self.read_team_member(eyes, team_id, user_id).await
    }

    async fn post(&self, eyes: Eyes<'_>, post_id: &str) -> Result<Post, Error> {
        self.read_post(eyes, post_id).await
    }

    async fn apps_changed(&self) {
        if let Err(error) = self.reconcile_commands().await {
            tracing::warn!(%error, "Apps' slash commands could not be put in order, and will be within a minute");
        }
    }

    fn default_locale(&self) -> &str {
        "en"
    }

    fn sign_in_url(&self, return_to: &str) -> String {
        let mut url = self.settings.own_url.clone();
        let path = self.own(super::SIGN_IN);
        if let Ok(address) = Url::parse(&path) {
            url = address;
        }
        url.query_pairs_mut().append_pair("return_to", return_to);
        url.to_string()
    }

    fn sign_in_again_url(&self, return_to: &str) -> String {
        let url = self.sign_in_url(return_to);
        // In Mattermost they are signed in still, so that signing in here by itself would lead to the same person.
        if self.settings.is_apart() { format!("{url}&{}", super::SIGNED_OUT) } else { url }
    }

    async fn sign_out(&self, session: &AccessToken) -> Result<(), Error> {
        self.end_session(session).await
    }

    async fn direct_message(&self, bot: &str, user: &str, message: &str) -> Result<(), Error> {
        self.tell(bot, user, message).await
    }

    /// Clients of a Mattermost refetch bindings by themselves: its event can be sent by a plugin alone (A.2).
    fn publish(&self, _: Event) {}
}
