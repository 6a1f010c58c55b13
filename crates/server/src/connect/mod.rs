//! The browser flow: begin at the App's connect URL, end at its complete URL (decisions.md section 3).
//! Owner of the tables `states`, `parked` and `origins`.
//!
//! A state is bound to person, App, browser and time, and redeemed in one statement. Once it is spent the work runs
//! in a task of its own: a closed tab cannot cancel it, and a shutdown waits for it.

mod accounts;
mod agree;
mod begin;
mod complete;
mod error;
mod form;
mod managed;
mod meters;
mod origin;
mod park;
mod state;
mod tasks;

use std::sync::Arc;
use std::time::Duration;

use tessera_types::AppId;
use tokio::time::Instant;
use url::Url;

use crate::apps::Registry;
use crate::audit::{self, Audit};
use crate::calls::Calls;
use crate::env::Env;
use crate::grants::Grants;
use crate::platform::Identity;
use crate::rate::Limit;
use crate::store::{Origins, States, Store};
use crate::vault::Vault;

pub use accounts::About;
pub use agree::Agreed;
pub use begin::Begun;
pub use complete::{CallbackQuery, Completed};
pub use error::{Error, Standing};
pub use form::PageForm;
pub use managed::Choice;
pub use park::PARKED_FOR;
pub use state::{FlowCookie, flow_cookie_name};
pub use tasks::Tasks;

/// Whether a new origin in an App's connect answer is let through (decisions.md section 1, 5).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum OriginRule {
    /// Allowed, audited, shown to administrators.
    #[default]
    Notice,
    /// Refused, unless it is known.
    Strict,
}

/// What a flow begun in a browser is bound to (OS-05).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Bind {
    /// The browser that began it.
    #[default]
    Browser,
    /// The person, in whichever browser.
    User,
}

/// How the flow behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the site is: redirect URIs are built from it, never from what a request says.
    pub site_url: Url,
    /// How long a state lives: at most 15 minutes (OS-04).
    pub state_life: Duration,
    /// What to do about new origins.
    pub origins: OriginRule,
    /// Origins that count as known.
    pub known_origins: Vec<String>,
    /// What flows are bound to.
    pub bind: Bind,
    /// Whether providers may be plain http on loopback or anywhere (development).
    pub development: bool,
    /// Whether the bot of an App that keeps its connections itself tells people of each. A managed one's always does.
    pub tells_completions: bool,
    /// How many flows one person may have open with one App; 0 for no limit (OS-55).
    pub pending_flows: u32,
    /// How many flows one person may begin within a minute; 0 for no limit (OS-55).
    pub connects_per_minute: u32,
}

/// Who opened connect or complete, and with what.
#[derive(Debug, Clone, Copy)]
pub struct Visitor<'a> {
    /// The person. An App's token is refused.
    pub identity: &'a Identity,
    /// Whether a browser's cookie said so; else it was the person's own bearer token.
    pub by_cookie: bool,
    /// The request's id.
    pub request: &'a str,
    /// Calls to the App end by then.
    pub deadline: Instant,
}

/// The flow.
pub struct Connect {
    states: States,
    origins: Origins,
    apps: Arc<Registry>,
    grants: Arc<Grants>,
    calls: Arc<Calls>,
    vault: Arc<Vault>,
    audit: Arc<Audit>,
    env: Env,
    settings: Settings,
    /// Connects, by person.
    begins: Limit,
    /// Callbacks that wait for their owner to sign in, by owner.
    parks: Limit,
    tasks: Tasks,
    meters: meters::Meters,
}

/// The rooms below that a flow leans on.
pub struct Rooms {
    /// Installed Apps.
    pub apps: Arc<Registry>,
    /// Who is connected.
    pub grants: Arc<Grants>,
    /// Calls to Apps.
    pub calls: Arc<Calls>,
    /// Hashes and seals.
    pub vault: Arc<Vault>,
    /// What happened.
    pub audit: Arc<Audit>,
    /// Time and chance.
    pub env: Env,
}

impl Connect {
    /// A flow over the store.
    pub fn new(store: &Store, rooms: Rooms, settings: Settings) -> Arc<Self> {
        let Rooms { apps, grants, calls, vault, audit, env } = rooms;
        let (states, origins) = (store.states.clone(), store.origins.clone());
        let tasks = Tasks::default();
        let meters = meters::Meters::default();
        let paced = || Limit::new(env.clone(), settings.connects_per_minute, Duration::from_secs(60));
        let (begins, parks) = (paced(), paced());
        Arc::new(Self {
            states,
            origins,
            apps,
            grants,
            calls,
            vault,
            audit,
            env,
            settings,
            begins,
            parks,
            tasks,
            meters,
        })
    }

    /// Waits until no completion is under way. New ones are still taken: stop listening first.
    pub async fn drained(&self) {
        self.tasks.drained().await;
    }

    /// How many completions are under way.
    pub fn under_way(&self) -> usize {
        self.tasks.under_way()
    }

    /// Removes expired flows and parked callbacks; gives how many.
    pub async fn sweep(&self) -> Result<u64, Error> {
        Ok(self.states.sweep(self.env.now_ms(), 10_000).await?)
    }

    /// The time by which flows and connections are dated, Unix milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.env.now_ms()
    }

    fn person(&self, visitor: &Visitor<'_>) -> Result<(), Error> {
        match visitor.identity.app.is_some() || visitor.identity.is_bot {
            true => Err(Error::NotAPerson),
            false => Ok(()),
        }
    }

    async fn note(
        &self,
        act: audit::Act,
        app: &AppId,
        visitor: &Visitor<'_>,
        detail: &str,
    ) -> Result<(), Error> {
        let entry = audit::Entry::allowed(act, &visitor.identity.user_id, app.as_str(), visitor.request);
        self.audit.record(entry.detail(detail)).await?;
        self.meters.allowed(act, detail);
        Ok(())
    }

    /// A refusal is recorded and told; that it could not be recorded changes nothing for who was refused. One for
    /// being too fast is only counted by its status: a flood shall not fill the log.
    async fn refused(&self, app: &AppId, visitor: &Visitor<'_>, error: Error) -> Error {
        self.meters.refused(error.word());
        if matches!(error, Error::TooFast { .. }) {
            return error;
        }
        let entry = audit::Entry::refused(
            audit::Act::FlowRefused,
            &visitor.identity.user_id,
            app.as_str(),
            visitor.request,
        );
        if let Err(failed) = self.audit.record(entry.detail(error.word())).await {
            tracing::error!(error = %failed, "a refused flow could not be audited");
        }
        error
    }
}
