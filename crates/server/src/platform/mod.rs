//! People, permissions, sessions, App tokens, bots, entities and events: what the original got from
//! Mattermost (decisions.md section 4).
//!
//! One trait. `standalone` implements it over our own store, `mattermost` over REST v4. Nobody outside
//! `boot` knows which one is there.

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Method};
use tessera_types::{AccessToken, AppId, Channel, ChannelMember, Post, Team, TeamMember, User};
use url::Url;

pub use crate::egress::Streamed;

pub mod app_tokens;
pub mod mattermost;
pub mod standalone;

pub use standalone::safe_return;

/// What a request brought to say who it is.
pub enum Credential<'a> {
    /// `Authorization: Bearer` or `token`: no further proof is needed.
    Bearer(&'a AccessToken),
    /// The session cookie; a request that changes state must also prove where it comes from.
    Cookie {
        /// The cookie's value.
        token: &'a AccessToken,
        /// What stands against cross-site requests.
        proof: CsrfProof<'a>,
    },
}

/// Proof that a cookie's request was made by the site itself (apps-framework.md section 0.6, 4).
pub enum CsrfProof<'a> {
    /// A request that changes nothing (GET, HEAD): none is needed.
    Safe,
    /// The value of `X-CSRF-Token`, or of the form member `csrf`: must equal the session's own.
    Token(&'a str),
    /// `X-Requested-With: XMLHttpRequest`, accepted unless strict mode is on.
    XmlHttpRequest,
    /// Nothing: the caller counts as signed out.
    Missing,
}

/// How old an answer about people may be (decisions.md section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// For reads: up to 10 s old on a real Mattermost; always current on the standalone platform.
    Cached,
    /// For writes, connect, complete and administration: asked now.
    Now,
}

/// Who a credential belongs to. For an App's token: the person or bot it acts as, and the App.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The acting user: a person's id, or the bot's.
    pub user_id: String,
    /// Their user name.
    pub username: String,
    /// Nickname, else "first last", else user name (section 0.7, NOBOT).
    pub display_name: String,
    /// Whether the acting user is a bot.
    pub is_bot: bool,
    /// The App whose token it was; `None` for a person's own session.
    pub app: Option<AppId>,
    /// The session's id: for logs, never a secret.
    pub session_id: String,
}

/// A right of a person on the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// `manage_system`: a system administrator.
    ManageSystem,
}

/// With whose permissions an entity is read (section 6.3).
#[derive(Debug, Clone, Copy)]
pub enum Eyes<'a> {
    /// Those of a person or bot, by id.
    Of(&'a str),
    /// No permission check: for the service itself.
    Unrestricted,
}

/// An App token, or why there is none.
#[derive(Debug)]
pub enum AppToken {
    /// A token that works now, on the App services and on REST v4.
    Token(AccessToken),
    /// The person must first agree, at this address.
    NeedsConsent {
        /// Where to send the person.
        url: String,
    },
    /// The platform will not give one, with the reason.
    Refused(String),
}

/// The bot account of an App.
#[derive(Debug, Clone)]
pub struct Bot {
    /// Its user id.
    pub user_id: String,
    /// Its user name.
    pub username: String,
}

/// Where a Mattermost sends its own requests, below the plugin's path: nothing else is answered there, and what Mattermost sends
/// is answered nowhere else.
pub const FROM_MATTERMOST: &str = "/plugins/com.mattermost.apps/tessera/v1/from-mattermost/";
/// Where it sends slash commands, followed by the App's id.
pub const COMMANDS: &str = "/tessera/v1/from-mattermost/commands";

/// Where it sends dialogs, followed by the App's id.
pub const DIALOGS: &str = "/tessera/v1/from-mattermost/dialogs";

/// Where it sends buttons that were pressed, followed by the App's id.
pub const ACTIONS: &str = "/tessera/v1/from-mattermost/actions";

/// A slash command that a Mattermost sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// What was typed, without its slash.
    pub word: String,
    /// The team that it is registered in.
    pub team_id: String,
}

/// By what somebody or something is looked for.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    /// By its id.
    Id(&'a str),
    /// By its name, as people write it behind `@` or `~`.
    Name(&'a str),
}

/// Somebody or something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// What it is called in a form: a user name, or a channel's display name.
    pub label: String,
}

/// What a site can do for Apps whose commands and forms it draws in its own way: a Mattermost that knows no Apps (C.5, C.7).
#[async_trait]
pub trait Integrations: Send + Sync + 'static {
    /// The slash command of an App that is sent with this token; None for every other token.
    async fn command(&self, app: &AppId, token: &AccessToken) -> Result<Option<Command>, Error>;

    /// Who somebody is whom the site itself named: a person who is active. Only for requests that are proven to be the site's.
    async fn named(&self, user_id: &str) -> Result<Option<Identity>, Error>;

    /// Says later what a command came to, where the site told that it may be said: the last part of its `response_url`.
    async fn answer_later(&self, hook: &str, answer: &serde_json::Value) -> Result<(), Error>;

    /// Says something to one person in a channel, for nobody else to see. `attachments` come with it, as the site has them.
    async fn say_to(
        &self,
        user_id: &str,
        channel_id: &str,
        text: &str,
        attachments: &[serde_json::Value],
    ) -> Result<(), Error>;

    /// Opens a dialog for whoever caused the request that this trigger came with. `path` is where its answers go, below the
    /// site.
    async fn open_dialog(&self, trigger: &str, path: &str, dialog: &serde_json::Value) -> Result<(), Error>;

    /// Somebody active whom the reader may see.
    async fn person(&self, reader: &str, by: By<'_>) -> Result<Option<Named>, Error>;

    /// A channel that the reader may see; one that is looked for by name is of this team.
    async fn place(&self, reader: &str, team_id: &str, by: By<'_>) -> Result<Option<Named>, Error>;

    /// Where a path of ours is found by the site and by people's browsers.
    fn address(&self, path: &str) -> String;

    /// Which version the site is, major and minor: forms are drawn as it can.
    async fn version(&self) -> Result<(u32, u32), Error>;
}

/// Where somebody goes to sign in, and what their browser carries until they come back.
#[derive(Debug)]
pub struct Leading {
    /// The address.
    pub url: Url,
    /// The name of the cookie, without prefix.
    pub cookie: String,
    /// Its value.
    pub value: AccessToken,
    /// Seconds that it is good for.
    pub max_age: u64,
}

/// What somebody came back with.
#[derive(Debug, Clone, Copy)]
pub struct CameBack<'a> {
    /// The state.
    pub state: &'a str,
    /// The code.
    pub code: &'a str,
    /// Who says so (RFC 9207).
    pub iss: Option<&'a str>,
}

/// A request that is the site's.
#[derive(Debug)]
pub struct Relayed {
    /// The method.
    pub method: Method,
    /// Path and query below the site's own path.
    pub path: String,
    /// The headers, as they came.
    pub headers: HeaderMap,
    /// The body, whole.
    pub body: Bytes,
}

/// Who signed in.
#[derive(Debug)]
pub struct Entered {
    /// The value of the session's cookie: told once, stored nowhere.
    pub session: AccessToken,
    /// Seconds that it lives.
    pub max_age: u64,
    /// Where they were going: a path on our site, or nothing.
    pub return_to: String,
}

/// What a site does for a service that has a host name of its own, where the site's cookies do not come.
#[async_trait]
pub trait OwnHost: Send + Sync + 'static {
    /// Begins to sign somebody in; `return_to` is a path that was looked at.
    async fn lead(&self, return_to: &str) -> Result<Leading, Error>;

    /// The name of the cookie that goes with a state, without prefix.
    fn trip_cookie(&self, state: &str) -> String;

    /// Ends it, with a session; None where this browser did not begin it, or too long ago, or it is nobody who may.
    async fn enter(&self, cookie: &AccessToken, back: CameBack<'_>) -> Result<Option<Entered>, Error>;

    /// Passes a request on to the site, without its cookies, and gives what the site answers, whatever it is.
    async fn relay(&self, request: Relayed) -> Result<Streamed, Error>;
}

/// Where people sign in on a site that is not ours, below the site's own path.
pub const SIGN_IN: &str = "/plugins/com.mattermost.apps/tessera/v1/sign-in";
/// What follows that address, behind its query, for who signed out just before.
pub const SIGNED_OUT: &str = "signed_out=1";
/// Where people come back to from signing in at Mattermost, on a host name of our own.
pub const SIGNED_IN: &str = "/plugins/com.mattermost.apps/tessera/v1/signed-in";
/// Where a person agrees that an App acts for them, below an App's path.
pub const AGREE: &str = "/oauth2/mattermost/connect";
/// Where they come back to.
pub const AGREED: &str = "/oauth2/mattermost/complete";

/// Something clients of the site hear about at once (section 1, WebSocket events).
#[derive(Debug, Clone)]
pub struct Event {
    /// The event's name as clients see it.
    pub name: &'static str,
    /// Who hears it.
    pub audience: Audience,
}

/// `custom_com.mattermost.apps_refresh_bindings`: bindings may have changed.
pub const REFRESH_BINDINGS: &str = "custom_com.mattermost.apps_refresh_bindings";

/// Who hears an [`Event`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Every connected client.
    Everyone,
    /// The clients of one user, by id.
    User(String),
}

/// What can go wrong between us and the platform.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The entity is not there, or the reader may not know that it is. The text is the platform's own
    /// (section 6.6: a leading `: ` is part of it).
    #[error("{0}")]
    Entity(String),
    /// A name that must be a bot's belongs to a person (section 9.3).
    #[error("a user already owns the bot username {0}: already exists")]
    NameTaken(String),
    /// Others changed the same thing again and again while we tried to.
    #[error("{0} is being changed by others: try again")]
    Contended(&'static str),
    /// The site refused, in its own words.
    #[error("Mattermost answers {status} {id}: {message}")]
    Site {
        /// The status.
        status: u16,
        /// Mattermost's name for what went wrong; empty where it gave none.
        id: String,
        /// Its text.
        message: String,
    },
    /// The site cannot be reached, or is none.
    #[error("Mattermost cannot be reached: {0}")]
    Unreachable(String),
    /// The site does not know us.
    #[error(
        "Mattermost does not accept the service's own token (mattermost.token): it was revoked, has expired, or its account \
         was deactivated, or ServiceSettings.EnableUserAccessTokens is false"
    )]
    ServiceToken,
    /// The site wants fewer requests.
    #[error("Mattermost limits how often it is asked: try again in {0}")]
    Busy(crate::rate::Wait),
    /// A token that is kept of the site could not be had.
    #[error(transparent)]
    Grants(Box<crate::grants::Error>),
    /// A stored entity does not decode.
    #[error("a stored {what} is damaged: {reason}")]
    Damaged {
        /// What it should have been.
        what: &'static str,
        /// What the decoder said.
        reason: String,
    },
    /// The registry could not tell what is known of an App.
    #[error(transparent)]
    Apps(#[from] crate::apps::Error),
    /// A password could not be hashed.
    #[error("the password could not be hashed: {0}")]
    Hash(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] crate::store::Error),
    /// A token could not be sealed or opened.
    #[error(transparent)]
    Vault(#[from] crate::vault::Error),
    /// No random bytes.
    #[error(transparent)]
    Rng(#[from] crate::env::RngError),
}

/// The platform.
#[async_trait]
pub trait Platform: Send + Sync + 'static {
    /// Whose credential this is; `None` for an unknown, expired or revoked one, for a deactivated account,
    /// and for a cookie without the proof it needs.
    async fn resolve(
        &self,
        credential: Credential<'_>,
        freshness: Freshness,
    ) -> Result<Option<Identity>, Error>;

    /// Whether a user has a right now.
    async fn may(&self, user_id: &str, right: Right, freshness: Freshness) -> Result<bool, Error>;

    /// The token with which an App acts as a person or as its bot: re-used, extended or made anew as
    /// apps-framework.md section 4.3 says.
    async fn app_token(&self, app: &AppId, user_id: &str) -> Result<AppToken, Error>;

    /// Where a person must agree before an App acts for them; None where nothing is needed.
    async fn consent_url(&self, _app: &AppId, _user_id: &str) -> Result<Option<String>, Error> {
        Ok(None)
    }

    /// Ends every token of an App at once (B-28).
    async fn revoke_app_tokens(&self, app: &AppId) -> Result<(), Error>;

    /// The App's bot: found, re-activated, renamed or created (section 9.3, 7).
    async fn ensure_bot(&self, app: &AppId, display_name: &str) -> Result<Bot, Error>;

    /// Activates or deactivates a bot.
    async fn set_bot_active(&self, user_id: &str, active: bool) -> Result<(), Error>;

    /// A user, without `password` and the other members that section 6.4 removes.
    async fn user(&self, eyes: Eyes<'_>, user_id: &str) -> Result<User, Error>;
    /// A channel.
    async fn channel(&self, eyes: Eyes<'_>, channel_id: &str) -> Result<Channel, Error>;
    /// A membership of a channel.
    async fn channel_member(
        &self,
        eyes: Eyes<'_>,
        channel_id: &str,
        user_id: &str,
    ) -> Result<ChannelMember, Error>;
    /// A team.
    async fn team(&self, eyes: Eyes<'_>, team_id: &str) -> Result<Team, Error>;
    /// A membership of a team.
    async fn team_member(&self, eyes: Eyes<'_>, team_id: &str, user_id: &str) -> Result<TeamMember, Error>;
    /// A post.
    async fn post(&self, eyes: Eyes<'_>, post_id: &str) -> Result<Post, Error>;

    /// Apps were installed, switched or uninstalled: whatever the site keeps for each is put in order.
    async fn apps_changed(&self) {}

    /// The locale for someone who has none of their own (section 6.4, Locale).
    fn default_locale(&self) -> &str;

    /// Where a browser signs in, coming back to `return_to` (a path on the site) afterwards.
    fn sign_in_url(&self, return_to: &str) -> String;

    /// The same for who has signed out just before, to be somebody else.
    fn sign_in_again_url(&self, return_to: &str) -> String {
        self.sign_in_url(return_to)
    }

    /// Ends a session, of which this is the cookie's value. One that is no session any more is no error.
    async fn sign_out(&self, session: &AccessToken) -> Result<(), Error>;

    /// Says something to a person as a bot, in the direct channel of the two.
    async fn direct_message(&self, bot: &str, user: &str, message: &str) -> Result<(), Error>;

    /// Tells connected clients. Never fails: an event is a hint, not a promise.
    fn publish(&self, event: Event);
}
