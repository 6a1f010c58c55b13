//! What some tests need that a machine may lack. Such tests carry a word in their name or module path, so that they are
//! left out by it, and a variable tells them where they stand: `required` means that they must run, `absent` that they
//! were left out.

use std::path::PathBuf;

/// One such thing.
#[derive(Debug)]
pub(crate) struct Need {
    /// In the names of the tests that need it.
    pub(crate) word: &'static str,
    /// The environment variable.
    pub(crate) variable: &'static str,
    /// What to print when it is missing.
    pub(crate) how_to_get: &'static str,
    /// Whether it is here.
    here: fn() -> bool,
}

/// All of them.
pub(crate) const NEEDS: [Need; 4] = [
    Need {
        word: "postgres",
        variable: "TESSERA_TEST_POSTGRES",
        how_to_get: "PostgreSQL (initdb, pg_ctl) is not here: `apt-get install postgresql` brings it",
        here: postgres,
    },
    Need {
        word: "in_python",
        variable: "TESSERA_TEST_PYTHON",
        how_to_get: "Python 3 is not here: `apt-get install python3` brings it",
        here: python,
    },
    Need {
        word: "by_nginx",
        variable: "TESSERA_TEST_NGINX",
        how_to_get: "nginx is not here: `apt-get install nginx-light` brings it",
        here: nginx,
    },
    Need {
        word: "by_caddy",
        variable: "TESSERA_TEST_CADDY",
        how_to_get: "Caddy is not here: `apt-get install caddy` brings it",
        here: caddy,
    },
];

/// What this machine lacks.
pub(crate) fn missing() -> Vec<&'static Need> {
    NEEDS.iter().filter(|need| !(need.here)()).collect()
}

fn path() -> Vec<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect()
}

/// The server binaries: in `PATH`, else where Debian keeps them.
fn postgres() -> bool {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders = path();
    folders.extend(debian.map(|entry| entry.path().join("bin")));
    folders.iter().any(|folder| ["initdb", "pg_ctl"].iter().all(|name| folder.join(name).is_file()))
}

/// Debian keeps it where only root's `PATH` leads.
fn nginx() -> bool {
    let mut folders = path();
    folders.push("/usr/sbin".into());
    folders.iter().any(|folder| folder.join("nginx").is_file())
}

fn caddy() -> bool {
    path().iter().any(|folder| folder.join("caddy").is_file())
}

fn python() -> bool {
    path().iter().any(|folder| folder.join("python3").is_file())
}
