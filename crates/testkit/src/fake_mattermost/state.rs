//! All that a Mattermost remembers.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use tessera_server::env::Env;
use tessera_types::{Channel, Team};
use tokio::sync::broadcast;

use super::accounts::User;
use super::asked::Logged;
use super::commands::Command;
use super::dialogs::Dialog;
use super::failures::Failures;
use super::late::Hook;
use super::limits::Limiter;
use super::members::Member;
use super::oauth::Provider;
use super::rights::{Role, roles};
use super::sessions::Session;
use super::settings::Settings;
use super::tokens::Pat;
use super::version::Version;

pub(super) struct State {
    pub(super) version: Version,
    pub(super) settings: Settings,
    pub(super) clock: Clock,
    pub(super) users: HashMap<String, User>,
    pub(super) roles: BTreeMap<String, Role>,
    /// By token.
    pub(super) sessions: HashMap<String, Session>,
    /// Personal access tokens, by id.
    pub(super) pats: BTreeMap<String, Pat>,
    pub(super) teams: BTreeMap<String, Team>,
    pub(super) channels: BTreeMap<String, Channel>,
    /// By team or channel, and person.
    pub(super) members: BTreeMap<(String, String), Member>,
    pub(super) posts: Vec<Value>,
    pub(super) ephemeral: Vec<Value>,
    pub(super) commands: BTreeMap<String, Command>,
    /// Addresses for late answers.
    pub(super) hooks: HashMap<String, Hook>,
    /// What came there.
    pub(super) told: Vec<Value>,
    /// By who has them before them, the topmost last.
    pub(super) dialogs: HashMap<String, Vec<Dialog>>,
    pub(super) trigger_secret: String,
    pub(super) strict_dialogs: bool,
    pub(super) provider: Provider,
    /// Signing in is somebody else's business, and what was asked for is forgotten meanwhile.
    pub(super) sso: bool,
    pub(super) failures: Failures,
    pub(super) limiter: Limiter,
    pub(super) log: Vec<Logged>,
    pub(super) warnings: Vec<String>,
    pub(super) events: broadcast::Sender<Event>,
}

/// Something that clients of people are told over a websocket.
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// Its name and data, as they are sent.
    pub(super) frame: Value,
    /// Who gets it; where there is nobody named, who may read the channel.
    pub(super) user: String,
    pub(super) channel: String,
}

/// A clock that stands still until it is moved: nothing ends by itself while a test runs.
#[derive(Debug)]
pub(super) struct Clock {
    now: i64,
    moved: i64,
    /// How far the clock that others see is ahead of it, ms.
    pub(super) skew: i64,
}

impl Clock {
    fn start() -> Self {
        Self { now: Env::system().now_ms(), moved: 0, skew: 0 }
    }

    /// Unix milliseconds.
    pub(super) fn now(&self) -> i64 {
        self.now
    }

    pub(super) fn advance(&mut self, by: i64) {
        self.now += by;
        self.moved += by;
    }

    /// What it says in the header `Date`: this one runs.
    pub(super) fn shown(&self) -> i64 {
        Env::system().now_ms() + self.moved + self.skew
    }
}

/// An id as Mattermost makes them, or a token: 26 letters and digits.
pub(super) fn fresh() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    // Spread, so that no id begins like another.
    let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{spread:016x}{number:010}")
}

impl State {
    pub(super) fn new(version: Version) -> Self {
        Self {
            version,
            settings: Settings::of(version),
            clock: Clock::start(),
            users: HashMap::new(),
            roles: roles(version),
            sessions: HashMap::new(),
            pats: BTreeMap::new(),
            teams: BTreeMap::new(),
            channels: BTreeMap::new(),
            members: BTreeMap::new(),
            posts: Vec::new(),
            ephemeral: Vec::new(),
            commands: BTreeMap::new(),
            hooks: HashMap::new(),
            told: Vec::new(),
            dialogs: HashMap::new(),
            trigger_secret: fresh(),
            strict_dialogs: true,
            provider: Provider::default(),
            sso: false,
            failures: Failures::default(),
            limiter: Limiter::default(),
            log: Vec::new(),
            warnings: Vec::new(),
            events: broadcast::channel(256).0,
        }
    }

    pub(super) fn now(&self) -> i64 {
        self.clock.now()
    }

    /// The address of the site, as people open it; without a slash at its end.
    pub(super) fn site_url(&self) -> String {
        self.settings.text("ServiceSettings.SiteURL").trim_end_matches('/').to_owned()
    }

    /// The path below which the site lies; empty where it lies at the root.
    pub(super) fn subpath(&self) -> String {
        let url = url::Url::parse(&self.site_url());
        url.map(|url| url.path().trim_end_matches('/').to_owned()).unwrap_or_default()
    }

    /// What the server writes to its own log.
    pub(super) fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(text.into());
    }

    /// Tells clients. That nobody listens is nothing to worry about.
    pub(super) fn publish(&self, name: &str, user: &str, channel: &str, data: Value) {
        let frame = serde_json::json!({
            "event": name, "data": data,
            "broadcast": {"omit_users": null, "user_id": user, "channel_id": channel, "team_id": ""},
        });
        let event = Event { frame, user: user.to_owned(), channel: channel.to_owned() };
        let _ = self.events.send(event);
    }
}
