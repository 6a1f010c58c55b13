//! The second light switch of the house: so much in so long, and no more (OS-55).
//!
//! A count per key, refilled evenly: the generic cell rate algorithm (ITU-T I.371). Each key has one moment, at which
//! its allowance is whole again. Each process counts for itself.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use crate::env::Env;

/// How long to wait until the same thing is allowed. Prints as `7 seconds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    ms: i64,
}

impl Wait {
    /// A wait of so many milliseconds.
    pub fn of_ms(ms: i64) -> Self {
        Self { ms }
    }

    /// Whole seconds, rounded up and at least one, as `Retry-After` has them (RFC 9110 section 10.2.3).
    pub fn seconds(self) -> u64 {
        u64::try_from(self.ms).unwrap_or(0).div_ceil(1_000).max(1)
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seconds() {
            1 => f.write_str("1 second"),
            seconds => write!(f, "{seconds} seconds"),
        }
    }
}

/// `many` at once, and then one more each time `period / many` has passed. Nanoseconds.
#[derive(Debug, Clone, Copy)]
struct Quota {
    period: i64,
    each: i64,
    /// How many are taken at a time and handed out one by one: with large numbers, looking at the clock for each would
    /// cost more than all the rest.
    batch: i64,
}

/// From so many on a thousandth of them is taken at a time.
const LARGE: u32 = 10_000;

/// What one key has.
#[derive(Default)]
struct Count {
    whole_at: AtomicI64,
    /// Left of the last batch; any number below 1 means none.
    left: AtomicI64,
}

impl Quota {
    fn new(many: u32, period: Duration) -> Option<Self> {
        let period = i64::try_from(period.as_nanos()).unwrap_or(i64::MAX / 4);
        let each = period.checked_div(i64::from(many))?;
        let batch = if many < LARGE { 1 } else { i64::from(many / 1_000) };
        Some(Self { period, each: each.max(1), batch })
    }

    /// Takes one, or says how long to wait for it.
    fn take(self, count: &Count, env: &Env) -> Result<(), Wait> {
        if self.batch > 1 && count.left.fetch_sub(1, Ordering::Relaxed) > 0 {
            return Ok(());
        }
        let wait = |late: i64| Wait { ms: late.saturating_add(999_999) / 1_000_000 };
        self.take_batch(&count.whole_at, nanoseconds(env)).map_err(wait)?;
        // Of two who take a batch at once one loses the rest of it: less than there might be, and never more.
        count.left.store(self.batch - 1, Ordering::Relaxed);
        Ok(())
    }

    /// Takes a batch, or says how many nanoseconds to wait for it.
    fn take_batch(self, whole_at: &AtomicI64, now: i64) -> Result<(), i64> {
        let mut seen = whole_at.load(Ordering::Relaxed);
        loop {
            // No count lies further ahead than a period, unless the clock was set back: nobody waits for that.
            let from = seen.clamp(now, now.saturating_add(self.period));
            let next = from.saturating_add(self.each.saturating_mul(self.batch));
            let late = next.saturating_sub(now) - self.period;
            if late > 0 {
                return Err(late);
            }
            match whole_at.compare_exchange_weak(seen, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(other) => seen = other,
            }
        }
    }
}

/// A limit for each of many: users, Apps.
pub struct Limit {
    env: Env,
    quota: Option<Quota>,
    many: u32,
    keys: RwLock<HashMap<String, Count>>,
}

/// So many keys are kept before the first look for those that can be forgotten.
const FEW: usize = 1_024;

impl Limit {
    /// `many` in a `period`, for each key; 0 for no limit.
    pub fn new(env: Env, many: u32, period: Duration) -> Self {
        Self { env, quota: Quota::new(many, period), many, keys: RwLock::default() }
    }

    /// No limit.
    pub fn none(env: Env) -> Self {
        Self::new(env, 0, Duration::ZERO)
    }

    /// How many there may be in a period; 0 for no limit.
    pub fn many(&self) -> u32 {
        self.many
    }

    /// Takes one of what the key has left. Err has the wait; such an attempt does not count. Costs a shared lock, one
    /// look-up and mostly one atomic subtraction; nothing where there is no limit.
    pub fn take(&self, key: &str) -> Result<(), Wait> {
        let Some(quota) = self.quota else { return Ok(()) };
        if let Some(count) = self.keys.read().unwrap_or_else(PoisonError::into_inner).get(key) {
            return quota.take(count, &self.env);
        }
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if keys.len() == keys.capacity() && keys.len() >= FEW {
            // Who has the whole allowance again is as good as new. Nobody else is forgotten.
            let now = nanoseconds(&self.env);
            keys.retain(|_, count| *count.whole_at.get_mut() > now);
        }
        quota.take(keys.entry(key.to_owned()).or_default(), &self.env)
    }
}

fn nanoseconds(env: &Env) -> i64 {
    env.now_ms().saturating_mul(1_000_000)
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limit").field("quota", &self.quota).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::env::Clock;

    #[derive(Default)]
    struct Still(AtomicI64);

    impl Clock for Still {
        fn now_ms(&self) -> i64 {
            self.0.load(Ordering::SeqCst)
        }
    }

    fn limit(many: u32, period_ms: u64) -> (Limit, Arc<Still>) {
        let clock = Arc::new(Still(AtomicI64::new(1_700_000_000_000)));
        let env = Env { clock: Arc::clone(&clock) as _, rng: Env::system().rng };
        (Limit::new(env, many, Duration::from_millis(period_ms)), clock)
    }

    fn taken(limit: &Limit, key: &str, tries: usize) -> usize {
        (0..tries).filter(|_| limit.take(key).is_ok()).count()
    }

    #[test]
    fn os_55_so_many_at_once_and_then_evenly_more() {
        for (many, period) in [(1, 1_000), (3, 60_000), (7, 1_000), (120, 60_000), (200_000, 1_000)] {
            let (limit, clock) = limit(many, period);
            assert_eq!(taken(&limit, "a", many as usize + 5), many as usize, "{many} in {period} ms");
            assert_eq!(taken(&limit, "b", 1), 1, "each key has its own");
            clock.0.fetch_add(i64::try_from(period).unwrap() / 2, Ordering::SeqCst);
            let half = taken(&limit, "a", many as usize);
            assert!(half == many as usize / 2 || half == many.div_ceil(2) as usize, "{many}: {half}");
            clock.0.fetch_add(i64::try_from(period).unwrap() * 10, Ordering::SeqCst);
            assert_eq!(taken(&limit, "a", many as usize * 2), many as usize, "it does not pile up");
        }
    }

    #[test]
    fn os_55_the_wait_is_as_long_as_it_says_and_refusals_do_not_count() {
        let (limit, clock) = limit(3, 60_000);
        assert_eq!(taken(&limit, "a", 100), 3);
        let wait = limit.take("a").unwrap_err();
        assert_eq!((wait.seconds(), wait.to_string().as_str()), (20, "20 seconds"));
        clock.0.fetch_add(19_999, Ordering::SeqCst);
        assert_eq!(limit.take("a").unwrap_err().to_string(), "1 second");
        clock.0.fetch_add(1, Ordering::SeqCst);
        assert!(limit.take("a").is_ok() && limit.take("a").is_err());
    }

    #[test]
    fn os_55_a_clock_that_is_set_back_locks_nobody_out() {
        let (limit, clock) = limit(3, 60_000);
        assert_eq!(taken(&limit, "a", 3), 3);
        clock.0.fetch_sub(86_400_000, Ordering::SeqCst);
        assert_eq!(limit.take("a").unwrap_err().seconds(), 20);
    }

    #[test]
    fn os_55_zero_is_no_limit_and_remembers_nobody() {
        let (limit, _) = limit(0, 60_000);
        assert_eq!(taken(&limit, "a", 10_000), 10_000);
        assert!(limit.keys.read().unwrap().is_empty());
    }

    #[test]
    fn os_55_a_crowd_makes_nobody_else_forgotten_and_leaves_no_trace() {
        let (limit, clock) = limit(1, 1_000);
        assert!(limit.take("first").is_ok());
        for number in 0..20_000 {
            assert!(limit.take(&number.to_string()).is_ok());
        }
        assert!(limit.take("first").is_err(), "still counted");
        for round in 0..20 {
            clock.0.fetch_add(1_000, Ordering::SeqCst);
            for number in 0..5_000 {
                assert!(limit.take(&format!("{round}-{number}")).is_ok());
            }
        }
        let kept = limit.keys.read().unwrap().len();
        assert!(kept < 60_000, "{kept} of 120,001 keys are kept");
    }

    #[test]
    fn os_55_many_threads_together_get_no_more() {
        let (limit, _) = limit(1_000, 60_000);
        let got: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| taken(&limit, "a", 1_000))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(got, 1_000);
    }
}
