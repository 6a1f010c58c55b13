//! What Tessera adds beside the framework's routes, below `/plugins/com.mattermost.apps/tessera/v1`.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tessera_types::{AppId, routes};

use super::House;
use super::admin::json_response;
use super::caller::Caller;
use super::errors::WireError;
use super::extract::{Asked, Segment};

/// A line of the list of Apps.
#[derive(Serialize)]
struct Line {
    app_id: String,
    display_name: String,
    installed: bool,
    enabled: bool,
    root_url: String,
    permissions: Vec<String>,
    /// What to register at the App's provider, before there is any client there.
    redirect_uri: String,
}

/// What is listed and what is installed, for administrators.
pub(super) async fn apps(State(house): State<House>, caller: Caller) -> Result<Response, WireError> {
    caller.user()?;
    caller.administrator(&house).await?;
    let mut lines = Vec::new();
    for manifest in house.lifecycle.apps.manifests().await? {
        let id = AppId::unchecked(manifest.app_id.as_str());
        let app = house.lifecycle.apps.get(&id).await?;
        lines.push(Line {
            redirect_uri: routes::complete_url(house.settings.site_url.as_str(), &id),
            installed: app.is_some(),
            enabled: app.as_ref().is_some_and(|app| !app.disabled),
            permissions: app.map(|app| app.granted_permissions.clone()).unwrap_or_default(),
            root_url: manifest.http.map(|http| http.root_url).unwrap_or_default(),
            app_id: manifest.app_id,
            display_name: manifest.display_name,
        });
    }
    json_response(&lines)
}

/// Which part of a long list.
#[derive(Deserialize)]
#[serde(default)]
pub(super) struct Slice {
    after: String,
    limit: i64,
}

impl Default for Slice {
    fn default() -> Self {
        Self { after: String::new(), limit: 100 }
    }
}

/// Who is connected with an App, for administrators: never what is in a connection.
pub(super) async fn app_connections(
    State(house): State<House>,
    caller: Caller,
    Segment(app): Segment<AppId>,
    Asked(slice): Asked<Slice>,
) -> Result<Response, WireError> {
    caller.user()?;
    caller.administrator(&house).await?;
    house.lifecycle.apps.installed(&app).await?;
    let limit = slice.limit.clamp(1, 1000);
    json_response(&house.grants.of_app(app.as_str(), &slice.after, limit).await?)
}

/// An origin that nobody declared, to which an App has led people to connect (OS-08).
#[derive(Serialize)]
struct Origin {
    origin: String,
    /// Unix milliseconds.
    first_seen: i64,
}

/// Where an App has led people to connect without anybody having declared it, for administrators.
pub(super) async fn app_origins(
    State(house): State<House>,
    caller: Caller,
    Segment(app): Segment<AppId>,
) -> Result<Response, WireError> {
    caller.user()?;
    caller.administrator(&house).await?;
    house.lifecycle.apps.installed(&app).await?;
    let seen = house.connect.origins(&app).await?;
    let lines = seen.into_iter().map(|(origin, first_seen)| Origin { origin, first_seen });
    json_response(&lines.collect::<Vec<_>>())
}
