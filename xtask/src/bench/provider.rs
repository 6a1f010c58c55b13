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
use bytes::Bytes;

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
        let slow = async |State(given): State<Given>, body: Bytes| {
            tokio::time::sleep(DELAY).await;
            tokens(&given, &body)
        };
        let router = Router::new()
            .route("/token", post(async |State(given): State<Given>, body: Bytes| tokens(&given, &body)))
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

/// Tokens of one length. A code brings ones that live for half an hour, a refresh ones that live for an hour.
fn tokens(given: &AtomicU64, form: &[u8]) -> ([(header::HeaderName, &'static str); 1], String) {
    let number = given.fetch_add(1, Ordering::Relaxed);
    let life = if form.windows(13).any(|part| part == b"refresh_token") { 3600 } else { 1800 };
    let body = format!(
        r#"{{"access_token":"access-{number:024}","refresh_token":"refresh-{number:024}","token_type":"Bearer","expires_in":{life}}}"#
    );
    ([(header::CONTENT_TYPE, "application/json")], body)
}
