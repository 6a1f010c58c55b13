//! Managed connections: an administrator names a provider, a person agrees there, and the App only uses the token.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy.toml allows these in tests, and does not see that the helpers in here are"
)]

mod cluster;
mod dead;
mod flow;
mod model;
