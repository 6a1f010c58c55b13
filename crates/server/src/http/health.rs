//! Health and metrics: on a listener of their own; in development also on the main one.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;

/// Whether the service can do its work now.
pub trait Ready: Send + Sync + 'static {
    /// Asks the store.
    fn is_ready(&self) -> futures_util::future::BoxFuture<'_, bool>;
    /// The metrics in Prometheus's text form.
    fn metrics(&self) -> String;
    /// Counts an answer under its route's template.
    fn count(&self, route: &str, status: u16);
}

/// `/healthz`: the process lives. `/readyz`: it can serve. `/metrics`.
pub fn router(ready: Arc<dyn Ready>) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(async |State(ready): State<Arc<dyn Ready>>| ready.metrics()))
        .with_state(ready)
}

async fn readyz(State(ready): State<Arc<dyn Ready>>) -> (StatusCode, &'static str) {
    match ready.is_ready().await {
        true => (StatusCode::OK, "ready\n"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready: the store does not answer\n"),
    }
}
