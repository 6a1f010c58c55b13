//! Which version of a row is the next, and whose turn it is to write it.
//!
//! Versions (generations) of one row only grow, also across a removal: a seal is bound to one (OS-40), and the log's
//! comparison with the store lives on it. A row that is made anew starts at the time, in microseconds, for no row is
//! written as often as that. Two writers of one row in this process take turns, so that neither numbers its row by
//! a time before the other one removed it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

/// App and user; the user is empty for an App's credentials.
type Place = (String, String);

/// The versions of all rows of this room.
#[derive(Default)]
pub(super) struct Versions {
    /// The highest that was given or removed here.
    highest: AtomicI64,
    /// Those who write, or wait to.
    turns: Mutex<HashMap<Place, Weak<Turn<()>>>>,
}

impl Versions {
    /// Waits until nobody else in this process writes or removes the row; it is the caller's until the guard is dropped.
    pub(super) async fn turn(&self, app: &str, user: &str) -> OwnedMutexGuard<()> {
        self.queue((app.to_owned(), user.to_owned())).lock_owned().await
    }

    fn queue(&self, place: Place) -> Arc<Turn<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(&place).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::default();
        turns.insert(place, Arc::downgrade(&turn));
        turn
    }

    /// The version that replaces this one, or the first of a row that is not there.
    pub(super) fn after(&self, before: Option<i64>, now_ms: i64) -> i64 {
        match before {
            Some(before) => before + 1,
            None => {
                let now = now_ms.saturating_mul(1_000);
                let highest = self
                    .highest
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |highest| Some(now.max(highest + 1)));
                now.max(highest.unwrap_or_default() + 1)
            }
        }
    }

    /// A row of this version is removed: whatever takes its place comes after it, although a clock was set back.
    pub(super) fn removed(&self, version: i64) {
        self.highest.fetch_max(version, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn os_40_versions_grow_across_removals_and_clocks_that_stand_still_or_go_back() {
        let versions = Versions::default();
        let first = versions.after(None, 1_000);
        assert_eq!(first, 1_000_000);
        let second = versions.after(Some(first), 1_000);
        assert_eq!(second, first + 1);
        versions.removed(second + 5);
        let anew = versions.after(None, 1_000);
        assert_eq!(anew, second + 6);
        assert!(versions.after(None, 999) > anew);
        assert_eq!(versions.after(None, 2_000), 2_000_000);
        // Rows from before are counted in milliseconds: they are below.
        assert!(versions.after(None, 1_795_600_000_000) > 1_795_600_000_000);
    }

    #[tokio::test]
    async fn a_row_is_written_by_one_at_a_time_and_others_meanwhile() {
        let versions = Versions::default();
        let held = versions.turn("app", "ann").await;
        let _other = versions.turn("app", "bob").await;
        let waiting = versions.turn("app", "ann");
        tokio::pin!(waiting);
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(held);
        let next = waiting.await;
        drop(next);
        let _again = versions.turn("app", "eve").await;
        assert_eq!(versions.turns.lock().unwrap().len(), 2, "who is done is forgotten");
    }
}
