//! Command line, settings, building each room once, signals, graceful stop. Nobody imports this room.

pub mod bench_seed;
pub mod cli;
pub mod config;
#[cfg(feature = "demo")]
pub mod demo;
mod house;
mod local;
mod log;
pub mod ready;
mod remote;
pub mod serve;
mod verify;

pub use house::{House, build};
