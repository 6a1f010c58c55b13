//! The one seam between nouns and databases.

use async_trait::async_trait;

use super::{Error, Row, Statement, Written};

/// A database. Nouns are written once, in SQL that every engine speaks, over this trait.
///
/// An answered write is durable: it survives `kill -9` and a power cut. A dropped future does not take back
/// what was already handed over; the write may still happen.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// Runs one `SELECT`. It sees every write that was answered before it was asked.
    async fn read(&self, statement: Statement) -> Result<Vec<Row>, Error>;

    /// Runs one writing statement, which may be `RETURNING`: atomic, and durable once answered.
    async fn write(&self, statement: Statement) -> Result<Written, Error>;

    /// Runs statements in order in one transaction: all of them, or none.
    async fn write_all(&self, statements: Vec<Statement>) -> Result<Vec<Written>, Error>;

    /// Whether nobody but this engine writes to the database, so that what was read may be kept.
    fn sole_writer(&self) -> bool;
}

impl dyn Engine {
    /// Reads and converts every row.
    pub(crate) async fn all<T: TryFrom<Row, Error = Error>>(
        &self,
        statement: Statement,
    ) -> Result<Vec<T>, Error> {
        self.read(statement).await?.into_iter().map(T::try_from).collect()
    }

    /// Reads and converts the first row, if there is one.
    pub(crate) async fn one<T: TryFrom<Row, Error = Error>>(
        &self,
        statement: Statement,
    ) -> Result<Option<T>, Error> {
        self.read(statement).await?.into_iter().next().map(T::try_from).transpose()
    }

    /// Reads one integer that is always there, such as a count.
    pub(crate) async fn number(&self, statement: Statement) -> Result<i64, Error> {
        let mut rows = self.read(statement).await?;
        rows.first_mut().ok_or_else(|| Error::Shape("no row where one always is".into()))?.int(0)
    }
}
