//! The local socket: commands of whoever owns the data folder, given to a running server.
//!
//! The socket's permissions (0600) are its authentication: who may open it could read the root key as well.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path as Segment, Query, State};
use axum::http::{Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tessera_types::{AppId, DeployType, Manifest, UpdateAppListing, json, routes};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use super::house::Error;
use super::provider;
use crate::grants::{Act, Grants};
use crate::lifecycle::{self, By, Lifecycle};
use crate::platform::{Audience, Event, REFRESH_BINDINGS};

const NAME: &str = "tessera.sock";
const PATIENCE: Duration = Duration::from_secs(40);
/// Who acts: no person of the site.
pub(super) const NOBODY: &str = "";
/// What stands in the audit log for a request's id.
pub(super) const REQUEST: &str = "local";

/// The socket, open.
pub(super) struct Socket {
    listener: UnixListener,
    path: PathBuf,
    router: Router,
}

/// Opens the socket in the data folder. One that a killed server left behind is replaced: the folder's lock has
/// shown that no other server uses it.
pub(super) fn open(dir: &Path, lifecycle: Arc<Lifecycle>, grants: Arc<Grants>) -> Result<Socket, Error> {
    let path = dir.join(NAME);
    let failed = |source| Error::Io { what: format!("local socket {}", path.display()), source };
    if path.exists() {
        std::fs::remove_file(&path).map_err(failed)?;
    }
    let listener = UnixListener::bind(&path).map_err(failed)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    let router = Router::new()
        .route("/apps", get(apps).post(add))
        .route("/apps/{app}/{verb}", post(switch))
        .route("/connections", get(connections).delete(end_connection))
        .with_state(Local { lifecycle: Arc::clone(&lifecycle), grants: Arc::clone(&grants) })
        .merge(provider::routes(lifecycle, grants));
    Ok(Socket { listener, path, router })
}

impl Socket {
    pub(super) async fn serve(self, mut stop: watch::Receiver<bool>) {
        let stopped = async move {
            let _ = stop.wait_for(|stop| *stop).await;
        };
        if let Err(error) = axum::serve(self.listener, self.router).with_graceful_shutdown(stopped).await {
            tracing::error!(%error, "the local socket failed");
        }
        let _ = std::fs::remove_file(self.path);
    }
}

#[derive(Clone)]
struct Local {
    lifecycle: Arc<Lifecycle>,
    grants: Arc<Grants>,
}

/// A refusal in words.
pub(super) struct Refused(pub(super) String);

impl<E: std::error::Error> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (StatusCode::UNPROCESSABLE_ENTITY, self.0).into_response()
    }
}

/// An App as the command shows it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AppLine {
    /// Its id.
    pub app: String,
    /// Its name.
    pub name: String,
    /// `listed`, `enabled` or `disabled`.
    pub status: String,
    /// Where it runs.
    pub root_url: String,
    /// How many users are connected, up to a thousand, where that was counted.
    pub connections: Option<usize>,
    /// What to register at the App's provider.
    #[serde(default)]
    pub redirect_uri: String,
}

async fn apps(State(local): State<Local>) -> Result<Vec<u8>, Refused> {
    let mut lines = Vec::new();
    for manifest in local.lifecycle.apps.manifests().await? {
        let id = AppId::unchecked(manifest.app_id.as_str());
        let app = local.lifecycle.apps.get(&id).await?;
        let status = match &app {
            None => "listed",
            Some(app) if app.disabled => "disabled",
            Some(_) => "enabled",
        };
        lines.push(AppLine {
            status: status.into(),
            connections: Some(local.grants.of_app(&manifest.app_id, "", 1000).await?.len()),
            redirect_uri: routes::complete_url(local.lifecycle.site_url.as_str(), &id),
            root_url: manifest.http.map(|http| http.root_url).unwrap_or_default(),
            app: manifest.app_id,
            name: manifest.display_name,
        });
    }
    Ok(serde_json::to_vec(&lines)?)
}

async fn add(State(local): State<Local>, body: Bytes) -> Result<String, Refused> {
    let manifest: Manifest = json::from_slice_strict(&body)?;
    let update = UpdateAppListing { manifest, replace: true, ..UpdateAppListing::default() };
    let listed = local.lifecycle.list(update, &by()).await?;
    Ok(format!("Listed {}", listed.app_id))
}

async fn switch(
    State(local): State<Local>,
    Segment((app, verb)): Segment<(AppId, String)>,
) -> Result<String, Refused> {
    let lifecycle = &local.lifecycle;
    match verb.as_str() {
        "install" => {
            let installed = lifecycle.install(&app, &DeployType::Http, &by()).await?;
            Ok(format!("Installed {}", installed.manifest.display_name))
        }
        "enable" => Ok(lifecycle.enable(&app, &by()).await?),
        "disable" => Ok(lifecycle.disable(&app, &by()).await?),
        "uninstall" => {
            lifecycle.uninstall(&app, &by()).await?;
            Ok(format!("Uninstalled {app}"))
        }
        other => Err(Refused(format!("{other}: no such command"))),
    }
}

#[derive(Deserialize)]
struct Which {
    app: Option<String>,
    user: Option<String>,
}

/// One connection.
#[derive(Deserialize)]
struct Whose {
    app: AppId,
    user: String,
}

async fn connections(State(local): State<Local>, Query(which): Query<Which>) -> Result<Vec<u8>, Refused> {
    let mut found = Vec::new();
    match (&which.user, &which.app) {
        (Some(user), app) => {
            found = local.grants.of_user(user).await?;
            found.retain(|connection| app.as_ref().is_none_or(|app| *app == connection.app));
        }
        (None, Some(app)) => found = local.grants.of_app(app, "", 1000).await?,
        (None, None) => {
            for manifest in local.lifecycle.apps.manifests().await? {
                found.extend(local.grants.of_app(&manifest.app_id, "", 1000).await?);
            }
        }
    }
    Ok(serde_json::to_vec(&found)?)
}

/// Ends a connection; whoever owns the folder is no person of the site, so the log names no actor.
async fn end_connection(State(local): State<Local>, Query(whose): Query<Whose>) -> Result<String, Refused> {
    let Whose { app, user } = whose;
    let act = Act { actor: NOBODY, app: &app, request: REQUEST, reason: "administrator" };
    if !local.grants.end_of(&act, &user).await? {
        return Err(Refused(format!("user {user} has no connection with app {app}")));
    }
    let audience = Audience::User(user.clone());
    local.lifecycle.platform.publish(Event { name: REFRESH_BINDINGS, audience });
    Ok(format!("Ended the connection of {user} with {app}"))
}

/// Whoever owns the folder: no person of the site.
fn by() -> By<'static> {
    By { actor: NOBODY, request: REQUEST, deadline: tokio::time::Instant::now() + lifecycle::PATIENCE }
}

/// What came of a command.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandError {
    /// No server has this folder.
    #[error(
        "no server runs on {dir} ({source}): start one with `tessera serve --dev --data {dir}`, or name its folder \
         with --data"
    )]
    NoServer {
        /// The folder.
        dir: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The server said no.
    #[error("{0}")]
    Refused(String),
    /// The conversation broke.
    #[error("the server did not answer: {0}")]
    Broken(String),
}

/// Sends a command to the server that has `dir`, and gives its answer.
pub(super) async fn command(
    dir: &Path,
    method: Method,
    path: &str,
    body: Vec<u8>,
) -> Result<Bytes, CommandError> {
    let stream = UnixStream::connect(dir.join(NAME))
        .await
        .map_err(|source| CommandError::NoServer { dir: dir.display().to_string(), source })?;
    let talk = async {
        let broken = |error: hyper::Error| CommandError::Broken(error.to_string());
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "local")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| CommandError::Broken(error.to_string()))?;
        let response = sender.send_request(request).await.map_err(broken)?;
        let status = response.status();
        let bytes = response.into_body().collect().await.map_err(broken)?.to_bytes();
        match status.is_success() {
            true => Ok(bytes),
            false => Err(CommandError::Refused(String::from_utf8_lossy(&bytes).trim().to_owned())),
        }
    };
    tokio::time::timeout(PATIENCE, talk)
        .await
        .unwrap_or_else(|_| Err(CommandError::Broken(format!("nothing within {PATIENCE:?}"))))
}
