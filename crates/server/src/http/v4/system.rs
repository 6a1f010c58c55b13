//! What clients ask before anybody is signed in.

use axum::extract::State;
use axum::http::{HeaderName, header};
use serde_json::{Value, json};

use super::body::Json;
use super::{SERVER_VERSION, Site};
use crate::platform::Platform as _;

/// What everybody may know is stale at once, but may be kept: the JavaScript client takes the server's version from
/// no answer that has a `Cache-Control`.
type Public = ([(HeaderName, &'static str); 1], Json<Value>);

fn public(value: Value) -> Public {
    ([(header::EXPIRES, "0")], Json(value))
}

pub(super) async fn ping() -> Public {
    public(json!({"status": "OK", "AndroidLatestVersion": "", "IosLatestVersion": ""}))
}

/// The client configuration, as far as clients of this site can make use of it: every value is a text.
pub(super) async fn config(State(site): State<Site>) -> Public {
    public(json!({
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

pub(super) async fn license() -> Public {
    public(json!({"IsLicensed": "false"}))
}
