//! Slows down who guesses passwords: per account, whether it exists or not.

use std::sync::{Mutex, MutexGuard, PoisonError};

use quick_cache::unsync::Cache;

use crate::env::Env;
use crate::rate::Wait;

/// Attempts that cost nothing.
const FREE: u32 = 5;
/// The wait after them doubles from one second up to this.
const LONGEST_MS: i64 = 60_000;
/// How many accounts are remembered.
const HELD: usize = 10_000;

#[derive(Default, Clone, Copy)]
struct Count {
    attempts: u32,
    not_before: i64,
}

pub(super) struct Throttle {
    env: Env,
    counts: Mutex<Cache<String, Count>>,
}

impl Throttle {
    pub(super) fn new(env: Env) -> Self {
        Self { env, counts: Mutex::new(Cache::new(HELD)) }
    }

    /// Counts an attempt before it is made, so that many at once are no way around. Err has the wait;
    /// such an attempt must not be made, and does not count.
    pub(super) fn attempt(&self, account: &str) -> Result<(), Wait> {
        let now = self.env.now_ms();
        let mut counts = self.counts();
        let mut count = counts.get(account).copied().unwrap_or_default();
        if count.not_before > now {
            return Err(Wait::of_ms(count.not_before - now));
        }
        count.attempts = count.attempts.saturating_add(1);
        if count.attempts >= FREE {
            let doubled = (count.attempts - FREE).min(16);
            count.not_before = now + (1_000_i64 << doubled).min(LONGEST_MS);
        }
        counts.insert(account.to_owned(), count);
        Ok(())
    }

    /// It was the right password: start anew.
    pub(super) fn passed(&self, account: &str) {
        self.counts().remove(account);
    }

    fn counts(&self) -> MutexGuard<'_, Cache<String, Count>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
