//! Health and metrics: on a listener of their own; in development also on the main one.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;

/// Whether the service can do its work now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It can.
    Ready,
    /// The store does not answer.
    NoStore,
    /// It is told to stop: what is under way ends, and nothing new should come.
    Stopping,
}

/// What health and metrics ask for.
pub trait Ready: Send + Sync + 'static {
    /// Asks the store, unless the service is stopping.
    fn standing(&self) -> futures_util::future::BoxFuture<'_, Standing>;
    /// The metrics in OpenMetrics' text form.
    fn metrics(&self) -> String;
}

/// What the metrics are written in.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `/healthz`: the process lives. `/readyz`: it can serve. `/metrics`.
pub fn router(ready: Arc<dyn Ready>) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(ready)
}

async fn readyz(State(ready): State<Arc<dyn Ready>>) -> (StatusCode, &'static str) {
    match ready.standing().await {
        Standing::Ready => (StatusCode::OK, "ready\n"),
        Standing::NoStore => (StatusCode::SERVICE_UNAVAILABLE, "not ready: the store does not answer\n"),
        Standing::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "not ready: stopping\n"),
    }
}

async fn metrics(State(ready): State<Arc<dyn Ready>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, OPEN_METRICS)], ready.metrics())
}
