//! Fills a data directory with users that have a token and a stored record.

use std::path::Path;

use super::load::User;
use crate::Outcome;

/// Seeds the directory through the server's own library, so that rows, seals and tokens are real ones.
#[cfg(feature = "bench")]
pub(super) async fn seed(directory: &Path, users: usize) -> Outcome<Vec<User>> {
    let seeded = tessera_server::boot::bench_seed::seed(directory, users)
        .await
        .map_err(|error| format!("cannot seed {}: {error}", directory.display()))?;
    Ok(seeded.into_iter().map(|user| User { token: user.token, body: user.body }).collect())
}

/// This build was made without the server's library.
#[cfg(not(feature = "bench"))]
pub(super) async fn seed(directory: &Path, _users: usize) -> Outcome<Vec<User>> {
    Err(format!(
        "this build cannot seed {}: call `cargo xtask bench`, which builds one that can",
        directory.display()
    ))
}
