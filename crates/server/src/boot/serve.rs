//! `tessera serve`: listen, sweep, stop gracefully.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use url::Url;

use super::config::{self, Config};
use super::ground::Upkeep;
use super::house::{self, Error, House};
use super::ready::Readiness;
use super::traces::{self, Traces};
use super::{local, log};
use crate::connect::Connect;
use crate::env::Env;
use crate::grants::Grants;

/// How often what expired is removed.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// How often the last uses of connections are written.
const KEEP_USES_EVERY: Duration = Duration::from_secs(5);
/// How long a shutdown waits for completions under way: as long as a request may take.
const DRAIN_FOR: Duration = Duration::from_secs(35);

/// How long connections may stay open once nothing new is taken.
const CLOSE_FOR: Duration = Duration::from_secs(5);

/// What the command line adds to the settings.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A development server: standalone site, loopback.
    pub dev: bool,
    /// The settings file.
    pub config: Option<PathBuf>,
    /// Where to listen instead.
    pub listen: Option<String>,
    /// Where data is kept instead.
    pub data: Option<PathBuf>,
    /// Listen beyond loopback although the accounts' passwords are known to everyone.
    pub danger_public: bool,
}

/// The folder of a development server unless another is named.
pub(super) const DEV_DATA: &str = "tessera-dev-data";

/// Settings with the command line laid over them.
pub fn settings(options: &Options) -> Result<Config, config::Error> {
    let mut config = Config::load(options.config.as_deref(), std::env::vars())?;
    if options.dev {
        let defaults = Config::development(&PathBuf::from(DEV_DATA), &config.server.listen);
        if config.site.password.is_empty() {
            config.site.password = defaults.site.password;
        }
        if config.store.dir == config::Store::default().dir {
            config.store.dir = defaults.store.dir;
        }
    }
    check_site(options.dev, &mut config)?;
    if let Some(dir) = &options.data {
        config.store.dir = dir.display().to_string();
    }
    if let Some(listen) = &options.listen {
        config.server.listen = listen.clone();
    }
    Ok(config)
}

/// Either a site of its own, for development, or a Mattermost.
fn check_site(dev: bool, config: &mut Config) -> Result<(), config::Error> {
    let wrong = |what: &str| config::Error::new("mattermost.url", what);
    match (dev, config.mattermost.url.is_empty()) {
        (true, true) => Ok(()),
        (true, false) => {
            Err(wrong("a development server has a site of its own: leave out --dev, or this setting"))
        }
        (false, true) => Err(wrong(
            "is missing: write the address of your Mattermost (its SiteURL), for instance https://chat.example.com; or \
             run `tessera serve --dev` for a development server with a site of its own",
        )),
        (false, false) => {
            if config.site.url.is_empty() {
                config.site.url.clone_from(&config.mattermost.url);
            }
            Ok(())
        }
    }
}

/// Opens a server by these options, with its log begun. The traces are to be closed once it has served.
pub(super) async fn ready(options: &Options) -> Result<(Listening, Traces), Error> {
    let settings = settings(options)?;
    let traces = traces::open(&settings)?;
    log::start(&settings.log, &traces)?;
    let listening = open(&settings, options.danger_public, Env::system()).await?;
    if let Some(path) = &listening.house.new_root_key {
        tracing::warn!(path = %path.display(), "made a root key: whoever has it can read every stored secret");
    }
    if options.dev {
        tracing::warn!("this is a development server: everyone knows the passwords of its accounts");
    }
    if settings.mattermost.danger_admin_tokens {
        tracing::warn!("Apps act for people without asking them (mattermost.danger_admin_tokens)");
    }
    tracing::info!(port = listening.port()?, "listening");
    Ok((listening, traces))
}

/// A server that listens.
pub struct Listening {
    /// What it serves.
    pub house: House,
    listeners: Vec<TcpListener>,
    health: Vec<TcpListener>,
    dir: PathBuf,
}

/// Opens the listeners, then builds the house for the address they got.
pub async fn open(config: &Config, danger_public: bool, env: Env) -> Result<Listening, Error> {
    let address = config::listen_address("server.listen", &config.server.listen)?;
    let dev = config.mattermost.url.is_empty();
    if dev && !address.ip().is_loopback() && !danger_public {
        return Err(config::Error::new(
            "server.listen",
            format!(
                "{address} is not loopback, and a development server's passwords are known to everyone: \
                 write 127.0.0.1:{} (or pass --danger-public)",
                address.port()
            ),
        )
        .into());
    }
    let listeners = listen("server.listen", address).await?;
    let port = local_port(&listeners)?;
    let url = match config.site.url.as_str() {
        "" => format!("http://localhost:{port}"),
        url => url.to_owned(),
    };
    let site_url = config::site_url("site.url", &url)?;
    let health = match config.server.health_listen.as_str() {
        "" => Vec::new(),
        text => listen("server.health_listen", config::listen_address("server.health_listen", text)?).await?,
    };
    let house = house::build(config, site_url, env).await?;
    Ok(Listening { house, listeners, health, dir: PathBuf::from(&config.store.dir) })
}

impl Listening {
    /// Where the site is.
    pub fn site_url(&self) -> &Url {
        &self.house.site_url
    }

    /// The data folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The port of the main listener.
    pub fn port(&self) -> Result<u16, Error> {
        local_port(&self.listeners)
    }

    /// The port of the listener for health and metrics, if there is one.
    pub fn health_port(&self) -> Option<u16> {
        local_port(&self.health).ok()
    }

    /// Serves until `stop` turns true, then lets what is under way end.
    ///
    /// Completions come first, with the listeners still open: an App that was called with a code stores through them
    /// what it got for it, and that code works only once.
    pub async fn serve(self, stop: watch::Receiver<bool>) -> Result<(), Error> {
        let Self { house, listeners, health, dir } = self;
        let House {
            router, health: health_routes, readiness, connect, upkeep, lifecycle, grants, works, ..
        } = house;
        let socket = local::open(&dir, lifecycle, Arc::clone(&grants))?;
        let sweeping = tokio::spawn(sweep(Arc::clone(&connect), Arc::clone(&grants), upkeep));
        let keeping = tokio::spawn(keep_uses(Arc::clone(&grants)));
        let working = works.then(|| tokio::spawn(work(Arc::clone(&grants))));
        let close = close_after(stop, readiness, Arc::clone(&connect));
        let mut serving = tokio::task::JoinSet::new();
        for listener in listeners {
            serving.spawn(serve_on(listener, router.clone(), close.clone()));
        }
        for listener in health {
            serving.spawn(serve_on(listener, health_routes.clone(), close.clone()));
        }
        serving.spawn(socket.serve(close.clone()));
        let all_closed = async { while serving.join_next().await.is_some() {} };
        tokio::select! {
            () = all_closed => {}
            // Some connections end only when the other side wants: a websocket, or a body that nobody reads.
            () = patience(close) => tracing::info!("closed connections that were still open"),
        }
        sweeping.abort();
        // What began between the last completion and the closing of the listeners.
        drain(&connect).await;
        keeping.abort();
        if let Some(working) = working {
            working.abort();
        }
        // The claim of a refresh that is under way is in the store, and the next start knows of it. But where a refresh
        // token is spent at once, a reply that nobody waits for is a grant lost.
        if tokio::time::timeout(DRAIN_FOR, grants.refreshed()).await.is_err() {
            tracing::warn!("stopping although a refresh is still under way");
        }
        if let Err(error) = grants.keep_uses().await {
            tracing::error!(%error, "the last uses of connections could not be written, and are lost");
        }
        Ok(())
    }
}

/// Ends some time after the listeners were closed.
async fn patience(mut close: watch::Receiver<bool>) {
    let _ = close.wait_for(|close| *close).await;
    tokio::time::sleep(CLOSE_FOR).await;
}

/// Turns true once `stop` did and no completion is under way.
fn close_after(
    mut stop: watch::Receiver<bool>,
    readiness: Arc<Readiness>,
    connect: Arc<Connect>,
) -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        let _ = stop.wait_for(|stop| *stop).await;
        readiness.stop();
        tracing::info!(completions = connect.under_way(), "stopping");
        drain(&connect).await;
        let _ = sender.send(true);
    });
    receiver
}

async fn drain(connect: &Connect) {
    if tokio::time::timeout(DRAIN_FOR, connect.drained()).await.is_err() {
        tracing::warn!("stopping although a completion is still under way");
    }
}

/// Loopback means both of its addresses: browsers try `::1` first for `localhost`.
async fn listen(key: &str, address: SocketAddr) -> Result<Vec<TcpListener>, Error> {
    let failed = |address: SocketAddr| {
        move |source: std::io::Error| {
            let what = match source.kind() {
                std::io::ErrorKind::AddrInUse => format!(
                    "another program listens on {address} already: stop it, or choose another port with \
                     --listen ADDRESS:PORT ({key})"
                ),
                _ => format!("listening on {address} ({key})"),
            };
            Error::Io { what, source }
        }
    };
    let first = TcpListener::bind(address).await.map_err(failed(address))?;
    let mut listeners = vec![first];
    if address.ip() == Ipv4Addr::LOCALHOST {
        let twin = SocketAddr::from((Ipv6Addr::LOCALHOST, local_port(&listeners)?));
        match TcpListener::bind(twin).await {
            Ok(listener) => listeners.push(listener),
            // A machine without IPv6, or a port that somebody else has there: the first one is enough.
            Err(error) => tracing::debug!(%twin, %error, "not listening on the other loopback address"),
        }
    }
    Ok(listeners)
}

fn local_port(listeners: &[TcpListener]) -> Result<u16, Error> {
    let first = listeners.first().ok_or_else(|| Error::Io {
        what: "listening".into(),
        source: std::io::Error::other("no listener"),
    })?;
    let address = first.local_addr();
    Ok(address.map_err(|source| Error::Io { what: "listening".into(), source })?.port())
}

async fn serve_on(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    use axum::serve::ListenerExt as _;
    let listener = listener.tap_io(|stream| {
        // Answers are small and whole: waiting to fill a packet only delays them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY");
        }
    });
    let stopped = async move {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    // A bare router would be put together anew, all of its routes, for each connection.
    let service = router.into_make_service();
    if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(stopped).await {
        tracing::error!(%error, "a listener failed");
    }
}

async fn sweep(connect: Arc<Connect>, grants: Arc<Grants>, upkeep: Arc<dyn Upkeep>) {
    let mut every = tokio::time::interval(SWEEP_EVERY);
    loop {
        every.tick().await;
        if let Err(error) = connect.sweep().await {
            tracing::warn!(%error, "expired flows could not be removed");
        }
        if let Err(error) = grants.sweep().await {
            tracing::warn!(%error, "work that ended long ago could not be forgotten");
        }
        if let Err(error) = upkeep.sweep().await {
            tracing::warn!(%error, "expired sessions could not be removed");
        }
    }
}

/// What is due of managed connections.
async fn work(grants: Arc<Grants>) {
    grants.work().await;
}

/// Writes when connections were last used. Without it nothing else is worse off, so a failure waits for the next time.
async fn keep_uses(grants: Arc<Grants>) {
    let mut every = tokio::time::interval(KEEP_USES_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        if let Err(error) = grants.keep_uses().await {
            tracing::warn!(%error, "the last uses of connections could not be written, and are kept for the next time");
        }
    }
}

/// Turns true on SIGINT and SIGTERM. Whoever says that it is ready does so after this: from here on neither ends the
/// process without a word.
pub fn signals() -> watch::Receiver<bool> {
    use tokio::signal::unix::{SignalKind, signal};
    let (sender, receiver) = watch::channel(false);
    // Registered here and now, and not in the task.
    let heard = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
    tokio::spawn(async move {
        let each = heard.into_iter().map(|heard| {
            Box::pin(async move {
                match heard {
                    Ok(mut heard) => heard.recv().await,
                    Err(error) => {
                        tracing::error!(%error, "a signal cannot be listened for: it ends the process at once");
                        std::future::pending().await
                    }
                }
            })
        });
        futures_util::future::select_all(each).await;
        let _ = sender.send(true);
    });
    receiver
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;

    async fn get(port: u16, path: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let ask = format!("GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
        stream.write_all(ask.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn health_has_a_listener_of_its_own_and_nothing_else_on_it() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::development(dir.path(), "127.0.0.1:0");
        config.server.health_listen = "127.0.0.1:0".into();
        let listening = open(&config, false, Env::system()).await.unwrap();
        let (site, health) = (listening.port().unwrap(), listening.health_port().unwrap());
        assert_ne!(site, health);
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(listening.serve(stopped));
        for path in ["/healthz", "/readyz"] {
            assert!(get(health, path).await.starts_with("HTTP/1.1 200 OK"), "{path}");
        }
        assert!(get(site, "/login").await.starts_with("HTTP/1.1 200"));
        assert!(get(health, "/login").await.starts_with("HTTP/1.1 404"));
        assert!(get(health, "/metrics").await.contains("tessera_http_requests_total{route=\"/login\""));
        stop.send(true).unwrap();
        serving.await.unwrap().unwrap();
    }
}
