//! Bad input at the front door: every route, every caller, every body; Apps that misbehave; callbacks that do not
//! fit; requests that no browser sends; settings that are wrong.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy.toml allows these in tests, and does not see that the helpers in here are"
)]

mod apps;
mod bodies;
mod broken_store;
mod callbacks;
mod forgery;
mod form;
mod long_queries;
mod matrix;
mod requests;
mod routes;
mod settings;
mod slow;
mod switched_off;

/// The binary under test.
const TESSERA: &str = env!("CARGO_BIN_EXE_tessera");
