//! Readiness, and the metrics of all rooms.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::BoxFuture;
use prometheus_client::encoding::text;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::http::health::{Ready, Standing};
use crate::store::Meta;
use crate::vault::ROOT_KEY_ID;

/// Whether the service can do its work, and what it has done.
pub struct Readiness {
    meta: Meta,
    registry: Registry,
    stopping: AtomicBool,
}

impl Readiness {
    /// Over the store; `announce` has every room say what it counts. Started at `now_ms`, in Unix milliseconds.
    pub(super) fn new(meta: Meta, now_ms: i64, announce: impl FnOnce(&mut Registry)) -> Self {
        let mut registry = Registry::default();
        // A name that every scraper knows, so without ours before it.
        registry.register(
            "process_start_time_seconds",
            "When the process started, in seconds since the Unix epoch",
            ConstGauge::new(now_ms as f64 / 1e3),
        );
        let ours = registry.sub_registry_with_prefix("tessera");
        ours.register("build", "The running version", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        announce(ours);
        Self { meta, registry, stopping: AtomicBool::new(false) }
    }

    /// From now on nobody should send anything new.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }
}

impl Ready for Readiness {
    fn standing(&self) -> BoxFuture<'_, Standing> {
        Box::pin(async {
            if self.stopping.load(Ordering::Relaxed) {
                return Standing::Stopping;
            }
            match self.meta.get(ROOT_KEY_ID).await.is_ok_and(|id| id.is_some()) {
                true => Standing::Ready,
                false => Standing::NoStore,
            }
        })
    }

    fn metrics(&self) -> String {
        let mut text = String::new();
        match text::encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(_) => String::new(),
        }
    }
}
