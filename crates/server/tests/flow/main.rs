//! Connecting an account, from the click to the closing page: as a command-line client does it, and as a browser
//! does; and everything that somebody in between might try.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy.toml allows these in tests, and does not see that the helpers in here are"
)]

mod browsers;
mod callbacks;
mod closing;
mod complete;
mod confirm;
mod connect;
mod limits;
mod pages;
mod rates;
mod scene;
mod states;
mod urls;
