//! Listing, installing, enabling and disabling Apps; for system administrators.

use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use tessera_types::{App, DeployType, ListedApp, Manifest, UpdateAppListing, routes};

use super::{Client, decode, encode};
use crate::Error;

/// What stays as it is in an App id within a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

#[derive(Serialize)]
struct Named<'a> {
    app_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    deploy_type: Option<&'a DeployType>,
}

impl Client {
    /// Makes a manifest known to the server, so that the App can be installed. Gives the listed manifest.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn update_app_listing(&self, listing: &UpdateAppListing) -> Result<Manifest, Error> {
        decode(&self.api(Method::POST, routes::UPDATE_APP_LISTING, Some(encode(listing)?)).await?)
    }

    /// Installs a listed App; `deploy_type` is [`DeployType::Http`] for Apps made with this crate. The server asks the
    /// App's `/ping` first. The record that comes back has the App's secrets.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn install_app(&self, app_id: &str, deploy_type: &DeployType) -> Result<App, Error> {
        let body = encode(&Named { app_id, deploy_type: Some(deploy_type) })?;
        decode(&self.api(Method::POST, routes::INSTALL_APP, Some(body)).await?)
    }

    /// Uninstalls an App and removes what was stored for it. The App may refuse.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn uninstall_app(&self, app_id: &str) -> Result<(), Error> {
        self.named(routes::UNINSTALL_APP, app_id).await.map(drop)
    }

    /// Enables an App; gives the text for the administrator.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn enable_app(&self, app_id: &str) -> Result<String, Error> {
        self.named(routes::ENABLE_APP, app_id).await
    }

    /// Disables an App; gives the text for the administrator.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn disable_app(&self, app_id: &str) -> Result<String, Error> {
        self.named(routes::DISABLE_APP, app_id).await
    }

    /// The record of an installed App. Its secrets are there for system administrators only.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn get_app(&self, app_id: &str) -> Result<App, Error> {
        if app_id.is_empty() {
            return Err(Error::Argument("the App id is empty".into()));
        }
        let route = format!("{}/{}", routes::APPS, utf8_percent_encode(app_id, SEGMENT));
        decode(&self.api(Method::GET, &route, None).await?)
    }

    /// The Apps that can be installed or are, by display name. `filter` is an App's whole id or a part of its display
    /// name or description, in any case; empty means every App. Apps that run inside a plugin are listed where asked for.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn get_listed_apps(
        &self,
        filter: &str,
        include_plugins: bool,
    ) -> Result<Vec<ListedApp>, Error> {
        let filter = utf8_percent_encode(filter, SEGMENT);
        let plugins = if include_plugins { "&include_plugins=true" } else { "" };
        let route = format!("{}?filter={filter}{plugins}", routes::MARKETPLACE);
        decode(&self.api(Method::GET, &route, None).await?)
    }

    async fn named(&self, route: &str, app_id: &str) -> Result<String, Error> {
        let body = encode(&Named { app_id, deploy_type: None })?;
        let text = self.api(Method::POST, route, Some(body)).await?;
        Ok(String::from_utf8_lossy(&text).trim().to_owned())
    }
}
