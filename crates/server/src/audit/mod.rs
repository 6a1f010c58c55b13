//! The append-only record of who touched which secret; a failed write refuses the act (decisions.md section 5).
//!
//! One JSON object a line, each bound to the one before it by a keyed hash, so that a removed or altered line is
//! found (`verify`). An entry is handed to the kernel before the act it names and synced within 100 ms, or before
//! the act with [`Sync::Always`]. Some disk space is kept in reserve, so that a full disk can still be recorded.
//!
//! What changes a row of the store leaves two entries: one before, which says what is about to happen, and one after
//! ([`Audit::done`]), which says that it did. With both, an old row put back in its place is found ([`History`]).

mod chain;
mod entry;
mod history;
mod log;
mod meters;
mod rows;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use entry::{Act, Entry, Outcome};
pub(crate) use history::EVERY_USERS;
pub use history::{History, Judged, Told};
pub use log::{Log, Verdict, verify};
use meters::Meters;
use prometheus_client::registry::Registry;
pub use rows::{Prints, RowMark, RowPlace, Table};
use tokio::time::Instant;
use writer::Writer;
use zeroize::Zeroizing;

use crate::env::Env;

/// When entries reach the disk itself.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Sync {
    /// Within 100 ms after the act.
    #[default]
    Soon,
    /// Before the act.
    Always,
}

/// Why an entry was not written. The act it was for must not happen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be opened, read or written.
    #[error("audit log {path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process writes this log.
    #[error("audit log {0} is in use by another tessera: give each process a folder of its own (audit.dir)")]
    Busy(PathBuf),
    /// An entry could not be encoded.
    #[error("an audit entry could not be encoded: {0}")]
    Encode(#[from] serde_json::Error),
}

/// Half of what was promised, so that a slow sync still ends in time.
const SYNC_AFTER: Duration = Duration::from_millis(50);

/// The audit log.
pub struct Audit {
    writer: Arc<Writer>,
    prints: Prints,
    sync: Sync,
    env: Env,
    meters: Arc<Meters>,
    syncing: Syncing,
}

/// The thread that syncs: told that there is something to sync, and waited for at the end, so that the file is let
/// go of when the log is.
struct Syncing {
    wake: Option<std::sync::mpsc::SyncSender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Syncing {
    fn soon(&self) {
        if let Some(wake) = &self.wake {
            let _ = wake.try_send(());
        }
    }
}

impl Drop for Syncing {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            // A panic there was reported when it happened.
            let _ = thread.join();
        }
    }
}

impl Audit {
    /// Opens `audit.log` in a folder, continuing its chain. A last line that was cut off by a crash is dropped:
    /// its act was never answered.
    pub fn open(dir: &Path, key: Zeroizing<[u8; 32]>, sync: Sync, env: Env) -> Result<Self, Error> {
        let prints = Prints::new(&key);
        let writer = Arc::new(Writer::open(dir, key)?);
        // Room for one signal: more would only say again that there is something to sync.
        let (wake, woken) = std::sync::mpsc::sync_channel::<()>(1);
        let (syncing, meters) = (Arc::clone(&writer), Arc::new(Meters::default()));
        let measuring = Arc::clone(&meters);
        let sync_now = move || {
            let began = Instant::now();
            if let Err(error) = syncing.sync() {
                measuring.failed.inc();
                tracing::error!(%error, "the audit log could not be synced");
            }
            measuring.sync.observe(began.elapsed());
        };
        let thread = std::thread::Builder::new()
            .name("audit-sync".into())
            .spawn(move || {
                // The second channel never carries anything: waiting on it is waiting for time to pass.
                let (_open, pause) = std::sync::mpsc::channel::<()>();
                while woken.recv().is_ok() {
                    let _ = pause.recv_timeout(SYNC_AFTER);
                    sync_now();
                }
                sync_now();
            })
            .map_err(|source| Error::File { path: dir.to_owned(), source })?;
        let syncing = Syncing { wake: Some(wake), thread: Some(thread) };
        Ok(Self { writer, prints, sync, env, meters, syncing })
    }

    /// Announces what is counted.
    pub fn announce(&self, registry: &mut Registry) {
        self.meters.announce(registry);
    }

    /// Records an entry. Only after this returns may the act happen.
    pub async fn record(&self, entry: Entry<'_>) -> Result<(), Error> {
        let recorded = self.write(entry).await;
        if recorded.is_err() {
            self.meters.failed.inc();
        }
        recorded
    }

    async fn write(&self, entry: Entry<'_>) -> Result<(), Error> {
        let began = Instant::now();
        self.writer.append_in_turn(&entry, self.env.now_ms()).await?;
        self.meters.append.observe(began.elapsed());
        match self.sync {
            Sync::Soon => {
                self.syncing.soon();
                Ok(())
            }
            Sync::Always => {
                let writer = Arc::clone(&self.writer);
                let began = Instant::now();
                let synced = tokio::task::spawn_blocking(move || writer.sync()).await;
                self.meters.sync.observe(began.elapsed());
                synced.map_err(|_| Error::File {
                    path: self.writer.path().to_owned(),
                    source: std::io::Error::other("the sync was cancelled"),
                })?
            }
        }
    }

    /// Records that what an earlier entry announced has happened. It has, whatever becomes of this entry: a failure
    /// to write it is for the server's log, and `audit verify` then has a note where it would have a proof.
    pub fn done(&self, entry: Entry<'_>) {
        match self.append(&entry) {
            Ok(()) => self.syncing.soon(),
            Err(error) => {
                self.meters.failed.inc();
                tracing::error!(%error, "what was done could not be confirmed in the audit log");
            }
        }
    }

    fn append(&self, entry: &Entry<'_>) -> Result<(), Error> {
        let began = Instant::now();
        self.writer.append(entry, self.env.now_ms())?;
        self.meters.append.observe(began.elapsed());
        Ok(())
    }

    /// Fingerprints of rows, for entries about them.
    pub fn prints(&self) -> &Prints {
        &self.prints
    }
}

#[cfg(test)]
mod tests;
