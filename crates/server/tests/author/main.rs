//! What an author of an App types: `new`, `dev` and `check`, by the binary itself.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy.toml allows these in tests, and does not see that the helpers in here are"
)]

mod checking;
mod documented;
mod following;
mod offered;
mod process;
mod restart;
#[path = "../oauth2/socket.rs"]
mod socket;
mod whole_loop;
mod writing;
