//! What `read_vs_bare` compares with: an axum handler without layers, state checks or storage.

use std::path::Path;

use axum::{Router, http::header, routing::get};
use bytes::Bytes;

use crate::Outcome;

/// Serves the file's bytes on the route of a stored record, at a port of the kernel's choice, until killed.
pub(crate) fn run(body: &Path) -> Outcome<bool> {
    let body = Bytes::from(std::fs::read(body).map_err(|error| format!("{}: {error}", body.display()))?);
    let broken = |error: std::io::Error| format!("the bare handler: {error}");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(broken)?;
    runtime.block_on(async move {
        let handler = async move || ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body.clone());
        let router = Router::new().route(super::load::ROUTE, get(handler));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.map_err(broken)?;
        let port = listener.local_addr().map_err(broken)?.port();
        println!("bare ready on http://localhost:{port}");
        axum::serve(listener, router).await.map_err(broken)
    })?;
    Ok(true)
}
