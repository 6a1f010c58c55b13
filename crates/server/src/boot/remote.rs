//! The same commands for a server elsewhere: through its REST API, with an administrator's token.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, Method, header};
use bytes::Bytes;
use serde::Deserialize;
use tessera_types::{AccessToken, App, Manifest, UpdateAppListing, json, routes};
use url::Url;

use super::fetch;
use super::local::{AppLine, CommandError};
use crate::egress::{self, Egress};
use crate::grants::Connection;

const PATIENCE: Duration = Duration::from_secs(40);
/// The most that an answer may weigh.
const ANSWER_CAP: usize = 10 << 20;

/// A server, and who speaks to it.
pub(super) struct Remote {
    server: Url,
    token: AccessToken,
    egress: Egress,
}

impl Remote {
    /// Whoever names a server vouches for its address, wherever it is.
    pub(super) fn new(server: Url, token: AccessToken) -> Result<Self, CommandError> {
        let egress = fetch::egress_for(&server).map_err(|error| CommandError::Broken(error.to_string()))?;
        Ok(Self { server, token, egress })
    }

    /// Every App. How many are connected is not counted from afar.
    pub(super) async fn apps(&self) -> Result<Vec<AppLine>, CommandError> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Line {
            app_id: String,
            display_name: String,
            installed: bool,
            enabled: bool,
            root_url: String,
            redirect_uri: String,
        }
        let lines: Vec<Line> = self.read(&format!("{}/apps", routes::TESSERA_V1)).await?;
        let line = |line: Line| AppLine {
            status: match (line.installed, line.enabled) {
                (false, _) => "listed",
                (true, false) => "disabled",
                (true, true) => "enabled",
            }
            .into(),
            app: line.app_id,
            name: line.display_name,
            root_url: line.root_url,
            redirect_uri: line.redirect_uri,
            connections: None,
        };
        Ok(lines.into_iter().map(line).collect())
    }

    /// Lists an App by its manifest.
    pub(super) async fn add(&self, manifest: &[u8]) -> Result<String, CommandError> {
        let manifest: Manifest = json::from_slice_strict(manifest).map_err(broken)?;
        let text = format!("Listed {}", manifest.app_id);
        let update = UpdateAppListing { manifest, replace: true, ..UpdateAppListing::default() };
        self.write(routes::UPDATE_APP_LISTING, &json::to_vec(&update).map_err(broken)?).await?;
        Ok(text)
    }

    /// Installs, enables, disables or uninstalls an App.
    pub(super) async fn switch(&self, app: &str, verb: &str) -> Result<String, CommandError> {
        let body = serde_json::json!({"app_id": app, "deploy_type": "http"}).to_string().into_bytes();
        let answer = self.write(&format!("/{verb}-app"), &body).await?;
        match verb {
            // The answer holds the App's secrets: only its name is shown.
            "install" => {
                let app: App = json::from_slice_stream(&answer).map_err(broken)?;
                Ok(format!("Installed {}", app.manifest.display_name))
            }
            "uninstall" => Ok(format!("Uninstalled {app}")),
            _ => Ok(String::from_utf8_lossy(&answer).trim().to_owned()),
        }
    }

    /// Who is connected with an App, up to a thousand.
    pub(super) async fn connections(&self, app: &str) -> Result<Vec<Connection>, CommandError> {
        let app = percent_encoding::utf8_percent_encode(app, percent_encoding::NON_ALPHANUMERIC);
        self.read(&format!("{}/apps/{app}/connections?limit=1000", routes::TESSERA_V1)).await
    }

    /// Asks one of our own routes; `path` is what comes after `tessera/v1`.
    pub(super) async fn ask(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Bytes, CommandError> {
        let body = (!body.is_empty()).then(|| Bytes::from(body));
        self.send(method, &format!("{}{path}", routes::TESSERA_V1), body).await
    }

    /// Ends somebody's connection with an App.
    pub(super) async fn end(&self, app: &str, user: &str) -> Result<String, CommandError> {
        let segment = |text| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
        let path = format!("{}/apps/{}/connections/{}", routes::TESSERA_V1, segment(app), segment(user));
        self.send(Method::DELETE, &path, None).await?;
        Ok(format!("Ended the connection of {user} with {app}"))
    }

    async fn read<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, CommandError> {
        serde_json::from_slice(&self.send(Method::GET, path, None).await?).map_err(broken)
    }

    async fn write(&self, route: &str, body: &[u8]) -> Result<Bytes, CommandError> {
        let path = format!("{}{route}", routes::API_V1);
        self.send(Method::POST, &path, Some(Bytes::copy_from_slice(body))).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<Bytes>) -> Result<Bytes, CommandError> {
        let url = Url::parse(&routes::below_site(self.server.as_str(), path)).map_err(broken)?;
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", self.token.expose())).map_err(broken)?;
        bearer.set_sensitive(true);
        let request = egress::Request {
            method,
            url,
            headers: HeaderMap::from_iter([(header::AUTHORIZATION, bearer)]),
            body,
            total: PATIENCE,
            cap_bytes: ANSWER_CAP,
            audience: egress::Audience::App,
        };
        let reply = self.egress.send(request).await.map_err(broken)?;
        match reply.status.is_success() {
            true => Ok(reply.body),
            false => Err(CommandError::Refused(String::from_utf8_lossy(&reply.body).trim().to_owned())),
        }
    }
}

fn broken(error: impl std::fmt::Display) -> CommandError {
    CommandError::Broken(error.to_string())
}
