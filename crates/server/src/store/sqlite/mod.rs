//! SQLite: one writer with group commit, a few readers, one process.

mod exec;
mod folder;
mod readers;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use prometheus_client::metrics::histogram::Histogram;
use rusqlite::{Connection, OpenFlags};

pub(super) use folder::Folder;
use readers::Readers;
use writer::Writer;

use super::migrations::{self, Set};
use super::{Engine, Error, Row, Statement, Written};

/// One SQLite database, in a file or in memory.
pub(super) struct Sqlite {
    /// None in memory: such a database lives in one connection, the writer's.
    readers: Option<Readers>,
    writer: Writer,
    /// Held until the threads above are gone: fields are dropped in order.
    _folder: Option<Arc<Folder>>,
}

impl Sqlite {
    /// Opens a database that ends with this value.
    pub(super) fn in_memory(set: &Set, batches: Histogram) -> Result<Self, Error> {
        let mut connection = Connection::open_in_memory()?;
        prepare(&connection)?;
        migrate(&mut connection, set)?;
        let writer = Writer::start(connection, set.name, batches).map_err(|error| failed(set.name, error))?;
        Ok(Self { readers: None, writer, _folder: None })
    }

    /// Opens the file of this set in a folder that the process holds.
    pub(super) fn in_folder(folder: &Arc<Folder>, set: &Set, batches: Histogram) -> Result<Self, Error> {
        let path = folder.file(&format!("{}.db", set.name))?;
        let open = || {
            let mut connection = Connection::open(&path)?;
            prepare(&connection)?;
            // Each commit syncs the log: an answered write survives a power cut, not only a crash.
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
            migrate(&mut connection, set)?;
            let readers = (0..reader_count()).map(|_| reader(&path)).collect::<Result<Vec<_>, _>>()?;
            Ok((connection, readers))
        };
        let (connection, readers) = open().map_err(|error: Error| match error {
            Error::Database(reason) | Error::Busy(reason) => {
                Error::Open { what: path.display().to_string(), reason }
            }
            other => other,
        })?;
        let readers = Readers::start(readers, set.name).map_err(|error| failed(set.name, error))?;
        let writer = Writer::start(connection, set.name, batches).map_err(|error| failed(set.name, error))?;
        Ok(Self { readers: Some(readers), writer, _folder: Some(Arc::clone(folder)) })
    }
}

/// A database file of which nothing is changed, whoever else uses it.
pub(super) struct ToRead(Readers);

impl ToRead {
    /// Opens the file of this set in a folder, which may be a copy, or in use.
    pub(super) fn open(dir: &Path, set: &Set) -> Result<Self, Error> {
        let path = dir.join(format!("{}.db", set.name));
        let open = |reason: String| Error::Open { what: path.display().to_string(), reason };
        let connection = reader(&path).map_err(|error| open(error.to_string()))?;
        Ok(Self(Readers::start(vec![connection], set.name).map_err(|error| failed(set.name, error))?))
    }
}

#[async_trait]
impl Engine for ToRead {
    async fn read(&self, statement: Statement) -> Result<Vec<Row>, Error> {
        self.0.run(statement).await
    }

    async fn write(&self, statement: Statement) -> Result<Written, Error> {
        // The connection itself refuses what would change something.
        Ok(Written { rows: self.0.run(statement).await?, affected: 0 })
    }

    async fn write_all(&self, statements: Vec<Statement>) -> Result<Vec<Written>, Error> {
        let mut written = Vec::with_capacity(statements.len());
        for statement in statements {
            written.push(self.write(statement).await?);
        }
        Ok(written)
    }

    fn sole_writer(&self) -> bool {
        false
    }
}

#[async_trait]
impl Engine for Sqlite {
    async fn read(&self, statement: Statement) -> Result<Vec<Row>, Error> {
        match &self.readers {
            Some(readers) => readers.run(statement).await,
            None => Ok(self.write(statement).await?.rows),
        }
    }

    async fn write(&self, statement: Statement) -> Result<Written, Error> {
        let mut written = self.writer.run(vec![statement]).await?;
        written.pop().ok_or(Error::Closed)
    }

    async fn write_all(&self, statements: Vec<Statement>) -> Result<Vec<Written>, Error> {
        self.writer.run(statements).await
    }

    fn sole_writer(&self) -> bool {
        true
    }
}

fn reader_count() -> usize {
    std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 4))
}

/// What every connection needs, whatever it is for.
fn prepare(connection: &Connection) -> Result<(), Error> {
    connection.set_prepared_statement_cache_capacity(256);
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // What is deleted is overwritten, so that a destroyed data key does not linger in a free page.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "cache_size", -8192)?;
    Ok(())
}

fn reader(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    prepare(&connection)?;
    Ok(connection)
}

fn migrate(connection: &mut Connection, set: &Set) -> Result<(), Error> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive)?;
    transaction.execute_batch(migrations::TABLE)?;
    let applied = {
        let mut statement = transaction.prepare(migrations::APPLIED)?;
        let rows = statement.query_map([], |row| {
            Ok(migrations::Applied { version: row.get(0)?, name: row.get(1)?, checksum: row.get(2)? })
        })?;
        rows.collect::<Result<Vec<_>, _>>()?
    };
    for step in migrations::plan(set, |migration| migration.sqlite, &applied)? {
        transaction.execute_batch(step.sql)?;
        transaction.execute(migrations::RECORD, (step.version, step.name, &step.checksum))?;
    }
    transaction.commit()?;
    Ok(())
}

fn failed(name: &str, error: std::io::Error) -> Error {
    Error::Open { what: format!("the {name} database"), reason: format!("no thread for it: {error}") }
}
