//! Managed connections: an administrator names a provider, a person agrees there, and the App only uses the token.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy.toml allows these in tests, and does not see that the helpers in here are"
)]

mod app;
mod choices;
mod clients;
mod cluster;
mod consents;
mod dead;
mod devices;
mod due;
mod ended;
mod flow;
mod flows;
mod folder;
mod messages;
mod min_ttl;
mod model;
mod people;
mod pinned;
mod races;
mod seen;
mod setup;
