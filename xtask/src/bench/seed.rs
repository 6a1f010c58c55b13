//! Fills a data directory with users that have a token and a stored record.

use std::path::Path;

use super::load::User;
use crate::Outcome;

/// Seeds the directory through the server's own library, so that rows, seals and tokens are real ones.
pub(super) fn seed(_directory: &Path, _users: usize) -> Outcome<Vec<User>> {
    Err("the server library has no `bench_seed` yet".into())
}
