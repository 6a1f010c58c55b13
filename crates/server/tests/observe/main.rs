//! What an administrator sees of a running server: its log, its metrics, the ids that lead from one service's log to
//! another's, and the pages that say what all of it means.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy.toml allows these in tests, and does not see that the helpers in here are"
)]

mod log;
mod metrics;
mod settings;
mod stage;
#[cfg(feature = "otel")]
mod traces;
mod trail;

/// The binary under test.
const TESSERA: &str = env!("CARGO_BIN_EXE_tessera");
