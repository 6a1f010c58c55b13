//! The real server in process and as a child, a fake App, a fake Mattermost, a browser-like client, PostgreSQL and a test clock.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test kit fails loudly: whatever is not as it should be ends the test"
)]

pub mod attached;
pub mod browser;
pub mod cast;
pub mod child;
pub mod fake_app;
pub mod fake_mattermost;
pub mod managed;
pub mod postgres;
pub mod site;
pub mod wire;
pub mod within;
