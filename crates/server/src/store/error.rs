//! What can go wrong between a room and its database.

use std::path::PathBuf;

/// The store's only error. Texts are for the person who runs the server: they name files, settings and
/// migrations, and never carry a value that was to be stored.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Another process holds the data folder.
    #[error(
        "another tessera{} is using {}: stop it first, or choose another data folder",
        holder.as_ref().map(|pid| format!(" (process {pid})")).unwrap_or_default(),
        dir.display()
    )]
    InUse {
        /// The data folder.
        dir: PathBuf,
        /// Process id that the other one left in the lock file, when it is readable.
        holder: Option<String>,
    },
    /// The database could not be opened or reached at start.
    #[error("cannot open {what}: {reason}")]
    Open {
        /// A file, or the database's place without its password.
        what: String,
        /// What the system or the database said.
        reason: String,
    },
    /// A migration that already ran is not the one this program carries.
    #[error(
        "migration {version} ({name}) was changed after it ran on this database: \
         start the tessera that wrote it, or restore a backup"
    )]
    ChangedMigration {
        /// Its number.
        version: i64,
        /// Its name.
        name: String,
    },
    /// The database knows a migration that this program does not.
    #[error(
        "this database was written by a newer tessera (migration {version}, {name}): \
         start that one, or restore a backup from before it"
    )]
    NewerMigration {
        /// Its number.
        version: i64,
        /// Its name.
        name: String,
    },
    /// A uniqueness or reference rule of the schema said no; nothing was changed.
    #[error("a rule of the database refused the change: {0}")]
    Constraint(String),
    /// The database failed; nothing of the request is known to be stored.
    #[error("the database failed: {0}")]
    Database(String),
    /// No connection was free, or the database did not answer in time.
    #[error("the database is too busy: {0}")]
    Busy(String),
    /// The engine has been closed, or its thread is gone.
    #[error("the store is closed")]
    Closed,
    /// A row or a statement does not have the shape that the code expects: a defect of ours.
    #[error("unexpected shape in the database: {0}")]
    Shape(String),
}
