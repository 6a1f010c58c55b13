//! Routes, extractors and short handlers; the one table from errors to statuses (apps-framework.md section 2).

mod accounts;
mod admin;
pub mod agreement;
mod bindings;
mod body;
mod call;
mod caller;
mod connect;
mod console;
mod cookies;
mod device;
mod errors;
mod extract;
pub mod from_mattermost;
mod guard;
pub mod health;
mod home;
mod inspector;
mod listing;
mod oauth2;
mod openapi;
pub mod own_host;
mod pages;
mod passages;
mod proof;
mod providers;
pub mod relay;
mod sign_out;
mod static_files;
mod tessera;
mod unread;
pub mod v4;
mod window;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, MethodRouter};
use axum::routing::{any, delete, get, on, post};
use tessera_types::routes;
use url::Url;

use crate::calls::{Calls, Profile};
use crate::connect::Connect;
use crate::env::Ids;
use crate::grants::Grants;
use crate::lifecycle::Lifecycle;
use crate::platform::Platform;
pub use cookies::OF_MATTERMOST;
use errors::WireError;
pub use passages::Passages;

/// How long an incoming request may take, the calls it causes included (section 0.6).
const REQUEST_DEADLINE: Duration = Duration::from_secs(30);

/// All that handlers need; one for the process.
pub struct Rooms {
    /// Who asks, what may they, where do they sign in.
    pub platform: Arc<dyn Platform>,
    /// R06.
    pub calls: Arc<Calls>,
    /// R04, R05.
    pub connect: Arc<Connect>,
    /// R01 to R03.
    pub grants: Arc<Grants>,
    /// R18 to R23.
    pub lifecycle: Arc<Lifecycle>,
    /// Ids of requests.
    pub ids: Ids,
    /// What is counted of requests.
    pub passages: Arc<Passages>,
    /// Settings of this room.
    pub settings: Settings,
}

/// How the surface behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the site is, as configured; may have a path.
    pub site_url: Url,
    /// The whole name of the cookie that says who is signed in.
    pub session_cookie: String,
    /// Which way the profiles differ (decisions.md section 1, 3).
    pub profile: Profile,
    /// Development: plain http on loopback, names of this machine, health on the main listener.
    pub development: bool,
    /// Whether who asks may choose the request's id; in development anyone may.
    pub trust_request_id: bool,
    /// How many of the traces that begin here are recorded: 0 for none, 1 for all.
    pub trace_ratio: f64,
}

/// What handlers extract.
type House = Arc<Rooms>;

/// The whole surface below the site's own path, `more` (the standalone site's REST v4 and pages) included.
pub fn router(rooms: House, more: Router) -> Router {
    // Whole paths instead of nested routers: every nesting costs each request something.
    let api = |path: &str| format!("{}{path}", routes::API_V1);
    let app = |path: &str| format!("{}/apps/{{app}}{path}", routes::PLUGIN_PATH);
    let ours = |path: &str| format!("{}{path}", routes::TESSERA_V1);
    let mut site = Router::new()
        .route(&api(routes::OAUTH2_APP), only(post(oauth2::store_app).put(oauth2::store_app)))
        .route(&api(routes::OAUTH2_USER), user_record())
        .route(&api(routes::BINDINGS), only(get(bindings::bindings)))
        .route(&api(routes::CALL), only(post(call::call)))
        .route(&api(routes::UPDATE_APP_LISTING), only(post(admin::update_listing)))
        .route(&api(routes::INSTALL_APP), only(post(admin::install)))
        .route(&api(routes::UNINSTALL_APP), only(post(admin::uninstall)))
        .route(&api(routes::ENABLE_APP), only(post(admin::enable)))
        .route(&api(routes::DISABLE_APP), only(post(admin::disable)))
        .route(&api("/apps/{app}"), only(get(admin::get_app)))
        .route(&api(routes::PING), only(post(listing::ping)))
        .route(&api(routes::BOT_IDS), only(get(listing::bot_ids)))
        .route(&api(routes::OAUTH_APP_IDS), only(get(listing::oauth_app_ids)))
        .route(&api(routes::MARKETPLACE), only(get(listing::marketplace)))
        .route(&app("/static/{*name}"), only(get(static_files::get_static)))
        .route(&app(routes::CONNECT), only(get(connect::connect).post(connect::confirm)))
        .route(&app(routes::COMPLETE), only(get(connect::complete)))
        .route(&ours("/openapi.json"), only(get(openapi::document)))
        .route(&ours("/accounts"), only(get(accounts::show).post(accounts::press)))
        .route(&ours("/sign-out"), only(post(sign_out::sign_out)))
        .route(&ours("/connections"), only(get(accounts::list)))
        .route(&ours("/connections/{app}"), only(delete(accounts::end)))
        .route(&ours("/revocations"), only(get(accounts::ended_lately)))
        .route(&ours("/connections/{app}/choice"), only(post(connect::choose)))
        .route(&ours("/connections/{app}/device"), only(post(device::begin)))
        .route(&ours("/connections/{app}/device/{id}"), only(get(device::state)))
        .route(&ours("/providers"), only(get(providers::list)))
        .route(
            &ours("/apps/{app}/provider"),
            only(get(providers::get).put(providers::put).delete(providers::remove)),
        )
        .route(&ours("/apps/{app}/provider/probe"), only(post(providers::probe)))
        .route(&ours("/apps"), only(get(tessera::apps)))
        .route(&ours("/apps/{app}/connections"), only(get(tessera::app_connections)))
        .route(&ours("/apps/{app}/connections/{user}"), only(delete(accounts::end_for_another)))
        .route(&ours("/apps/{app}/origins"), only(get(tessera::app_origins)));
    if rooms.settings.development {
        site = site
            .route("/", only(get(home::home)))
            .route("/console/{file}", only(get(console::file)))
            .route(&ours("/console/calls"), only(get(inspector::calls)))
            .route(&ours("/console/markdown"), only(post(console::markdown)));
    }
    let mut site = site.with_state(Arc::clone(&rooms)).merge(more);
    let below = rooms.settings.site_url.path().trim_end_matches('/').to_owned();
    if !below.is_empty() {
        site = Router::new().nest(&below, site);
    }
    site.fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(rooms, guard::guard))
}

fn user_record() -> MethodRouter<House> {
    only(get(oauth2::get_user).post(oauth2::store_user).put(oauth2::store_user).delete(oauth2::disconnect))
}

/// HEAD does not come for free with GET on this wire, and a 405 has no `Allow` (section 0.5), which axum leaves out
/// for `any` alone.
fn only(routes: MethodRouter<House>) -> MethodRouter<House> {
    any(method_not_allowed).merge(routes).merge(on(MethodFilter::HEAD, method_not_allowed))
}

async fn method_not_allowed() -> StatusCode {
    StatusCode::METHOD_NOT_ALLOWED
}

async fn not_found() -> Response {
    WireError::new(StatusCode::NOT_FOUND, "404 page not found").into_response()
}
