//! The handful of Mattermost's REST API v4 that drivers and the JavaScript client need (decisions.md section 4).
//!
//! Only the standalone platform serves these: a real Mattermost has its own.

mod body;
mod caller;
mod channels;
mod error;
mod posts;
mod segment;
mod system;
mod teams;
mod users;
mod websocket;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};

use super::guard::{self, Begun};
use crate::platform::standalone::Standalone;
pub use caller::Carried;
use error::{ApiError, NotFound};

/// What the handlers share.
type Site = Arc<Standalone>;

/// The largest body, as many bytes as Mattermost takes outside of uploads.
const LARGEST: usize = 300 * 1024;
/// The version that clients are told they speak to.
const SERVER_VERSION: &str = "8.1.0";
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const X_VERSION_ID: HeaderName = HeaderName::from_static("x-version-id");

/// `/api/v4/…`, to be put under the site's sub-path.
pub fn router(site: Arc<Standalone>) -> Router {
    let api = Router::new()
        .route("/users/login", post(users::login))
        .route("/users/logout", post(users::logout))
        .route("/users/ids", post(users::by_ids))
        .route("/users/{user}", get(users::get))
        .route("/users/username/{name}", get(users::by_name))
        .route("/users/{user}/active", put(users::set_active))
        .route("/users/{user}/roles", put(users::set_roles))
        .route("/users/{user}/preferences", get(users::preferences))
        .route("/roles/names", post(users::roles))
        .route("/users/{user}/teams", get(teams::of_user))
        .route("/users/{user}/teams/members", get(teams::members_of_user))
        .route("/teams/{team}", get(teams::get))
        .route("/teams/name/{name}", get(teams::by_name))
        .route("/teams/{team}/members", post(teams::join))
        .route("/teams/{team}/members/{user}", get(teams::member))
        .route("/users/{user}/teams/{team}/channels", get(channels::of_user))
        .route("/users/{user}/teams/{team}/channels/members", get(channels::members_of_user))
        .route("/teams/{team}/channels/name/{name}", get(channels::by_name))
        .route("/channels/direct", post(channels::direct))
        .route("/channels/{channel}", get(channels::get))
        .route("/channels/{channel}/members", get(channels::members).post(channels::join))
        .route("/channels/{channel}/members/{user}", get(channels::member))
        .route("/channels/{channel}/posts", get(posts::of_channel))
        .route("/posts", post(posts::create))
        .route("/posts/{post}", get(posts::get))
        .route("/system/ping", get(system::ping))
        .route("/config/client", get(system::config))
        .route("/license/client", get(system::license))
        .route("/websocket", get(websocket::connect))
        .fallback(async |uri: Uri| NotFound(uri.path().to_owned()))
        .layer(middleware::from_fn_with_state(Arc::clone(&site), label))
        .with_state(site);
    Router::new().nest("/api/v4", api)
}

/// Gives every answer its request's id, which an error's body names too.
async fn label(State(site): State<Site>, request: Request, next: Next) -> Response {
    // The surface around us may have chosen one already.
    let given = request.extensions().get::<Begun>().map(|begun| Ok(begun.id.to_string()));
    let Ok(id) = given.unwrap_or_else(|| site.fresh_id()) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = next.run(request).await;
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        error.fill(&mut response, &id);
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(X_REQUEST_ID, id);
    }
    headers.insert(X_VERSION_ID, HeaderValue::from_static(SERVER_VERSION));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    guard::forbid_keeping(headers);
    response
}

#[cfg(test)]
mod tests;
