//! What clients ask before anybody is signed in.

use axum::extract::State;
use serde_json::{Value, json};

use super::body::Json;
use super::{SERVER_VERSION, Site};
use crate::platform::Platform as _;

pub(super) async fn ping() -> Json<Value> {
    Json(json!({"status": "OK", "AndroidLatestVersion": "", "IosLatestVersion": ""}))
}

/// The client configuration, as far as clients of this site can make use of it: every value is a text.
pub(super) async fn config(State(site): State<Site>) -> Json<Value> {
    Json(json!({
        "AppsPluginEnabled": "true",
        "BuildNumber": SERVER_VERSION,
        "CustomTermsOfServiceId": "",
        "DefaultClientLocale": site.default_locale(),
        "EnableBotAccountCreation": "true",
        "EnableSignInWithEmail": "true",
        "EnableSignInWithUsername": "true",
        "EnableSignUpWithEmail": "false",
        "FeatureFlagAppsEnabled": "true",
        "PluginsEnabled": "true",
        "SiteName": "Tessera",
        "SiteURL": site.site_url().as_str().trim_end_matches('/'),
        "TeammateNameDisplay": "username",
        "Version": SERVER_VERSION,
        "WebsocketURL": "",
    }))
}

pub(super) async fn license() -> Json<Value> {
    Json(json!({"IsLicensed": "false"}))
}
