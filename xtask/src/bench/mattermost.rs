//! The Mattermost of the bench: it takes any token for that of the user whose id it is, and any user's id for the code of
//! their agreement.

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};

use crate::Outcome;

/// Serves at a port of the kernel's choice, until killed.
pub(crate) fn run() -> Outcome<bool> {
    let broken = |error: std::io::Error| format!("the Mattermost: {error}");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(broken)?;
    runtime.block_on(async move {
        let bot = || json(format!(r#"{{"user_id":"{}","username":"bench"}}"#, "b".repeat(26)));
        let client = || json(r#"{"id":"bench","client_secret":"bench"}"#.to_owned());
        let router = Router::new()
            .route("/api/v4/users/me", get(me))
            .route("/api/v4/bots", post(async move || bot()))
            .route("/api/v4/oauth/apps", post(async move || client()))
            .route("/oauth/access_token", post(token))
            .fallback(async || StatusCode::NOT_FOUND);
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.map_err(broken)?;
        let port = listener.local_addr().map_err(broken)?.port();
        println!("mattermost ready on http://localhost:{port}");
        axum::serve(listener, router).await.map_err(broken)
    })?;
    Ok(true)
}

async fn me(headers: HeaderMap) -> Response {
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let id = header.strip_prefix("Bearer ").unwrap_or_default();
    json(format!(r#"{{"id":"{id}","username":"user-{id}","roles":"system_user"}}"#))
}

async fn token(body: Bytes) -> Response {
    let body = String::from_utf8_lossy(&body);
    let code = body.split('&').find_map(|pair| pair.strip_prefix("code=")).unwrap_or_default();
    json(format!(
        r#"{{"access_token":"{code}","token_type":"bearer","expires_in":2592000,"refresh_token":"{code}"}}"#
    ))
}

fn json(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}
