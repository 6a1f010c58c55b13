//! App credentials and connections: put, get, refresh, revoke, disconnect. Owner of the tables `credentials`,
//! `connections`, `connection_uses`, `providers` and `outbox`.
//!
//! A connection is one user's, or the bot's, OAuth2 record with one App: any JSON, kept byte for byte, sealed.
//! Every release and every change is in the audit log before it happens.

mod choice;
mod connections;
mod credentials;
mod managed;
mod meters;
mod service;
mod site;
mod standing;
mod telling;
mod uses;
mod versions;

use std::sync::Arc;
use std::time::Duration;

pub use choice::{Blank, NewClient, Preset, Written};
pub use connections::Released;
pub use managed::{
    About, Accepted, DeviceFlow, DeviceState, Messenger, ProviderRecord, ProviderSet, Returned, Revocation,
    Want, Word, fault, machine, swap,
};
pub use service::Authorize;
pub use site::{is_of_site, of_site};
pub use standing::Standing;
pub use telling::{Connection, ManagedConnection};
use tessera_types::AppId;
use tessera_types::error::Kind;
pub use uses::{USED_BY_API, Use};

use crate::apps::{self, Registry};
use crate::audit::{self, Audit};
use crate::egress::Egress;
use crate::env::{self, Env};
use crate::providers::{self, Catalogue};
use crate::rate::{Limit, Wait};
use crate::store;
use crate::vault::{self, Vault};

/// The permission without which an App may not use remote OAuth2.
pub const REMOTE_OAUTH2: &str = "remote_oauth2";

/// Who acts, for which App, in which request.
#[derive(Debug, Clone, Copy)]
pub struct Act<'a> {
    /// The acting user's id: whose record it is.
    pub actor: &'a str,
    /// The App that will see or change it.
    pub app: &'a AppId,
    /// The request's id.
    pub request: &'a str,
    /// A fixed word on why, for the audit log.
    pub reason: &'static str,
}

/// Whether a put changed anything: only a change is worth an event (section 3.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Something is different now.
    Made,
    /// What was put was there already.
    None,
}

/// What can go wrong. The first two have the wire's texts.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The App is not there.
    #[error(transparent)]
    App(#[from] apps::Error),
    /// The App was not granted `remote_oauth2`.
    #[error("{0} is not authorized to use remote OAuth2: unauthorized")]
    NotPermitted(AppId),
    /// The App reads more than it may (OS-55).
    #[error("app {app} may read {many} records within a second: try again in {wait}")]
    TooFast {
        /// Which App.
        app: AppId,
        /// How many there may be.
        many: u32,
        /// When there may be another.
        wait: Wait,
    },
    /// Others changed the same record again and again while we tried to.
    #[error("this record is being changed by others: try again")]
    Contended,
    /// The App's connections are the service's to keep.
    #[error(
        "the connections of app {0} are managed: the service keeps their tokens, and the app cannot store one; \
         storing null disconnects"
    )]
    ManagedStore(AppId),
    /// A token cannot be made fresher now.
    #[error("the token of this connection can't be refreshed right now ({code}): try again in {wait}")]
    Unavailable {
        /// The provider's code, or a word of ours.
        code: String,
        /// When it may work.
        wait: Wait,
    },
    /// A token that lives as long as it is asked for cannot be had.
    #[error("no token with {asked} more seconds can be had: tokens of this provider live {lives} seconds")]
    TooShort {
        /// What was asked for, seconds.
        asked: i64,
        /// What a fresh one lives, seconds.
        lives: i64,
    },
    /// The provider does not accept the App's client.
    #[error(
        "the provider refuses the client of app {app} ({code}): an administrator must look at its id and secret"
    )]
    ClientRefused {
        /// Which App.
        app: AppId,
        /// The provider's code.
        code: String,
    },
    /// The App has a provider record and no client.
    #[error("app {0} has no client id yet: an administrator must store it")]
    NoClient(AppId),
    /// The provider record, or the client, is another one than the flow began with.
    #[error("the provider of app {0} was changed meanwhile: open the connect link again")]
    ProviderChanged(AppId),
    /// A callback from somebody else than the provider (OS-12).
    #[error("{0}: forbidden")]
    Issuer(&'static str),
    /// An id_token that is not the provider's, or not for this flow (OS-24).
    #[error("{0}: forbidden")]
    IdToken(providers::Forged),
    /// A code was not swapped.
    #[error("{provider} did not give a token ({})", failure.code)]
    Exchange {
        /// Its name for people.
        provider: String,
        /// Why.
        failure: providers::Failure,
    },
    /// A provider record that says too little or too much.
    #[error("{0}: invalid input")]
    ProviderChoice(&'static str),
    /// A descriptor, or what was filled in, is wrong.
    #[error("{0}: invalid input")]
    Provider(#[from] providers::Error),
    /// A stored provider record does not decode.
    #[error("the stored provider record of app {0} is damaged")]
    DamagedProvider(String),
    /// No random bytes.
    #[error(transparent)]
    Rng(#[from] env::RngError),
    /// A refresh that others waited for failed.
    #[error("the refresh failed: {0}")]
    Refresh(Arc<Error>),
    /// A stored record does not decode.
    #[error("the stored OAuth2 record of app {0} is damaged")]
    Damaged(AppId),
    /// The audit log could not be written, so nothing was done.
    #[error("refused, as the audit log cannot be written: {0}")]
    Audit(#[from] audit::Error),
    /// Sealing or opening failed.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Error {
    /// The kind in the wire's error model (section 12.1).
    pub fn kind(&self) -> Kind {
        match self {
            Self::App(error) => error.kind(),
            Self::NotPermitted(_) => Kind::Unauthorized,
            Self::ProviderChoice(_) | Self::Provider(_) => Kind::Invalid,
            _ => Kind::Other,
        }
    }
}

/// How often a change is tried again when others get in between.
const ATTEMPTS: usize = 64;

/// Credentials and connections.
pub struct Grants {
    apps: Arc<Registry>,
    credentials: store::Credentials,
    connections: store::Connections,
    vault: Arc<Vault>,
    audit: Arc<Audit>,
    env: Env,
    /// Reads through the API, by App.
    reads: Limit,
    uses: Arc<uses::Uses>,
    versions: Arc<versions::Versions>,
    meters: Arc<meters::Meters>,
    managed: Arc<managed::Managed>,
}

/// The rooms below that grants lean on.
pub struct Rooms {
    /// Installed Apps.
    pub apps: Arc<Registry>,
    /// Seals.
    pub vault: Arc<Vault>,
    /// What happened.
    pub audit: Arc<Audit>,
    /// Requests to providers.
    pub egress: Arc<Egress>,
    /// Providers that there are.
    pub catalogue: Catalogue,
    /// Time and chance.
    pub env: Env,
}

impl Grants {
    /// Grants over the store.
    pub fn new(store: &store::Store, rooms: Rooms) -> Self {
        let Rooms { apps, vault, audit, egress, catalogue, env } = rooms;
        let (credentials, connections) = (store.credentials.clone(), store.connections.clone());
        let reads = Limit::none(env.clone());
        let (uses, meters) = (Arc::new(uses::Uses::new()), Arc::new(meters::Meters::default()));
        let versions = Arc::new(versions::Versions::default());
        let managed = Arc::new(managed::Managed::new(
            store,
            (&vault, &audit, &env),
            (egress, catalogue),
            (&versions, &uses, &meters),
        ));
        Self { apps, credentials, connections, vault, audit, env, reads, uses, versions, meters, managed }
    }

    /// The same, with so many reads for each App within a second from now on; 0 for no limit.
    #[must_use]
    pub fn limited(self, reads_per_second: u32) -> Self {
        Self { reads: Limit::new(self.env.clone(), reads_per_second, Duration::from_secs(1)), ..self }
    }

    /// Takes one of the reads that the App has left. What a call's context holds is not counted: people call, not Apps.
    pub fn take_read(&self, app: &AppId) -> Result<(), Error> {
        let many = self.reads.many();
        self.reads.take(app.as_str()).map_err(|wait| Error::TooFast { app: app.clone(), many, wait })
    }

    /// Installed, and granted the permission: else nothing about OAuth2 is done or told.
    pub async fn permitted(&self, app: &AppId) -> Result<(), Error> {
        let app_record = self.apps.installed(app).await?;
        match app_record.is_granted(REMOTE_OAUTH2) {
            true => Ok(()),
            false => Err(Error::NotPermitted(app.clone())),
        }
    }

    /// Removes every connection and the credentials of an App, and destroys their keys. Gives the number of
    /// connections removed.
    pub async fn forget_app(&self, act: &Act<'_>) -> Result<u64, Error> {
        self.note(audit::Act::ConnectionRemoved, act, audit::EVERY_USERS).await?;
        // While there is still a key to open them with, and a client that may end them.
        self.end_all(act).await?;
        // Keys first: what a crash leaves behind is then unreadable rather than forgotten.
        self.vault.shred_app(act.app.as_str()).await?;
        let removed = self.connections.delete_app(act.app.as_str()).await?;
        self.uses.forget_app(act.app.as_str());
        for (user, generation) in &removed {
            self.versions.removed(*generation);
            self.confirm_removed(act, connections::mark(user, *generation));
        }
        if let Some(generation) = self.credentials.delete(act.app.as_str()).await? {
            self.versions.removed(generation);
            self.confirm_removed(act, credentials::mark(generation));
        }
        self.managed.providers.delete(act.app.as_str()).await?;
        Ok(removed.len() as u64)
    }

    async fn note(&self, what: audit::Act, act: &Act<'_>, detail: &str) -> Result<(), Error> {
        let entry = audit::Entry::allowed(what, act.actor, act.app.as_str(), act.request);
        self.audit.record(entry.detail(detail)).await?;
        self.meters.count(what);
        Ok(())
    }

    /// Before a row changes.
    async fn note_row(
        &self,
        what: audit::Act,
        act: &Act<'_>,
        detail: &str,
        row: audit::RowMark<'_>,
    ) -> Result<(), Error> {
        let entry = audit::Entry::allowed(what, act.actor, act.app.as_str(), act.request);
        self.audit.record(entry.detail(detail).row(row)).await?;
        self.meters.count(what);
        Ok(())
    }

    fn confirm_written(&self, act: &Act<'_>, row: audit::RowMark<'_>) {
        self.confirm(audit::Act::RowWritten, act, row);
    }

    fn confirm_removed(&self, act: &Act<'_>, row: audit::RowMark<'_>) {
        self.confirm(audit::Act::RowRemoved, act, row);
    }

    fn confirm(&self, what: audit::Act, act: &Act<'_>, row: audit::RowMark<'_>) {
        let entry = audit::Entry::done(what, act.actor, act.app.as_str(), act.request);
        self.audit.done(entry.row(row));
    }
}
