//! Numbered schema changes, carried in the program and applied at open.
//!
//! One per noun and database. A migration that was released is never edited: a new one is added. The checksum
//! of what ran is kept in the database, so an edit is noticed instead of leaving two shapes in the world.

use sha2::{Digest, Sha256};

use super::Error;

/// One schema change, in the words of each database.
pub(super) struct Migration {
    pub(super) version: i64,
    pub(super) name: &'static str,
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

/// The migrations of one database file or schema.
pub(super) struct Set {
    /// File `<name>.db` in SQLite, and part of thread names.
    pub(super) name: &'static str,
    /// Schema in PostgreSQL.
    pub(super) schema: &'static str,
    /// In the order of their versions.
    pub(super) migrations: &'static [Migration],
}

macro_rules! migration {
    ($version:literal, $name:literal, $file:literal) => {
        Migration {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../../migrations/sqlite/", $file, ".sql")),
            postgres: include_str!(concat!("../../migrations/postgres/", $file, ".sql")),
        }
    };
}

/// Everything but keys.
pub(super) static DATA: Set = Set {
    name: "tessera",
    schema: "tessera",
    migrations: &[
        migration!(1, "meta", "0001_meta"),
        migration!(2, "apps", "0002_apps"),
        migration!(3, "credentials", "0003_credentials"),
        migration!(4, "connections", "0004_connections"),
        migration!(5, "states", "0005_states"),
        migration!(6, "origins", "0006_origins"),
        migration!(7, "managed", "0007_managed"),
        migration!(8, "providers", "0008_providers"),
        migration!(9, "outbox", "0009_outbox"),
        migration!(10, "app_tokens", "0010_app_tokens"),
        migration!(11, "site", "0011_site"),
        migration!(12, "commands", "0012_commands"),
        migration!(13, "asked", "0013_asked"),
        migration!(14, "browser_sessions", "0014_browser_sessions"),
    ],
};

/// Data keys, apart from what they open, so that each can be backed up and destroyed by itself.
pub(super) static KEYS: Set =
    Set { name: "keys", schema: "tessera_keys", migrations: &[migration!(1, "keys", "keys_0001_keys")] };

/// Where it is written down what ran; both databases speak it.
pub(super) const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)";
/// Reads it.
pub(super) const APPLIED: &str = "SELECT version, name, checksum FROM schema_migrations ORDER BY version";
/// Adds to it.
pub(super) const RECORD: &str = "INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)";

/// One line of the record.
pub(super) struct Applied {
    pub(super) version: i64,
    pub(super) name: String,
    pub(super) checksum: String,
}

/// One change that is still to run.
pub(super) struct Step {
    pub(super) version: i64,
    pub(super) name: &'static str,
    pub(super) sql: &'static str,
    pub(super) checksum: String,
}

/// What is still to run, in order.
///
/// # Errors
/// [`Error::NewerMigration`] when the database has one that this program lacks, [`Error::ChangedMigration`]
/// when one that ran differs from the one carried here.
pub(super) fn plan(
    set: &Set,
    dialect: impl Fn(&Migration) -> &'static str,
    applied: &[Applied],
) -> Result<Vec<Step>, Error> {
    let known = |version| set.migrations.iter().any(|migration| migration.version == version);
    if let Some(newer) = applied.iter().find(|done| !known(done.version)) {
        return Err(Error::NewerMigration { version: newer.version, name: newer.name.clone() });
    }
    let mut steps = Vec::new();
    for migration in set.migrations {
        let sql = dialect(migration);
        let checksum = checksum(sql);
        match applied.iter().find(|done| done.version == migration.version) {
            Some(done) if done.checksum == checksum => {}
            Some(done) => {
                return Err(Error::ChangedMigration { version: done.version, name: done.name.clone() });
            }
            None => steps.push(Step { version: migration.version, name: migration.name, sql, checksum }),
        }
    }
    Ok(steps)
}

fn checksum(sql: &str) -> String {
    Sha256::digest(sql.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
