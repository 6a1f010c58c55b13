//! The real server in this process, on a clock that the test moves.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tempfile::TempDir;
use tessera_server::boot::config::Config;
use tessera_server::boot::serve;
use tessera_server::env::{Clock, Env};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::site::Site;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance_ms(&self, by: i64) {
        self.0.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A running server. It stops when it is dropped.
pub(crate) struct Within {
    pub(crate) site: Site,
    pub(crate) clock: Arc<TestClock>,
    serving: JoinHandle<()>,
    _stop: watch::Sender<bool>,
    _dir: TempDir,
}

impl Within {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::development(dir.path(), "127.0.0.1:0");
        change(&mut config);
        let system = Env::system();
        let clock = Arc::new(TestClock(AtomicI64::new(system.now_ms())));
        let env = Env { clock: Arc::clone(&clock) as _, rng: system.rng };
        let listening = serve::open(&config, false, env).await.unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], listening.port().unwrap()));
        let (_stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(async move { listening.serve(stopped).await.unwrap() });
        Self { site: Site { address }, clock, serving, _stop, _dir: dir }
    }
}

impl Drop for Within {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
