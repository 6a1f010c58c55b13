//! Where everything is (apps-framework.md sections 0.1 and 2.1). Route templates are for the server's router; a
//! client appends the others to the site URL.

use crate::AppId;

/// Below the site URL.
pub const PLUGIN_PATH: &str = "/plugins/com.mattermost.apps";
/// The framework's REST API.
pub const API_V1: &str = "/plugins/com.mattermost.apps/api/v1";
/// What Tessera adds.
pub const TESSERA_V1: &str = "/plugins/com.mattermost.apps/tessera/v1";

/// R01, below [`API_V1`] as all that follow.
pub const OAUTH2_APP: &str = "/oauth2/app";
/// R02, R03.
pub const OAUTH2_USER: &str = "/oauth2/user";
/// R06.
pub const CALL: &str = "/call";
/// R07.
pub const BINDINGS: &str = "/bindings";
/// R08.
pub const PING: &str = "/ping";
/// R09.
pub const BOT_IDS: &str = "/bot-ids";
/// R10.
pub const OAUTH_APP_IDS: &str = "/oauth-app-ids";
/// R24.
pub const MARKETPLACE: &str = "/marketplace";
/// R18.
pub const UPDATE_APP_LISTING: &str = "/update-app-listing";
/// R19.
pub const INSTALL_APP: &str = "/install-app";
/// R20.
pub const UNINSTALL_APP: &str = "/uninstall-app";
/// R21.
pub const ENABLE_APP: &str = "/enable-app";
/// R22.
pub const DISABLE_APP: &str = "/disable-app";
/// R23, followed by the App's id.
pub const APPS: &str = "/apps";

/// R04, below an App's path.
pub const CONNECT: &str = "/oauth2/remote/connect";
/// R05, below an App's path.
pub const COMPLETE: &str = "/oauth2/remote/complete";

/// An App's path below the site URL.
pub fn app_path(app: &AppId) -> String {
    format!("{PLUGIN_PATH}/apps/{app}")
}

/// Where a browser begins to connect an account with an App.
pub fn connect_url(site_url: &str, app: &AppId) -> String {
    below_site(site_url, &(app_path(app) + CONNECT))
}

/// The redirect URI of an App.
pub fn complete_url(site_url: &str, app: &AppId) -> String {
    below_site(site_url, &(app_path(app) + COMPLETE))
}

/// A static asset of an App.
pub fn static_url(site_url: &str, app: &AppId, name: &str) -> String {
    let path = format!("{}/static/{name}", app_path(app));
    below_site(site_url, &crate::path::clean(&path))
}

/// A path below the site URL, which may itself have a path.
pub fn below_site(site_url: &str, path: &str) -> String {
    format!("{}{path}", site_url.trim_end_matches('/'))
}
