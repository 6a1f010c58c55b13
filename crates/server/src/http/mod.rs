//! Routes, extractors and handlers; the one table from errors to statuses.

pub mod v4;
