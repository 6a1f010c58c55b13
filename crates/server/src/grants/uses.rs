//! When each connection was last used, and by what. Noted in memory while records are released, written to the store
//! now and then by [`Grants::keep_uses`]: a use is worth telling people, not worth a write for each read.
//!
//! Noting stands in the way of every `GET …/oauth2/user`: a connection that was noted in the same second costs a hash
//! and one look at a number, with no lock and no allocation.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Error, Grants};
use crate::store::{ConnectionRow, UseRow};

/// What stands for a release by `GET …/oauth2/user`, where the App asked for the record itself.
pub const USED_BY_API: &str = "oauth2/user";

/// What a record is released to.
#[derive(Debug, Clone, Copy)]
pub enum Use<'a> {
    /// The App's own question: `GET …/oauth2/user`.
    Api,
    /// A call with this path, whose context holds the record.
    Call(&'a str),
}

/// Marks of what was noted this second. Two connections may share one: then both are noted more often than needed.
const MARKS: usize = 4096;
/// How much of a call's path is kept, in bytes.
const LONGEST_PATH: usize = 200;
/// How many uses are written in one transaction.
const BATCH: usize = 1000;

/// A last use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Used {
    /// Unix ms.
    pub(super) at: i64,
    /// [`USED_BY_API`], or the call's path.
    pub(super) by: Cow<'static, str>,
}

/// Uses that are not in the store yet.
pub(super) struct Uses {
    hasher: RandomState,
    /// Half of a connection's hash and the second of its last use by the API.
    marks: Box<[AtomicU64]>,
    /// By App and user: so that a use of a connection that is in it already allocates nothing.
    waiting: Mutex<HashMap<String, HashMap<String, Used>>>,
}

impl Uses {
    pub(super) fn new() -> Self {
        let marks = (0..MARKS).map(|_| AtomicU64::new(0)).collect();
        Self { hasher: RandomState::new(), marks, waiting: Mutex::default() }
    }

    /// Notes a use. The last one counts, to the second where the API is used more often than that.
    pub(super) fn note(&self, app: &str, user: &str, now_ms: i64, by: Use<'_>) {
        let hash = self.hasher.hash_one((app, user));
        let mark = &self.marks[hash as usize % MARKS];
        let by = match by {
            Use::Api => {
                let now = (hash & !0xffff_ffff) | ((now_ms / 1000) as u64 & 0xffff_ffff);
                if mark.load(Ordering::Relaxed) == now {
                    return;
                }
                mark.store(now, Ordering::Relaxed);
                Cow::Borrowed(USED_BY_API)
            }
            Use::Call(path) => {
                // The next use by the API is later than this one, also within the second.
                mark.store(0, Ordering::Relaxed);
                Cow::Owned(shown_path(path))
            }
        };
        let fresh = Used { at: now_ms, by };
        let mut waiting = self.waiting();
        match waiting.get_mut(app).and_then(|of_app| of_app.get_mut(user)) {
            Some(known) if known.at > fresh.at => {}
            Some(known) => *known = fresh,
            None => {
                waiting.entry(app.to_owned()).or_default().insert(user.to_owned(), fresh);
            }
        }
    }

    /// Forgets the uses of a connection that ends.
    pub(super) fn forget(&self, app: &str, user: &str) {
        let hash = self.hasher.hash_one((app, user));
        self.marks[hash as usize % MARKS].store(0, Ordering::Relaxed);
        let mut waiting = self.waiting();
        if let Some(of_app) = waiting.get_mut(app) {
            of_app.remove(user);
            if of_app.is_empty() {
                waiting.remove(app);
            }
        }
    }

    /// Forgets the uses of all connections of an App.
    pub(super) fn forget_app(&self, app: &str) {
        self.marks.iter().for_each(|mark| mark.store(0, Ordering::Relaxed));
        self.waiting().remove(app);
    }

    /// The waiting use of each connection. Asked before the store is, it misses nothing: what is not here any more is
    /// there already.
    pub(super) fn of(&self, rows: &[ConnectionRow]) -> Vec<Option<Used>> {
        let waiting = self.waiting();
        rows.iter().map(|row| waiting.get(&row.app)?.get(&row.user).cloned()).collect()
    }

    /// When one was last used, as far as that is not in the store yet: Unix ms.
    pub(super) fn last(&self, app: &str, user: &str) -> Option<i64> {
        Some(self.waiting().get(app)?.get(user)?.at)
    }

    fn rows(&self) -> Vec<UseRow> {
        let waiting = self.waiting();
        let of_app = |(app, of_app): (&String, &HashMap<String, Used>)| {
            let row = |(user, used): (&String, &Used)| UseRow {
                app: app.clone(),
                user: user.clone(),
                used_at: used.at,
                used_by: used.by.clone().into_owned(),
            };
            of_app.iter().map(row).collect::<Vec<_>>()
        };
        waiting.iter().flat_map(of_app).collect()
    }

    /// Drops what is in the store now; what was used again meanwhile stays.
    fn written(&self, rows: &[UseRow]) {
        let mut waiting = self.waiting();
        for row in rows {
            let Some(of_app) = waiting.get_mut(&row.app) else { continue };
            if of_app.get(&row.user).is_some_and(|used| used.at == row.used_at && used.by == row.used_by) {
                of_app.remove(&row.user);
            }
            if of_app.is_empty() {
                waiting.remove(&row.app);
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<String, HashMap<String, Used>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Grants {
    /// Writes the uses noted since the last time. What could not be written is kept for the next time.
    pub async fn keep_uses(&self) -> Result<(), Error> {
        let rows = self.uses.rows();
        for batch in rows.chunks(BATCH) {
            self.connections.touch_all(batch.to_vec()).await?;
            self.uses.written(batch);
        }
        Ok(())
    }
}

/// A call's path as people may read it: without a query, which may hold anything, and in one short line.
fn shown_path(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let end = path.floor_char_boundary(LONGEST_PATH);
    let line = |character: char| if character.is_control() { '\u{fffd}' } else { character };
    path[..end].chars().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(uses: &Uses) -> Vec<(i64, String)> {
        uses.rows().into_iter().map(|row| (row.used_at, row.used_by)).collect()
    }

    #[test]
    fn the_last_use_counts_and_the_api_is_noted_once_a_second() {
        let uses = Uses::new();
        uses.note("app", "user", 5_000, Use::Api);
        uses.note("app", "user", 5_900, Use::Api);
        assert_eq!(at(&uses), [(5_000, USED_BY_API.into())]);
        uses.note("app", "user", 5_950, Use::Call("/send"));
        assert_eq!(at(&uses), [(5_950, "/send".into())]);
        uses.note("app", "user", 5_960, Use::Api);
        assert_eq!(at(&uses), [(5_960, USED_BY_API.into())]);
        uses.note("app", "user", 6_000, Use::Api);
        uses.note("app", "user", 4_000, Use::Call("/late"));
        assert_eq!(at(&uses), [(6_000, USED_BY_API.into())]);
    }

    #[test]
    fn what_was_used_again_while_it_was_written_stays() {
        let uses = Uses::new();
        uses.note("app", "a", 1_000, Use::Call("/one"));
        uses.note("app", "b", 1_000, Use::Call("/one"));
        let rows = uses.rows();
        uses.note("app", "a", 1_000, Use::Call("/two"));
        uses.written(&rows);
        assert_eq!(at(&uses), [(1_000, "/two".into())]);
        uses.forget("app", "a");
        assert!(uses.waiting().is_empty());
    }

    #[test]
    fn os_51_a_path_is_kept_without_its_query_in_one_short_line() {
        assert_eq!(shown_path("/send?token=secret"), "/send");
        assert_eq!(shown_path("/a\nb\u{1b}[2J"), "/a\u{fffd}b\u{fffd}[2J");
        let long = format!("/{}", "é".repeat(300));
        assert_eq!(shown_path(&long).len(), 199);
    }
}
