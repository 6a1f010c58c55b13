//! How fast a provider is asked: so many requests at once for each App's client, none while it wants to be left alone,
//! and none while everything fails.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::providers::{Class, Failure};

/// Token requests of one client that may be under way at once.
const AT_ONCE: usize = 32;
/// Failures in a row after which a client is left alone for a while.
const TOO_MANY: i64 = 8;
/// The longest that it is, ms.
const LONGEST: i64 = 60_000;

/// The pace of every App's client.
#[derive(Default)]
pub(super) struct Paces(Mutex<HashMap<String, Arc<Pace>>>);

/// The pace of one.
pub(super) struct Pace {
    turns: Arc<Semaphore>,
    /// No request before then, Unix ms.
    paused_until: AtomicI64,
    /// Failures in a row that are the provider's.
    failures: AtomicI64,
}

/// Whether one may ask now.
#[derive(Debug)]
pub(super) enum Turn {
    /// One may, as long as this is held.
    Taken(OwnedSemaphorePermit),
    /// The client is left alone until then (Unix ms).
    Paused(i64),
    /// As many ask as may, and whoever wanted to know does not wait.
    Full,
}

impl Paces {
    pub(super) fn of(&self, app: &str) -> Arc<Pace> {
        let mut paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pace) = paces.get(app) {
            return Arc::clone(pace);
        }
        let pace = Arc::new(Pace {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            paused_until: AtomicI64::new(0),
            failures: AtomicI64::new(0),
        });
        paces.insert(app.to_owned(), Arc::clone(&pace));
        pace
    }

    /// A client that was changed begins anew.
    pub(super) fn forget(&self, app: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(app);
    }
}

impl Pace {
    /// A turn to ask; `waits` for one where all are taken.
    pub(super) async fn turn(&self, now: i64, waits: bool) -> Turn {
        let until = self.paused_until.load(Ordering::Relaxed);
        if until > now {
            return Turn::Paused(until);
        }
        let turns = Arc::clone(&self.turns);
        let taken = if waits { turns.acquire_owned().await.ok() } else { turns.try_acquire_owned().ok() };
        taken.map_or(Turn::Full, Turn::Taken)
    }

    pub(super) fn went_well(&self) {
        self.failures.store(0, Ordering::Relaxed);
    }

    /// A refusal that says something of one grant says that the provider works.
    pub(super) fn failed(&self, failure: &Failure, now: i64) {
        if failure.class != Class::Transient {
            return self.went_well();
        }
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        let asked = failure.retry_after.map_or(0, |wait| i64::try_from(wait.as_millis()).unwrap_or(LONGEST));
        let pause = match failures - TOO_MANY {
            over if over >= 0 => (1_000 << over.min(6)).min(LONGEST),
            _ => 0,
        };
        self.paused_until.fetch_max(now.saturating_add(pause.max(asked)), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn failure(class: Class, retry_after: Option<u64>) -> Failure {
        let retry_after = retry_after.map(Duration::from_secs);
        Failure { class, code: "x".into(), status: 503, retry_after, outcome_unknown: false }
    }

    #[tokio::test]
    async fn a_client_is_left_alone_as_long_as_its_provider_asks_and_while_everything_fails() {
        let pace = Paces::default().of("app");
        pace.failed(&failure(Class::Transient, Some(30)), 0);
        assert!(matches!(pace.turn(29_999, true).await, Turn::Paused(30_000)));
        assert!(matches!(pace.turn(30_000, true).await, Turn::Taken(_)));
        for _ in 0..8 {
            pace.failed(&failure(Class::Transient, None), 40_000);
        }
        assert!(matches!(pace.turn(40_001, true).await, Turn::Paused(_)));
        pace.failed(&failure(Class::Terminal, None), 60_000);
        pace.failed(&failure(Class::Transient, None), 200_000);
        let turn = pace.turn(200_000, true).await;
        assert!(matches!(turn, Turn::Taken(_)), "one grant that ended says that the provider answers");
        let held: Vec<_> =
            (0..AT_ONCE - 1).map(|_| Arc::clone(&pace.turns).try_acquire_owned().unwrap()).collect();
        assert!(matches!(pace.turn(200_000, false).await, Turn::Full), "{}", held.len());
    }
}
