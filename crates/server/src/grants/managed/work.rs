//! What the service does by itself, in the order in which it is due: refreshes ahead of time, ends grants at their
//! providers, tells people.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tessera_types::AppId;
use tokio::task::JoinSet;

use super::super::{Act, Error};
use super::Managed;
use super::device::DEVICE;
use super::machine::{self, Status};
use super::refresh::{Outcome, spread};
use super::revoke::{PENDING, REVOCATION};
use super::tell::NOTICE;
use super::want::Want;
use crate::store::{DueRow, OutboxRow};

/// How much is looked up at once.
const BATCH: i64 = 256;
/// How much may be under way.
const AT_ONCE: usize = 512;
/// How long a piece of work is its taker's, ms.
const TAKEN_FOR: i64 = 120_000;
/// How long it is remembered what became of one, ms.
const REMEMBERED: i64 = 30 * 86_400_000;
/// How often a word to a person is tried.
const TRIES: i64 = 12;
/// The longest time between two looks.
const LOOK: Duration = Duration::from_secs(1);

/// Grants that are looked at just now, by App and user.
pub(super) type Looked = Arc<Mutex<HashSet<(String, String)>>>;

/// One of them, until it is dropped.
struct Busy(Looked, (String, String));

impl Busy {
    fn take(looked: &Looked, place: (String, String)) -> Option<Self> {
        let fresh = looked.lock().unwrap_or_else(PoisonError::into_inner).insert(place.clone());
        fresh.then(|| Self(Arc::clone(looked), place))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

impl Managed {
    /// Works until it is dropped.
    pub(in crate::grants) async fn work(self: &Arc<Self>) {
        if let Err(error) = self.connections.take_over(self.env.now_ms()).await {
            tracing::error!(%error, "requests that were under way when the service ended could not be taken over");
        }
        if let Err(error) = self.outbox.take_over(self.env.now_ms()).await {
            tracing::error!(%error, "work that was under way when the service ended waits for its time");
        }
        let mut tasks = JoinSet::new();
        loop {
            // Registered before the look, so that what comes during it rings.
            let rung = self.bell.notified();
            while tasks.try_join_next().is_some() {}
            let begun = match self.begin(&mut tasks).await {
                Ok(begun) => begun,
                Err(error) => {
                    tracing::error!(%error, "what is due could not be looked for");
                    tokio::time::sleep(LOOK).await;
                    0
                }
            };
            if begun == 0 {
                let _ = tokio::time::timeout(LOOK, rung).await;
            }
            while tasks.len() >= AT_ONCE {
                tasks.join_next().await;
            }
        }
    }

    /// Does what is due by now, and waits for it; gives how much there was.
    pub(in crate::grants) async fn work_once(self: &Arc<Self>) -> Result<usize, Error> {
        let mut tasks = JoinSet::new();
        let begun = self.begin(&mut tasks).await?;
        while tasks.join_next().await.is_some() {}
        Ok(begun)
    }

    /// Begins what is due and not under way.
    async fn begin(self: &Arc<Self>, tasks: &mut JoinSet<()>) -> Result<usize, Error> {
        let now = self.env.now_ms();
        let due = self.connections.due(now, BATCH).await?;
        let taken = self.outbox.take_due(now, now + TAKEN_FOR, BATCH).await?;
        let mut begun = taken.len();
        for row in due {
            let Some(busy) = Busy::take(&self.busy, (row.app.clone(), row.user.clone())) else { continue };
            begun += 1;
            let managed = Arc::clone(self);
            tasks.spawn(async move {
                let _busy = busy;
                if let Err(error) = managed.look(&row).await {
                    tracing::error!(app = %row.app, %error, "a grant that is due could not be looked at");
                    let later = managed.env.now_ms() + 60_000;
                    let _ =
                        managed.connections.postpone((&row.app, &row.user), row.due_at, Some(later)).await;
                }
            });
        }
        for row in taken {
            let managed = Arc::clone(self);
            tasks.spawn(async move {
                if let Err(error) = managed.deliver(&row).await {
                    tracing::error!(app = %row.app, id = %row.id, %error, "a piece of work failed, and is tried again");
                }
            });
        }
        Ok(begun)
    }

    /// A grant that is due: it is refreshed if somebody used it since its token was given, or if what became of a
    /// request is not known; else it is left until its refresh token would end unused.
    async fn look(self: &Arc<Self>, due: &DueRow) -> Result<(), Error> {
        let place = (due.app.as_str(), due.user.as_str());
        let later = |at| self.connections.postpone(place, due.due_at, at);
        let Some(row) = self.connections.read(place.0, place.1).await? else { return Ok(()) };
        let Some(managed) = row.managed.as_deref().filter(|managed| managed.due_at == Some(due.due_at))
        else {
            return Ok(());
        };
        let now = self.env.now_ms();
        let at_rest = managed.phase == machine::REST && managed.attempts == 0;
        let healthy = matches!(Status::of(managed.status), Status::Connected | Status::MissingScopes);
        if at_rest && healthy && !self.used_since(&due.app, &due.user, managed.issued_at).await? {
            let keep_alive = match self.described(&due.app).await? {
                Some(described) => {
                    described.keep_alive(managed.issued_at, spread(&due.app, &due.user, managed.issued_at))
                }
                None => None,
            };
            if keep_alive.is_none_or(|at| at > now) {
                later(keep_alive).await?;
                return Ok(());
            }
        }
        let app = AppId::unchecked(due.app.as_str());
        let request = self.env.id()?;
        let act = Act { actor: &due.user, app: &app, request: &request, reason: "due" };
        match self.freshen(&act, Want::Ahead).await {
            Outcome::Later(until, _) | Outcome::Busy(until) => {
                let apart = (spread(&due.app, &due.user, now) * 1_000.0) as i64;
                later(Some(until.max(now + 250) + apart)).await?;
            }
            Outcome::NoProvider | Outcome::Fault(_) | Outcome::Unrefreshable => {
                later(None).await?;
            }
            Outcome::Failed(_) | Outcome::Died => {
                later(Some(now + 60_000)).await?;
            }
            Outcome::Fresh | Outcome::Gone | Outcome::Dead => {}
        }
        Ok(())
    }

    async fn used_since(&self, app: &str, user: &str, since: i64) -> Result<bool, Error> {
        if self.uses.last(app, user).is_some_and(|at| at >= since) {
            return Ok(true);
        }
        let used = self.connections.uses_of(user).await?;
        Ok(used.iter().any(|row| row.app == app && row.used_at >= since))
    }

    async fn deliver(self: &Arc<Self>, row: &OutboxRow) -> Result<(), Error> {
        match row.kind {
            REVOCATION | PENDING => self.revoke(row).await,
            NOTICE => self.say(row).await,
            DEVICE => self.poll(row).await,
            _ => Ok(()),
        }
    }

    async fn say(&self, row: &OutboxRow) -> Result<(), Error> {
        let now = self.env.now_ms();
        let (Some(word), Some(messenger)) = (self.spoken(row).await?, self.messenger.get()) else {
            self.outbox.end(row, "nobody_to_tell", now).await?;
            return Ok(());
        };
        match messenger.tell(&row.app, &row.user, &word).await {
            Ok(()) => {
                self.outbox.end(row, "told", now).await?;
            }
            Err(why) if row.attempts < TRIES => {
                tracing::warn!(app = %row.app, %why, "a word to a person could not be said yet");
                self.outbox.retry(row, "not_yet", now + (1_000 << row.attempts.clamp(0, 10))).await?;
            }
            Err(why) => {
                tracing::error!(app = %row.app, %why, "a word to a person could not be said");
                self.outbox.end(row, "failed", now).await?;
            }
        }
        Ok(())
    }

    /// Forgets what ended long ago.
    pub(in crate::grants) async fn sweep(&self) -> Result<u64, Error> {
        Ok(self.outbox.sweep(self.env.now_ms() - REMEMBERED, 10_000).await?)
    }
}
