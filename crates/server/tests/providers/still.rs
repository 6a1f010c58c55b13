//! Time that stands still, and chance that counts: each draw is another one, and the same in each run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tessera_server::env::{Clock, Env, Rng, RngError};

struct Still(i64);

impl Clock for Still {
    fn now_ms(&self) -> i64 {
        self.0
    }
}

struct Counting(AtomicU8);

impl Rng for Counting {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RngError> {
        buffer.fill(self.0.fetch_add(1, Ordering::Relaxed));
        Ok(())
    }
}

struct Dry;

impl Rng for Dry {
    fn fill(&self, _: &mut [u8]) -> Result<(), RngError> {
        Err(RngError)
    }
}

pub(crate) fn env(now_ms: i64) -> Env {
    Env { clock: Arc::new(Still(now_ms)), rng: Arc::new(Counting(AtomicU8::new(1))) }
}

/// One whose randomness has failed.
pub(crate) fn dry(now_ms: i64) -> Env {
    Env { rng: Arc::new(Dry), ..env(now_ms) }
}
