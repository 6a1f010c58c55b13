//! The three parties of the demo: the server, the App and the provider, and a folder for their data.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use hello_oauth2::{ClientAuth, ProviderSettings, Settings};
use tempfile::TempDir;
use tessera_simulator::{Running, Simulator};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use url::Url;

use super::child::{Log, Server};
use super::{DemoOptions, Error};

/// What the App asks the provider for, as on the documentation page.
pub(super) const SCOPES: [&str; 3] = ["calendar", "profile", "email"];
/// Where the provider has the calendars of whoever brings a token.
const CALENDARS: &str = "/calendar/v3/users/me/calendarList";
/// How long the App may take to end what it is doing.
const GRACE: Duration = Duration::from_secs(2);

/// Who keeps the tokens of the App's users, and so which App it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The App: hello-oauth2.
    AppManaged,
    /// The service: hello-managed.
    Managed,
}

impl Way {
    /// The App's id.
    pub(super) fn app_id(self) -> &'static str {
        match self {
            Self::AppManaged => hello_oauth2::APP_ID,
            Self::Managed => hello_managed::APP_ID,
        }
    }
}

/// All that runs.
pub(super) struct Stage {
    pub(super) way: Way,
    pub(super) server: Server,
    pub(super) simulator: Running,
    /// Where the App is, without a slash at its end.
    pub(super) app_url: String,
    app: JoinHandle<()>,
    stop_app: oneshot::Sender<()>,
    folder: Folder,
}

enum Folder {
    Fresh(TempDir),
    Kept(PathBuf),
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Self::Fresh(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }
}

impl Stage {
    /// Starts the provider, then the App that uses it, then the server.
    pub(super) async fn start(options: &DemoOptions, listen: SocketAddr, log: Log) -> Result<Self, Error> {
        let way = if options.managed { Way::Managed } else { Way::AppManaged };
        let (listener, _) = any_port().await?;
        let simulator = Simulator::builder().build().start(listener);
        let simulator = simulator.map_err(|error| Error::Server(format!("the provider: {error}")))?;
        let (listener, app_url) = any_port().await?;
        let address = listener.local_addr().map_err(io("the App's address"))?;
        let app = match way {
            Way::AppManaged => hello_oauth2::app(settings(&app_url, address, &simulator)?)
                .map_err(|error| Error::Server(format!("the App could not be made: {error}")))?,
            Way::Managed => hello_managed::app(&app_url, at(&simulator, CALENDARS)?),
        };
        let (stop_app, stopped) = oneshot::channel::<()>();
        let app = tokio::spawn(async move {
            // Sent or dropped: either means stop.
            let stopped = async { drop(stopped.await) };
            if let Err(error) = app.serve_until(listener, stopped).await {
                tracing::error!(%error, "the App stopped serving");
            }
        });
        let folder = match &options.data {
            Some(path) => Folder::Kept(path.clone()),
            None => {
                let fresh = tempfile::Builder::new().prefix("tessera-demo-").tempdir();
                Folder::Fresh(fresh.map_err(io("making a temporary folder"))?)
            }
        };
        let server = Server::start(folder.path(), listen, log).await?;
        Ok(Self { way, server, simulator, app_url, app, stop_app, folder })
    }

    /// Where the data is.
    pub(super) fn data(&self) -> &Path {
        self.folder.path()
    }

    /// Whether nothing was stored before this run, and nothing will be left after it.
    pub(super) fn is_fresh(&self) -> bool {
        matches!(self.folder, Folder::Fresh(_))
    }

    /// A power cut, and power again.
    pub(super) async fn kill_and_restart_server(&mut self) -> Result<String, Error> {
        self.server.kill_and_restart(self.folder.path()).await
    }

    /// Stops all three, and removes what was temporary.
    pub(super) async fn stop(self) {
        let Self { server, simulator, mut app, stop_app, folder, .. } = self;
        server.stop().await;
        drop(stop_app);
        if tokio::time::timeout(GRACE, &mut app).await.is_err() {
            app.abort();
        }
        simulator.shutdown().await;
        if let Folder::Fresh(folder) = folder
            && let Err(error) = folder.close()
        {
            tracing::warn!(%error, "the temporary folder could not be removed");
        }
    }
}

async fn any_port() -> Result<(TcpListener, String), Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(io("opening a port"))?;
    let address = listener.local_addr().map_err(io("opening a port"))?;
    Ok((listener, format!("http://{address}")))
}

fn settings(app_url: &str, listen: SocketAddr, simulator: &Running) -> Result<Settings, Error> {
    let provider = ProviderSettings {
        name: "the simulator".into(),
        authorize_url: at(simulator, "/authorize")?,
        token_url: at(simulator, "/token")?,
        issuer: Some(simulator.url().to_owned()),
        revoke_url: Some(at(simulator, "/revoke")?),
        calendar_url: at(simulator, CALENDARS)?,
        scopes: SCOPES.map(str::to_owned).into(),
        authorize_params: Vec::new(),
        client_auth: ClientAuth::Basic,
    };
    Ok(Settings { root_url: url(app_url)?, listen, jwt_secret: None, provider })
}

fn at(simulator: &Running, path: &str) -> Result<Url, Error> {
    url(&format!("{}{path}", simulator.url()))
}

fn url(text: &str) -> Result<Url, Error> {
    Url::parse(text).map_err(|error| Error::Server(format!("{text}: {error}")))
}

fn io(what: &str) -> impl FnOnce(std::io::Error) -> Error {
    let what = what.to_owned();
    move |source| Error::Io { what, source }
}
