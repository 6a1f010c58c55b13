//! The server as a process of its own: started, asked to stop, killed.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use url::Url;

use super::Error;

/// A debug build on a busy machine is slow to start; longer means that it never will.
const START: Duration = Duration::from_secs(60);
/// How long a server may take to stop by itself; it lets completions end that are under way.
const STOP: Duration = Duration::from_secs(40);
/// How many lines of its log are kept for the case that something goes wrong.
const LINES: usize = 40;
/// The readiness line, before the site URL.
const READY: &str = "tessera ready on ";

/// Where the server's log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Log {
    /// To our standard error.
    Shown,
    /// Its last lines are kept.
    Kept,
}

/// A running development server. It ends with us: dropped, it is killed.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    listen: SocketAddr,
    log: Log,
    lines: Lines,
    /// Where the site is, without a slash at its end.
    pub(super) site: Url,
}

impl Server {
    /// Starts `tessera serve --dev` of this very program, and waits until it is ready.
    pub(super) async fn start(data: &Path, listen: SocketAddr, log: Log) -> Result<Self, Error> {
        let io = |what: &str| {
            let what = what.to_owned();
            move |source| Error::Io { what, source }
        };
        let program = std::env::current_exe().map_err(io("where this program is"))?;
        let mut command = Command::new(program);
        command.args(["serve", "--dev", "--listen", &listen.to_string(), "--data"]).arg(data);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        command.stderr(if log == Log::Shown { Stdio::inherit() } else { Stdio::piped() });
        let mut child = command.spawn().map_err(io("starting the server"))?;
        let lines = Lines::default();
        let following = child.stderr.take().map(|stderr| tokio::spawn(lines.clone().follow(stderr)));
        let stdout = child.stdout.take().ok_or_else(|| Error::Server("the server has no output".into()))?;
        let mut output = BufReader::new(stdout).lines();
        let ready = async {
            while let Some(line) = output.next_line().await? {
                if let Some(site) = line.strip_prefix(READY) {
                    return Ok::<_, std::io::Error>(Some(site.trim().to_owned()));
                }
            }
            Ok::<_, std::io::Error>(None)
        };
        let site = match timeout(START, ready).await {
            Err(_) => Err(format!("the server was not ready within {} seconds", START.as_secs())),
            Ok(Err(error)) => Err(format!("the server's output broke: {error}")),
            Ok(Ok(Some(site))) => Ok(site),
            Ok(Ok(None)) => {
                let how = child.wait().await.map_err(io("waiting for the server"))?;
                Err(format!("the server did not start: {how}"))
            }
        };
        let site = site.and_then(|site| {
            Url::parse(&site).map_err(|error| format!("the server is ready on no address, {site:?}: {error}"))
        });
        match site {
            Ok(site) => {
                // What else it says is nobody's business, but a full pipe would stop it.
                tokio::spawn(async move { while let Ok(Some(_)) = output.next_line().await {} });
                Ok(Self { child, listen, log, lines, site })
            }
            Err(problem) => {
                // Its words are complete when it is gone; it may hang, so it is not waited for politely.
                let gone = matches!(child.try_wait(), Ok(Some(_))) || child.kill().await.is_ok();
                if let Some(following) = following.filter(|_| gone) {
                    let _ = following.await;
                }
                Err(Error::Server(format!("{problem}\n{}", lines.text()).trim_end().to_owned()))
            }
        }
    }

    /// Ends it with SIGKILL, as a power cut would, and starts it again on the same data and port.
    pub(super) async fn kill_and_restart(&mut self, data: &Path) -> Result<String, Error> {
        let before = self.child.id().unwrap_or_default();
        self.child.kill().await.map_err(|source| Error::Io { what: "killing the server".into(), source })?;
        let how = self.child.wait().await;
        let how = how.map_err(|source| Error::Io { what: "waiting for the server".into(), source })?;
        if how.signal() != Some(9) {
            return Err(Error::Server(format!("the server should have ended by signal 9, but: {how}")));
        }
        let mut listen = self.listen;
        if listen.port() == 0 {
            listen.set_port(self.site.port_or_known_default().unwrap_or_default());
        }
        let again = Self::start(data, listen, self.log).await?;
        if again.site != self.site {
            return Err(Error::Server(format!("it was on {} and is now on {}", self.site, again.site)));
        }
        *self = again;
        let now = self.child.id().unwrap_or_default();
        Ok(format!("process {before} ended by signal 9, process {now} is ready on {}", self.site))
    }

    /// Waits until it ends by itself, and says how.
    pub(super) async fn ended(&mut self) -> String {
        match self.child.wait().await {
            Ok(how) => how.to_string(),
            Err(error) => error.to_string(),
        }
    }

    /// Asks it to stop with SIGTERM, and kills it when it does not.
    pub(super) async fn stop(mut self) {
        if let (Ok(None), Some(id)) = (self.child.try_wait(), self.child.id()) {
            let asked = Command::new("kill").args(["-TERM", &id.to_string()]).status().await;
            if asked.is_ok_and(|asked| asked.success()) && timeout(STOP, self.child.wait()).await.is_ok() {
                return;
            }
        }
        if let Err(error) = self.child.kill().await {
            tracing::debug!(%error, "the server was gone already");
        }
    }

    /// The last lines of its log, if they are kept.
    pub(super) fn last_words(&self) -> String {
        self.lines.text()
    }
}

/// The last lines of a log that is still being written.
#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<VecDeque<String>>>);

impl Lines {
    async fn follow(self, log: impl AsyncRead + Unpin) {
        let mut log = BufReader::new(log).lines();
        while let Ok(Some(line)) = log.next_line().await {
            let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.len() == LINES {
                lines.pop_front();
            }
            lines.push_back(line);
        }
    }

    fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(|line| format!("{line}\n")).collect()
    }
}
