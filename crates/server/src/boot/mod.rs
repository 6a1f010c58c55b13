//! Command line, settings, building each room once, signals, graceful stop. Nobody imports this room.

mod apps;
pub mod bench_attached;
pub mod bench_seed;
mod check;
pub mod cli;
pub mod config;
#[cfg(feature = "demo")]
pub mod demo;
mod dev;
mod doctor;
mod fetch;
mod ground;
mod house;
mod lines;
mod local;
mod log;
mod manual;
mod messenger;
mod new;
mod probe;
mod provider;
pub mod ready;
mod remote;
pub mod serve;
mod setup;
#[cfg(feature = "demo")]
mod simulate;
#[cfg(feature = "otel")]
mod spans;
mod target;
#[cfg_attr(not(feature = "otel"), path = "traces_absent.rs")]
mod traces;
mod verify;

pub use ground::Upkeep;
pub use house::{House, build};
