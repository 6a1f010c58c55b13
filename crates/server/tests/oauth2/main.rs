//! The OAuth2 store at the front door: what an App stores and reads with the tokens of its calls
//! (apps-framework.md sections 2.2 to 2.4, 3 and 15.1).

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy.toml allows these in tests, and does not see that the helpers in here are"
)]

mod apart;
mod audited;
mod bots;
mod driver;
mod headers;
mod life;
mod page;
mod plain;
mod refusing;
mod socket;
mod stage;
mod storing;
mod telling;

/// The binary under test.
const TESSERA: &str = env!("CARGO_BIN_EXE_tessera");
