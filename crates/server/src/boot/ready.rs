//! Readiness and metrics.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::future::BoxFuture;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::http::health::Ready;
use crate::store::Meta;

/// Labels of the request counter. Never an id: a route is its template, a status its number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request_ {
    route: String,
    status: u16,
}

pub(super) struct Readiness {
    meta: Meta,
    registry: Registry,
    requests: Family<Request_, Counter<u64, AtomicU64>>,
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
}

/// Counts an answer under its route's template.
pub(super) async fn count(State(readiness): State<Arc<Readiness>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let response = next.run(request).await;
    let labels = Request_ { route: route.unwrap_or_default(), status: response.status().as_u16() };
    readiness.requests.get_or_create(&labels).inc();
    response
}
