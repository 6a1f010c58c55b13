//! The App alone: the driver's fake service on one side, a small provider on the other.

#![expect(clippy::unwrap_used, reason = "a helper of tests that fails is a test that fails")]

mod commands;
mod common;
mod strict;
