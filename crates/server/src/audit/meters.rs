//! What is counted of the log.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

use crate::meter::Timing;

#[derive(Default)]
pub(super) struct Meters {
    pub(super) append: Timing,
    pub(super) sync: Timing,
    pub(super) failed: Counter<u64, AtomicU64>,
}

impl Meters {
    pub(super) fn announce(&self, registry: &mut Registry) {
        registry.register(
            "audit_append_seconds",
            "Time to hand an audit entry to the kernel; its count is the number of entries",
            self.append.clone(),
        );
        registry.register("audit_sync_seconds", "Time to sync the audit log to its disk", self.sync.clone());
        registry.register(
            "audit_failures",
            "Audit entries that could not be written or synced: their acts were refused, except for a late sync and the confirmation of an act",
            self.failed.clone(),
        );
    }
}
