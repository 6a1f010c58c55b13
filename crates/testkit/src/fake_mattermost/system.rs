//! What the server says of itself, and its settings over REST.

use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::asked::{Asked, Json};
use super::refusal::Refusal;
use super::state::State;

pub(super) fn ping() -> Response {
    let body = json!({
        "ActiveSearchBackend": "database", "AndroidLatestVersion": "", "AndroidMinVersion": "", "IosLatestVersion": "",
        "IosMinVersion": "", "status": "OK",
    });
    Json(body).into_response()
}

pub(super) fn license() -> Response {
    Json(json!({"IsLicensed": "false"})).into_response()
}

/// `GET /config/client?format=old`: less of it for whoever is signed out.
pub(super) fn client_config(state: &State, asked: &Asked) -> Result<Response, Refusal> {
    match asked.asks("format").as_str() {
        "old" => {
            let signed_in = state.visitor(asked, false)?.is_some();
            Ok(Json(state.settings.for_clients(state.version, signed_in)).into_response())
        }
        // Later versions need not be told which form is meant.
        "" if state.version >= super::Version::V10_0 => {
            let signed_in = state.visitor(asked, false)?.is_some();
            Ok(Json(state.settings.for_clients(state.version, signed_in)).into_response())
        }
        "" => Err(Refusal::new(501, "api.config.client.old_format.app_error")),
        _ => Err(Refusal::bad_body("format")),
    }
}

pub(super) fn config(state: &mut State, asked: &Asked, path: &[&str]) -> Result<Response, Refusal> {
    let caller = state.caller(asked)?;
    state.require(&caller, "manage_system")?;
    match (asked.method.as_str(), path) {
        ("GET", []) => {}
        // Which settings the environment sets.
        ("GET", ["environment"]) => return Ok(Json(state.settings.locked()).into_response()),
        ("PUT", ["patch"]) => patch(state, asked)?,
        _ => return Err(Refusal::missing()),
    }
    let no_cache = [(header::CACHE_CONTROL, "no-cache, no-store, must-revalidate")];
    Ok((no_cache, Json(state.settings.nested())).into_response())
}

fn patch(state: &mut State, asked: &Asked) -> Result<(), Refusal> {
    let changes = state.settings.changes(&asked.json("config")?);
    for (key, value) in &changes {
        if key == "ServiceSettings.SiteURL" && value == "" {
            return Err(Refusal::new(400, "api.config.update_config.clear_siteurl.app_error"));
        }
        if key == "PluginSettings.EnableUploads" {
            let refusal = Refusal::new(403, "api.config.update_config.not_allowed_security.app_error");
            return Err(refusal.with("Name", key));
        }
    }
    // What the environment sets stays as it is, and nobody is told; flags are of the environment alone.
    for (key, value) in changes {
        if !state.settings.is_locked(&key) && !key.starts_with("FeatureFlags.") {
            state.settings.set(&key, value);
        }
    }
    state.publish("config_changed", "", "", json!({}));
    Ok(())
}
