//! Longer documentation, compiled.

pub mod page;
