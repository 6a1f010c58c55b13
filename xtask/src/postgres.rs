//! Whether this machine has PostgreSQL's server binaries: tests start a server of their own from them.

use std::path::PathBuf;

/// Read by the tests: `required` means that they must run, `absent` that they were filtered out by name.
pub(crate) const VARIABLE: &str = "TESSERA_TEST_POSTGRES";

/// Tests that need PostgreSQL carry this word in their name or module path.
pub(crate) const WORD: &str = "postgres";

/// What to print when it is missing.
pub(crate) const HOW_TO_GET: &str =
    "PostgreSQL (initdb, pg_ctl) is not here: `apt-get install postgresql` brings it";

/// The directory of `initdb` and `pg_ctl`: in `PATH`, else where Debian keeps them.
pub(crate) fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = debian.map(|entry| entry.path().join("bin")).collect();
    versions.sort();
    std::env::split_paths(&path)
        .chain(versions.into_iter().rev())
        .find(|directory| ["initdb", "pg_ctl"].iter().all(|name| directory.join(name).is_file()))
}
