//! What user agents and administrators ask of the framework beside OAuth2 (apps-framework.md sections 2.9 to 2.16).

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy.toml allows these in tests, and does not see that the helpers in here are"
)]

mod admin;
mod answers;
mod caching;
mod documented;
mod echo;
mod listing;
mod members;
mod nul_postgres;
mod openapi;
mod router;
mod sessions;
mod stage;
mod statics;
