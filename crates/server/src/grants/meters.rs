//! What is counted of secrets: releases, changes and removals, as the audit log has them.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::Grants;
use crate::audit;

/// Which record, and what was done with it.
type What = [(&'static str, &'static str); 2];

/// How a refresh, or the end of a grant, went.
type How = [(&'static str, String); 1];

pub(super) struct Meters {
    refreshes: Family<How, Counter<u64, AtomicU64>>,
    revocations: Family<How, Counter<u64, AtomicU64>>,
    suspects: Counter<u64, AtomicU64>,
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
            refreshes: from_nothing(&["ok", "transient", "user", "terminal", "operator"]),
            revocations: from_nothing(&["revoked", "unknown_to_provider", "not_offered", "kept", "failed"]),
            suspects: Counter::default(),
            connection_released: of("connection", "released"),
            connection_stored: of("connection", "stored"),
            connection_removed: of("connection", "removed"),
            credentials_released: of("credentials", "released"),
            credentials_stored: of("credentials", "stored"),
            all,
        }
    }
}

/// What has not happened yet is told as 0: an alert on it must not wait for the first time.
fn from_nothing(outcomes: &[&str]) -> Family<How, Counter<u64, AtomicU64>> {
    let family = Family::default();
    for outcome in outcomes {
        let _ = Family::get_or_create_owned(&family, &[("outcome", (*outcome).to_owned())]);
    }
    family
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

impl Meters {
    /// A refresh that was asked for.
    pub(super) fn refreshed(&self, outcome: &'static str) {
        self.refreshes.get_or_create_owned(&[("outcome", outcome.to_owned())]).inc();
    }

    /// A grant that was to be ended at its provider.
    pub(super) fn revoked(&self, outcome: &str) {
        self.revocations.get_or_create_owned(&[("outcome", outcome.to_owned())]).inc();
    }

    /// A grant that ended outside.
    pub(super) fn suspect(&self) {
        self.suspects.inc();
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
        registry.register(
            "refreshes",
            "Refreshes of managed connections: ok, or the class of the refusal",
            self.meters.refreshes.clone(),
        );
        registry.register(
            "revocations",
            "Grants that were to be ended at their providers, by what became of them",
            self.meters.revocations.clone(),
        );
        registry.register(
            "grants_ended_outside",
            "Grants that their people ended at the provider, or whose refresh tokens somebody else used",
            self.meters.suspects.clone(),
        );
    }
}
