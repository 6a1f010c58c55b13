//! The development console: its pages, and what it shows of calls.

#![expect(
    clippy::unwrap_used,
    reason = "clippy.toml allows these in tests, and does not see that the helpers in here are"
)]

mod inspector;
mod pages;
mod stage;
