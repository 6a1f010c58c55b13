//! A manifest in a few lines.

use tessera_types::{Call, Http, Manifest};

/// Begins a manifest: `manifest("hello-oauth2", "Hello, OAuth2!").homepage("https://…").http("http://…")`.
///
/// The server wants an id of 3 to 32 characters, a display name, a homepage, and where the App is reached.
pub fn manifest(app_id: impl Into<String>, display_name: impl Into<String>) -> ManifestBuilder {
    ManifestBuilder(Manifest {
        app_id: app_id.into(),
        display_name: display_name.into(),
        ..Manifest::default()
    })
}

/// A manifest in the making; [`App::new`](crate::App::new) takes it as it is.
#[derive(Clone, Debug)]
#[must_use]
pub struct ManifestBuilder(Manifest);

impl ManifestBuilder {
    /// At most 10 characters, such as `v1.0.0`.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.0.version = version.into();
        self
    }

    /// Where people read about the App; required by the server.
    pub fn homepage(mut self, url: impl Into<String>) -> Self {
        self.0.homepage_url = url.into();
        self
    }

    /// One line about the App.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.0.description = description.into();
        self
    }

    /// The name of a PNG among the App's static files, such as `icon.png`.
    pub fn icon(mut self, name: impl Into<String>) -> Self {
        self.0.icon = name.into();
        self
    }

    /// Asks for a permission: `act_as_bot`, `act_as_user`, `remote_oauth2` (needs `act_as_user`),
    /// `remote_webhooks` (needs `act_as_bot`), ….
    pub fn permission(mut self, permission: impl Into<String>) -> Self {
        self.0.requested_permissions.push(permission.into());
        self
    }

    /// Asks for several permissions.
    pub fn permissions<P: Into<String>>(mut self, permissions: impl IntoIterator<Item = P>) -> Self {
        self.0.requested_permissions.extend(permissions.into_iter().map(Into::into));
        self
    }

    /// Asks for a place for bindings: `/command`, `/channel_header`, `/post_menu` or one below.
    pub fn location(mut self, location: impl Into<String>) -> Self {
        self.0.requested_locations.push(location.into());
        self
    }

    /// Where the server reaches the App over HTTP. Calls are signed if the App has a
    /// [`jwt_secret`](crate::App::jwt_secret).
    pub fn http(mut self, root_url: impl Into<String>) -> Self {
        let use_jwt = self.0.http.is_some_and(|http| http.use_jwt);
        self.0.http = Some(Http { root_url: root_url.into(), use_jwt });
        self
    }

    /// The call for the bindings, when they need something expanded or another path than `/bindings`.
    pub fn bindings(mut self, call: impl Into<Call>) -> Self {
        self.0.bindings = Some(call.into());
        self
    }

    /// The call after the App was installed.
    pub fn on_install(mut self, call: impl Into<Call>) -> Self {
        self.0.on_install = Some(call.into());
        self
    }

    /// The call for the provider's URL, when it needs more expanded than by default, or another path than
    /// `/oauth2/connect`.
    pub fn get_oauth2_connect_url(mut self, call: impl Into<Call>) -> Self {
        self.0.get_oauth2_connect_url = Some(call.into());
        self
    }

    /// The call when the provider sent the user back, when it needs more expanded than by default, or
    /// another path than `/oauth2/complete`.
    pub fn on_oauth2_complete(mut self, call: impl Into<Call>) -> Self {
        self.0.on_oauth2_complete = Some(call.into());
        self
    }

    /// The manifest. Its members are public: what has no method here is set there.
    pub fn build(self) -> Manifest {
        self.0
    }
}

impl From<ManifestBuilder> for Manifest {
    fn from(builder: ManifestBuilder) -> Self {
        builder.0
    }
}
