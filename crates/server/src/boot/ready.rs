//! Readiness and metrics.

use std::sync::atomic::AtomicU64;

use futures_util::future::BoxFuture;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::http::health::Ready;
use crate::store::Meta;

/// Labels of the request counter. Never an id: a route is its template, a status its number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: String,
    status: u16,
}

pub(super) struct Readiness {
    meta: Meta,
    registry: Registry,
    requests: Family<Answered, Counter<u64, AtomicU64>>,
}

impl Readiness {
    pub(super) fn new(meta: Meta) -> Self {
        let requests = Family::default();
        let mut registry = Registry::with_prefix("tessera");
        registry.register("http_requests", "Requests answered, by route and status", requests.clone());
        Self { meta, registry, requests }
    }
}

impl Ready for Readiness {
    fn is_ready(&self) -> BoxFuture<'_, bool> {
        Box::pin(async { self.meta.get("root_key_id").await.is_ok_and(|id| id.is_some()) })
    }

    fn metrics(&self) -> String {
        let mut text = String::new();
        match text::encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(_) => String::new(),
        }
    }

    fn count(&self, route: &str, status: u16) {
        self.requests.get_or_create(&Answered { route: route.to_owned(), status }).inc();
    }
}
