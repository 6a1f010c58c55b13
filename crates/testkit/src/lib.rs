//! The real server in process, a fake App, a browser-like client and a test clock.

pub mod fake_app;
pub mod postgres;
