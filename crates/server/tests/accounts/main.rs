//! Connected accounts: what people are told of who holds their tokens, and how they take them back.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy.toml allows these in tests, and does not see that the helpers in here are"
)]

mod api;
mod forms;
mod pages;
mod scene;
#[path = "../oauth2/socket.rs"]
mod socket;
mod uses;
