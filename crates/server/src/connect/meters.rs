//! What is counted of flows: those that began, and how each ended.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::Connect;
use crate::audit;
use crate::meter::Reading;

/// The step, and the reason where it has one.
type Step = [(&'static str, &'static str); 2];

#[derive(Default)]
pub(super) struct Meters(Family<Step, Counter<u64, AtomicU64>>);

impl Meters {
    /// A step that was audited as allowed. Of a completion the detail is the provider's refusal, if it refused.
    pub(super) fn allowed(&self, act: audit::Act, detail: &str) {
        match act {
            audit::Act::FlowStarted => self.count("begun", ""),
            audit::Act::FlowCompleted if detail.is_empty() => self.count("completed", ""),
            audit::Act::FlowCompleted => self.count("declined", ""),
            _ => {}
        }
    }

    pub(super) fn refused(&self, reason: &'static str) {
        self.count("refused", reason);
    }

    fn count(&self, step: &'static str, reason: &'static str) {
        self.0.get_or_create_owned(&[("step", step), ("reason", reason)]).inc();
    }
}

impl Connect {
    /// Announces what is counted.
    pub fn announce(&self, registry: &mut Registry) {
        registry.register(
            "flows",
            "Steps of connect flows: begun, completed, declined by the person or the provider, refused by reason",
            self.meters.0.clone(),
        );
        let tasks = self.tasks.clone();
        registry.register(
            "completions_in_flight",
            "Completions under way, which a stop waits for",
            Reading::new(move || i64::try_from(tasks.under_way()).unwrap_or(i64::MAX)),
        );
    }
}
