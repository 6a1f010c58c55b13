//! The real server in this process, on a clock that the test moves.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::Value;
use tempfile::TempDir;
use tessera_server::boot::config::Config;
use tessera_server::boot::{Upkeep, serve};
use tessera_server::connect::Connect;
use tessera_server::env::{Clock, Env, Rng};
use tessera_server::grants::Grants;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::site::Site;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct TestClock(AtomicI64);

impl TestClock {
    /// Moves the clock by so many milliseconds.
    pub fn advance_ms(&self, by: i64) {
        self.0.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A running server. It stops when it is dropped.
pub struct Within {
    /// Where it answers.
    pub site: Site,
    /// Its clock.
    pub clock: Arc<TestClock>,
    /// The browser flow's room, to sweep what expired without waiting for a minute to pass.
    pub connect: Arc<Connect>,
    /// Connections' room, to write their last uses without waiting for some seconds to pass.
    pub grants: Arc<Grants>,
    /// The platform's upkeep, to do what is done once a minute.
    pub upkeep: Arc<dyn Upkeep>,
    serving: JoinHandle<()>,
    stop: watch::Sender<bool>,
    dir: TempDir,
}

impl Within {
    /// Starts a server as in development, with a directory of its own.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// With these changes to its settings.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_by_chance(Env::system().rng, change).await
    }

    /// With a random source of the test's own.
    pub async fn start_by_chance(rng: Arc<dyn Rng>, change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::development(dir.path(), "127.0.0.1:0");
        change(&mut config);
        let clock = Arc::new(TestClock(AtomicI64::new(Env::system().now_ms())));
        let env = Env { clock: Arc::clone(&clock) as _, rng };
        let mut listening = serve::open(&config, false, env).await.unwrap();
        // What is due is due by the test's clock, and so for the test to do.
        listening.house.works = false;
        let address = SocketAddr::from(([127, 0, 0, 1], listening.port().unwrap()));
        let connect = Arc::clone(&listening.house.connect);
        let grants = Arc::clone(&listening.house.grants);
        let upkeep = Arc::clone(&listening.house.upkeep);
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(async move { listening.serve(stopped).await.unwrap() });
        Self { site: Site::at(address), clock, connect, grants, upkeep, serving, stop, dir }
    }

    /// Asks for the orderly end; gives what ends with it.
    pub fn stop(&mut self) -> JoinHandle<()> {
        self.stop.send_replace(true);
        std::mem::replace(&mut self.serving, tokio::spawn(async {}))
    }

    /// The data folder.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The entries of the audit log so far.
    pub fn audit(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.dir.path().join("audit.log")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Within {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
