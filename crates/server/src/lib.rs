//! Tessera for Mattermost Apps, as a library: only so that the testkit can start the real server in process.
//!
//! ARCHITECTURE.md shows the rooms, their floors and the direction of the arrows; `tests/house.rs` proves them.

pub mod apps;
pub mod audit;
pub mod boot;
pub mod bridge;
pub mod calls;
pub mod connect;
pub mod egress;
pub mod env;
pub mod grants;
pub mod http;
pub mod lifecycle;
pub mod meter;
pub mod platform;
pub mod providers;
pub mod rate;
pub mod store;
pub mod trail;
pub mod upstream;
pub mod vault;
pub mod web;
