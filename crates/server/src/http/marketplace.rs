//! R08 to R10 and R24: what user agents ask for without signing in (apps-framework.md section 2.9, B-21).

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde_json::json;
use tessera_types::App;

use super::House;
use super::admin::json_response;
use super::errors::WireError;
use crate::lifecycle::WIRE_VERSION;

/// R08: which version of the framework's wire this is.
pub(super) async fn ping() -> Result<Response, WireError> {
    json_response(&json!({ "version": WIRE_VERSION }))
}

/// R09: the bots of Apps, so that clients can tell them from others.
pub(super) async fn bot_ids(State(house): State<House>) -> Result<Response, WireError> {
    ids(&house, |app| app.bot_user_id.clone()).await
}

/// R10: the clients of Apps at Mattermost's own OAuth2 provider.
pub(super) async fn oauth_app_ids(State(house): State<House>) -> Result<Response, WireError> {
    ids(&house, |app| app.mattermost_oauth2.as_ref().map(|client| client.id.clone()).unwrap_or_default())
        .await
}

async fn ids(house: &House, id: impl Fn(&App) -> String) -> Result<Response, WireError> {
    let apps = house.lifecycle.apps.all().await?;
    let ids: Vec<_> = apps.iter().map(|app| id(app)).filter(|id| !id.is_empty()).collect();
    json_response(&ids)
}

/// R24: the listed Apps.
pub(super) async fn marketplace(
    State(house): State<House>,
    RawQuery(query): RawQuery,
) -> Result<Response, WireError> {
    let query = query.unwrap_or_default();
    let first = |name: &str| {
        let found = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    // Go's reading of a boolean.
    let plugins = ["1", "t", "T", "TRUE", "true", "True"].contains(&first("include_plugins").as_str());
    json_response(&house.lifecycle.marketplace(&first("filter"), plugins).await?)
}
