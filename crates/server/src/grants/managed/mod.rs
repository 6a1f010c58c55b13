//! Managed connections: an administrator names an App's provider, and the service does the rest: consent, refresh,
//! rotation, revocation (decisions.md section 2, `docs/adr/0009-refresh.md`).
//!
//! What a reader is given lies in the connection's row like any other record, sealed; what the App never sees lies
//! beside it. A refresh is claimed durably before it is asked for, and its reply is durable before anybody reads it.

mod consent;
mod device;
pub mod fault;
mod flights;
mod grant;
mod live;
pub mod machine;
mod once;
mod own;
mod pace;
mod record;
mod refresh;
mod revoke;
pub mod swap;
mod tell;
mod want;
mod work;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

pub use consent::{Accepted, Returned};
pub use device::{DeviceFlow, DeviceState};
pub use grant::About;
pub(super) use grant::{account, missing};
pub(super) use record::Described;
pub use record::{ProviderRecord, ProviderSet};
pub use revoke::Revocation;
pub use tell::{Messenger, Word};
pub use want::Want;

use super::meters::Meters;
use super::uses::Uses;
use super::versions::Versions;
use crate::audit::Audit;
use crate::egress::Egress;
use crate::env::Env;
use crate::providers::Catalogue;
use crate::store::{Connections, Credentials, Outbox, Providers, Store};
use crate::vault::Vault;

/// A connection that the App keeps itself.
pub(super) const APP_MANAGED: i64 = 0;
/// A connection whose token the service keeps fresh.
pub(super) const MANAGED: i64 = 1;

/// What every part of this works with; shared, as work goes on when who asked for it has gone.
pub(super) struct Managed {
    pub(super) connections: Connections,
    pub(super) credentials: Credentials,
    pub(super) providers: Providers,
    pub(super) outbox: Outbox,
    pub(super) vault: Arc<Vault>,
    pub(super) audit: Arc<Audit>,
    pub(super) env: Env,
    pub(super) egress: Arc<Egress>,
    pub(super) catalogue: Catalogue,
    pub(super) versions: Arc<Versions>,
    pub(super) uses: Arc<Uses>,
    pub(super) meters: Arc<Meters>,
    pub(super) messenger: OnceLock<Arc<dyn Messenger>>,
    paces: pace::Paces,
    flights: flights::Flights,
    /// Setups by App, each with the generation that it was read from.
    setups: Mutex<HashMap<String, Arc<record::Described>>>,
    busy: work::Looked,
    /// Rings when there is something to do before the next look.
    pub(super) bell: tokio::sync::Notify,
}

impl Managed {
    /// Over the store, with what the room has already.
    pub(super) fn new(
        store: &Store,
        (vault, audit, env): (&Arc<Vault>, &Arc<Audit>, &Env),
        (egress, catalogue): (Arc<Egress>, Catalogue),
        (versions, uses, meters): (&Arc<Versions>, &Arc<Uses>, &Arc<Meters>),
    ) -> Self {
        Self {
            connections: store.connections.clone(),
            credentials: store.credentials.clone(),
            providers: store.providers.clone(),
            outbox: store.outbox.clone(),
            vault: Arc::clone(vault),
            audit: Arc::clone(audit),
            env: env.clone(),
            egress,
            catalogue,
            versions: Arc::clone(versions),
            uses: Arc::clone(uses),
            meters: Arc::clone(meters),
            messenger: OnceLock::new(),
            paces: pace::Paces::default(),
            flights: flights::Flights::default(),
            setups: Mutex::default(),
            busy: work::Looked::default(),
            bell: tokio::sync::Notify::new(),
        }
    }
}
