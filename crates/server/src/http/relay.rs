//! On a host name of our own beside a Mattermost: what is Mattermost's goes on to it, as Apps are told our address as the site's.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{any, get};

use super::body;
use super::errors::WireError;
use crate::platform::{OwnHost, Relayed};

/// The most that a request may weigh: it is held until it is whole.
const CAP: usize = 16 << 20;

type Over = Arc<dyn OwnHost>;

/// Mattermost's API and its provider; `site` is where people's browsers find it.
pub fn router(own: Over, site: &str) -> Router {
    let authorize = format!("{}/oauth/authorize", site.trim_end_matches('/'));
    let browser = move |request: Request| {
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        let to = format!("{authorize}{query}");
        // A browser is signed in there, and not here.
        async move { Redirect::to(&to) }
    };
    Router::new()
        .route("/oauth/authorize", get(browser).fallback(pass))
        .route("/oauth/{*rest}", any(pass))
        .route("/api/v4/{*rest}", any(pass))
        .with_state(own)
}

async fn pass(State(own): State<Over>, request: Request) -> Result<Response, WireError> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let body = body::read(body, CAP).await?;
    let relayed = Relayed { method: parts.method, path, headers: parts.headers, body };
    let answered = Box::pin(own.relay(relayed)).await?;
    let mut response = (answered.status, Body::from_stream(answered.body)).into_response();
    *response.headers_mut() = answered.headers;
    Ok(response)
}
