//! Everything that is kept: one small [`Engine`] per database, and nouns written once over it.
//!
//! Every method of a noun is one atomic statement (or one transaction) with its contract in its doc comment.
//! Time comes as an argument, in unix milliseconds. Secrets arrive sealed: nothing in here can read them.
//! `docs/adr/0002-one-engine-trait.md` says why it is built this way.

pub mod app_tokens;
mod apps;
mod asked;
mod browser_sessions;
pub mod cache;
mod commands;
mod connections;
mod credentials;
mod engine;
mod error;
mod keys;
mod managed;
mod meta;
mod meters;
mod migrations;
mod origins;
mod outbox;
mod postgres;
mod providers;
mod reading;
pub mod site;
mod sqlite;
mod states;
mod value;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use prometheus_client::registry::Registry;
use tokio::sync::broadcast;

pub use app_tokens::{AppTokenRow, AppTokens};
pub use apps::{AppRow, Apps};
pub use asked::Asked;
pub use browser_sessions::{BrowserSessionRow, BrowserSessions};
pub use cache::{Invalidation, Topic};
pub use commands::{CommandRow, Commands};
pub use connections::{ConnectionRow, Connections, UseRow};
pub use credentials::{CredentialRow, Credentials};
pub use engine::Engine;
pub use error::Error;
pub use keys::{DataKeyRow, Keys};
pub use managed::{DueRow, ManagedRow, Settled};
pub use meta::Meta;
pub use origins::{OriginRow, Origins};
pub use outbox::{Outbox, OutboxRow};
pub use providers::{ProviderRow, Providers};
pub use reading::Reading;
pub use site::Site;
pub use states::{StateRow, States};
pub(crate) use value::values;
pub use value::{Row, Statement, Value, Written};

use meters::Meters;
use migrations::{DATA, KEYS};
use postgres::Postgres;
use sqlite::{Folder, Sqlite};

/// Which database, and where.
#[derive(Clone)]
pub enum StoreConfig {
    /// SQLite in memory: everything ends with the process.
    Memory,
    /// SQLite in the folder `dir` (`tessera.db` and `keys.db`), which this process has for itself.
    Sqlite {
        /// The folder; made when it is not there.
        dir: PathBuf,
    },
    /// PostgreSQL, shared by any number of nodes.
    Postgres {
        /// A libpq connection string or URL.
        url: String,
        /// The most connections this node opens, at least 2: a quarter of them are for keys.
        max_connections: usize,
    },
}

impl fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("Memory"),
            Self::Sqlite { dir } => f.debug_struct("Sqlite").field("dir", dir).finish(),
            // The URL may carry a password.
            Self::Postgres { max_connections, .. } => {
                f.debug_struct("Postgres").field("max_connections", max_connections).finish_non_exhaustive()
            }
        }
    }
}

/// The open store: a field per noun. Clones share one database; it is closed when the last is dropped.
#[derive(Clone)]
pub struct Store {
    /// Manifests and installed Apps.
    pub apps: Apps,
    /// OAuth2 app records.
    pub credentials: Credentials,
    /// Users' OAuth2 records.
    pub connections: Connections,
    /// Data keys.
    pub keys: Keys,
    /// Browser flows.
    pub states: States,
    /// Origins that Apps send browsers to.
    pub origins: Origins,
    /// Provider records of Apps.
    pub providers: Providers,
    /// Slash commands at a Mattermost.
    pub commands: Commands,
    /// Calls that wait for their person to agree.
    pub asked: Asked,
    /// Browsers that signed in on a host name of the service's own.
    pub browser_sessions: BrowserSessions,
    /// What must still happen.
    pub outbox: Outbox,
    /// Values about the installation.
    pub meta: Meta,
    /// Tokens that Apps act with.
    pub app_tokens: AppTokens,
    /// The standalone site.
    pub site: Site,
    engine: Arc<dyn Engine>,
    topic: Topic,
    meters: Meters,
}

impl Store {
    /// Opens the database and brings its schema up to date.
    ///
    /// # Errors
    /// [`Error::InUse`], [`Error::Open`], or a migration that does not fit ([`Error::ChangedMigration`],
    /// [`Error::NewerMigration`]).
    pub async fn open(config: &StoreConfig) -> Result<Self, Error> {
        let meters = Meters::default();
        Ok(match config {
            StoreConfig::Memory => {
                let open = |set| Sqlite::in_memory(set, meters.batches());
                Self::over(open(&DATA)?, open(&KEYS)?, meters)
            }
            StoreConfig::Sqlite { dir } => {
                let folder = Arc::new(Folder::take(dir)?);
                let open = |set| Sqlite::in_folder(&folder, set, meters.batches());
                Self::over(open(&DATA)?, open(&KEYS)?, meters)
            }
            StoreConfig::Postgres { url, max_connections } => {
                let for_keys = (max_connections / 4).max(1);
                let for_data = max_connections.saturating_sub(for_keys).max(1);
                Self::over(
                    Postgres::open(url, for_data, &DATA).await?,
                    Postgres::open(url, for_keys, &KEYS).await?,
                    meters,
                )
            }
        })
    }

    fn over(data: impl Engine, keys: impl Engine, meters: Meters) -> Self {
        let engine: Arc<dyn Engine> = Arc::new(meters.over(data, "data"));
        let keys = Arc::new(meters.over(keys, "keys"));
        let topic = broadcast::Sender::new(1024);
        Self {
            apps: Apps::new(Arc::clone(&engine), &topic),
            credentials: Credentials::new(Arc::clone(&engine), &topic),
            connections: Connections::new(Arc::clone(&engine), &topic),
            keys: Keys::new(keys, &topic),
            states: States::new(Arc::clone(&engine)),
            origins: Origins::new(Arc::clone(&engine)),
            providers: Providers::new(Arc::clone(&engine), &topic),
            commands: Commands::new(Arc::clone(&engine)),
            asked: Asked::new(Arc::clone(&engine)),
            browser_sessions: BrowserSessions::new(Arc::clone(&engine)),
            outbox: Outbox::new(Arc::clone(&engine)),
            meta: Meta::new(Arc::clone(&engine)),
            app_tokens: AppTokens::new(Arc::clone(&engine), &topic),
            site: Site::new(&engine, &topic),
            engine,
            topic,
            meters,
        }
    }

    /// Announces what is counted.
    pub fn announce(&self, registry: &mut Registry) {
        self.meters.announce(registry);
    }

    /// The engine under the data nouns, for nouns of other owners.
    pub fn engine(&self) -> Arc<dyn Engine> {
        Arc::clone(&self.engine)
    }

    /// Where every invalidated cache key is announced.
    pub fn topic(&self) -> &Topic {
        &self.topic
    }
}
