//! The data folder: private to its owner, and used by one process at a time.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::store::Error;

/// A data folder that this process has for itself until the value is dropped.
///
/// The lock is the kernel's (`flock`): a killed process leaves none behind.
pub(in crate::store) struct Folder {
    dir: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder (0700) when it is not there, and takes it.
    ///
    /// # Errors
    /// [`Error::InUse`] when another process has it, [`Error::Open`] when it cannot be made or written.
    pub(in crate::store) fn take(dir: &Path) -> Result<Self, Error> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| cannot(dir, &error))?;
        let path = dir.join("tessera.lock");
        let mut lock = private(&path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = lock.read_to_string(&mut holder);
                let holder = holder.trim().parse::<u32>().ok().map(|pid| pid.to_string());
                return Err(Error::InUse { dir: dir.to_owned(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(cannot(&path, &error)),
        }
        lock.set_len(0)
            .and_then(|()| writeln!(lock, "{}", std::process::id()))
            .map_err(|error| cannot(&path, &error))?;
        Ok(Self { dir: dir.to_owned(), _lock: lock })
    }

    /// The path of a database file in here, which from now on exists with mode 0600. SQLite gives its
    /// companions (`-wal`, `-shm`) the same mode.
    pub(super) fn file(&self, name: &str) -> Result<PathBuf, Error> {
        let path = self.dir.join(name);
        private(&path)?;
        Ok(path)
    }
}

fn private(path: &Path) -> Result<File, Error> {
    let open = || {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        Ok(file)
    };
    open().map_err(|error: std::io::Error| cannot(path, &error))
}

fn cannot(path: &Path, error: &std::io::Error) -> Error {
    Error::Open { what: path.display().to_string(), reason: error.to_string() }
}
