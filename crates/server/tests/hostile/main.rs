//! Bad input at the front door: every route, every caller, every body; Apps that misbehave; callbacks that do not
//! fit; requests that no browser sends; settings that are wrong.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy.toml allows these in tests, and does not see that the helpers in here are"
)]

#[allow(dead_code, reason = "each test binary uses some of it")]
#[path = "../parts/mod.rs"]
mod parts;

mod apps;
mod bodies;
mod broken_store;
mod callbacks;
mod form;
mod matrix;
mod requests;
mod routes;
mod settings;
mod slow;
mod switched_off;
