//! What is counted of secrets: releases, changes and removals, as the audit log has them.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::Grants;
use crate::audit;

/// Which record, and what was done with it.
type What = [(&'static str, &'static str); 2];

pub(super) struct Meters {
    all: Family<What, Counter<u64, AtomicU64>>,
    connection_released: Counter<u64, AtomicU64>,
    connection_stored: Counter<u64, AtomicU64>,
    connection_removed: Counter<u64, AtomicU64>,
    credentials_released: Counter<u64, AtomicU64>,
    credentials_stored: Counter<u64, AtomicU64>,
}

impl Default for Meters {
    fn default() -> Self {
        let all = Family::default();
        let of = |record, act| Family::get_or_create_owned(&all, &[("record", record), ("act", act)]);
        Self {
            connection_released: of("connection", "released"),
            connection_stored: of("connection", "stored"),
            connection_removed: of("connection", "removed"),
            credentials_released: of("credentials", "released"),
            credentials_stored: of("credentials", "stored"),
            all,
        }
    }
}

impl Meters {
    pub(super) fn count(&self, act: audit::Act) {
        let counter = match act {
            audit::Act::ConnectionReleased => &self.connection_released,
            audit::Act::ConnectionStored => &self.connection_stored,
            audit::Act::ConnectionRemoved => &self.connection_removed,
            audit::Act::CredentialsReleased => &self.credentials_released,
            audit::Act::CredentialsStored => &self.credentials_stored,
            _ => return,
        };
        counter.inc();
    }
}

impl Grants {
    /// Announces what is counted.
    pub fn announce(&self, registry: &mut Registry) {
        registry.register(
            "records",
            "Users' records (connection) and Apps' (credentials) released to Apps, stored and removed",
            self.meters.all.clone(),
        );
    }
}
