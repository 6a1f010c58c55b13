//! Single values about the installation itself.

use std::sync::Arc;

use super::{Engine, Error, Statement, values};

/// The table `meta`.
#[derive(Clone)]
pub struct Meta {
    engine: Arc<dyn Engine>,
}

impl Meta {
    pub(super) fn new(engine: Arc<dyn Engine>) -> Self {
        Self { engine }
    }

    /// The value of this name.
    pub async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let rows =
            self.engine.read(Statement::new("SELECT value FROM meta WHERE name = $1", values![name])).await?;
        rows.into_iter().next().map(|mut row| row.blob(0)).transpose()
    }

    /// Sets or replaces the value.
    pub async fn put(&self, name: &str, value: &[u8]) -> Result<(), Error> {
        let sql = "INSERT INTO meta (name, value) VALUES ($1, $2)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.engine.write(Statement::new(sql, values![name, value])).await?;
        Ok(())
    }

    /// Sets the value unless there is one, and returns the one that is stored: of many callers at once, all
    /// get the same.
    pub async fn put_if_absent(&self, name: &str, value: &[u8]) -> Result<Vec<u8>, Error> {
        // An update that changes nothing, because DO NOTHING would return no row.
        let sql = "INSERT INTO meta (name, value) VALUES ($1, $2)
            ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING value";
        let mut written = self.engine.write(Statement::new(sql, values![name, value])).await?;
        let row = written.rows.first_mut().ok_or_else(|| Error::Shape("an upsert returned no row".into()))?;
        row.blob(0)
    }
}
