//! The provider of the bench's managed Apps: it rotates, forgets everything, and answers at once at `/token` and after a
//! tenth of a second at `/slow/token`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::header,
    routing::{get, post},
};

use crate::Outcome;

/// How long the slow endpoint takes.
pub(super) const DELAY: Duration = Duration::from_millis(100);

/// How many tokens were given.
type Given = Arc<AtomicU64>;

/// Serves at a port of the kernel's choice, until killed.
pub(crate) fn run() -> Outcome<bool> {
    let broken = |error: std::io::Error| format!("the provider: {error}");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(broken)?;
    runtime.block_on(async move {
        let slow = async |State(given): State<Given>| {
            tokio::time::sleep(DELAY).await;
            tokens(&given)
        };
        let router = Router::new()
            .route("/token", post(async |State(given): State<Given>| tokens(&given)))
            .route("/slow/token", post(slow))
            .route(
                "/given",
                get(async |State(given): State<Given>| given.load(Ordering::Relaxed).to_string()),
            )
            .with_state(Given::default());
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.map_err(broken)?;
        let port = listener.local_addr().map_err(broken)?.port();
        println!("provider ready on http://localhost:{port}");
        axum::serve(listener, router).await.map_err(broken)
    })?;
    Ok(true)
}

/// Tokens of one length that live for an hour.
fn tokens(given: &AtomicU64) -> ([(header::HeaderName, &'static str); 1], String) {
    let number = given.fetch_add(1, Ordering::Relaxed);
    let body = format!(
        r#"{{"access_token":"access-{number:024}","refresh_token":"refresh-{number:024}","token_type":"Bearer","expires_in":3600}}"#
    );
    ([(header::CONTENT_TYPE, "application/json")], body)
}
