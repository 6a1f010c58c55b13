//! Managed connections: an administrator names a provider, a person agrees there, and the App only uses the token.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy.toml allows these in tests, and does not see that the helpers in here are"
)]

mod app;
mod choices;
mod consents;
mod devices;
mod ended;
mod flow;
mod messages;
mod min_ttl;
mod people;
mod seen;
