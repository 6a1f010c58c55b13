//! Fills a data directory with users that have a token and a stored record, or a managed connection.

use std::path::Path;

use super::load::User;
use crate::Outcome;

/// Who is there.
pub(super) struct Users {
    /// With a record that their App keeps itself.
    pub(super) stored: Vec<User>,
    /// With a managed connection at a provider that answers at once.
    pub(super) managed: Vec<User>,
    /// With one at a provider that takes its time: one for each herd.
    pub(super) slow: Vec<User>,
}

/// Seeds the directory through the server's own library, so that rows, seals and tokens are real ones.
#[cfg(feature = "bench")]
pub(super) async fn seed(directory: &Path, users: usize, herds: usize, provider: u16) -> Outcome<Users> {
    use tessera_server::boot::bench_seed::{Many, SeededUser, seed};
    let provider = format!("http://localhost:{provider}");
    let seeded = seed(directory, &Many { stored: users, managed: users, slow: herds }, &provider)
        .await
        .map_err(|error| format!("cannot seed {}: {error}", directory.display()))?;
    let plain = |users: Vec<SeededUser>| {
        users.into_iter().map(|user| User { token: user.token, body: user.body }).collect()
    };
    Ok(Users { stored: plain(seeded.stored), managed: plain(seeded.managed), slow: plain(seeded.slow) })
}

/// Seeds a directory of a server beside the Mattermost at this port.
#[cfg(feature = "bench")]
pub(super) async fn attached(directory: &Path, users: usize, mattermost: u16) -> Outcome<Vec<User>> {
    use tessera_server::boot::bench_attached::seed;
    let seeded = seed(directory, users, &format!("http://localhost:{mattermost}"))
        .await
        .map_err(|error| format!("cannot seed {}: {error}", directory.display()))?;
    Ok(seeded.into_iter().map(|user| User { token: user.token, body: user.body }).collect())
}

/// As below.
#[cfg(not(feature = "bench"))]
pub(super) async fn attached(directory: &Path, _users: usize, _mattermost: u16) -> Outcome<Vec<User>> {
    Err(format!("this build cannot seed {}: call `cargo xtask bench`", directory.display()))
}

/// This build was made without the server's library.
#[cfg(not(feature = "bench"))]
pub(super) async fn seed(directory: &Path, _users: usize, _herds: usize, _provider: u16) -> Outcome<Users> {
    Err(format!(
        "this build cannot seed {}: call `cargo xtask bench`, which builds one that can",
        directory.display()
    ))
}
