//! One at a time for each user where a stored token is about to change.
//!
//! A provider that rotates refresh tokens takes each of them once, and a strict one ends the whole grant when one comes
//! back (RFC 9700 section 4.14.2): two commands of one user must not both refresh. Nor may a refresh that is under way
//! store its token after the user has disconnected. This reaches as far as this process: an App that runs more than
//! once needs a lock that its processes share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

/// Whose turn it is; holds only those who are at it or wait.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<String, Weak<Turn<()>>>>);

impl Turns {
    /// Waits for the user's turn, which lasts until it is dropped.
    pub(crate) async fn of(&self, user_id: &str) -> OwnedMutexGuard<()> {
        self.turn(user_id).lock_owned().await
    }

    fn turn(&self, user_id: &str) -> Arc<Turn<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(user_id).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::default();
        turns.insert(user_id.to_owned(), Arc::downgrade(&turn));
        turn
    }
}
