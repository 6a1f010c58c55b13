//! Manifests that were listed, and Apps that are installed.

use std::sync::Arc;

use super::cache::{Cache, Limits, Topic};
use super::{Engine, Error, Row, Statement, values};

/// An installed App.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppRow {
    /// The App.
    pub app: String,
    /// What is known of it, as JSON text without secrets.
    pub doc: String,
    /// Its secrets (such as the JWT secret), sealed.
    pub sealed: Option<Vec<u8>>,
    /// Raised by each change; chosen by the caller, because the seal is bound to it.
    pub generation: i64,
    /// Unix ms.
    pub updated_at: i64,
}

impl TryFrom<Row> for AppRow {
    type Error = Error;

    fn try_from(mut row: Row) -> Result<Self, Error> {
        Ok(Self {
            app: row.text(0)?,
            doc: row.text(1)?,
            sealed: row.opt_blob(2)?,
            generation: row.int(3)?,
            updated_at: row.int(4)?,
        })
    }
}

type Found = Option<Arc<AppRow>>;

/// The tables `manifests` and `apps`. Owner: apps.
#[derive(Clone)]
pub struct Apps {
    engine: Arc<dyn Engine>,
    cache: Arc<Cache<String, Found>>,
}

impl Apps {
    pub(super) fn new(engine: Arc<dyn Engine>, topic: &Topic) -> Self {
        let limits = Limits { entries: 4096, bytes: 16 << 20 };
        let weigh = |found: &Found| {
            128 + found.as_ref().map_or(0, |row| row.doc.len() + row.sealed.as_ref().map_or(0, Vec::len))
        };
        let cache = Arc::new(Cache::new("apps", limits, weigh, engine.sole_writer(), topic.clone()));
        Self { engine, cache }
    }

    /// Lists or replaces a manifest.
    pub async fn put_manifest(&self, app: &str, doc: &str, now: i64) -> Result<(), Error> {
        let sql = "INSERT INTO manifests (app, doc, updated_at) VALUES ($1, $2, $3)
            ON CONFLICT (app) DO UPDATE SET doc = excluded.doc, updated_at = excluded.updated_at";
        self.engine.write(Statement::new(sql, values![app, doc, now])).await?;
        Ok(())
    }

    /// The listed manifest of an App, as JSON text.
    pub async fn manifest(&self, app: &str) -> Result<Option<String>, Error> {
        let sql = "SELECT doc FROM manifests WHERE app = $1";
        let rows = self.engine.read(Statement::new(sql, values![app])).await?;
        rows.into_iter().next().map(|mut row| row.text(0)).transpose()
    }

    /// All listed manifests as (App, JSON text), in the order of their Apps.
    pub async fn manifests(&self) -> Result<Vec<(String, String)>, Error> {
        let rows = self
            .engine
            .read(Statement::new("SELECT app, doc FROM manifests ORDER BY app", values![]))
            .await?;
        rows.into_iter().map(|mut row| Ok((row.text(0)?, row.text(1)?))).collect()
    }

    /// Takes a manifest off the list; false when it was not on it.
    pub async fn delete_manifest(&self, app: &str) -> Result<bool, Error> {
        let sql = "DELETE FROM manifests WHERE app = $1";
        Ok(self.engine.write(Statement::new(sql, values![app])).await?.affected > 0)
    }

    /// Compare-and-swap: stores the row if the one there has the expected generation (None: there is none).
    /// False when it does not; then nothing changed.
    pub async fn put(&self, row: AppRow, expected_generation: Option<i64>) -> Result<bool, Error> {
        let key = row.app.clone();
        let statement = match expected_generation {
            None => Statement::new(
                "INSERT INTO apps (app, doc, sealed, generation, updated_at) VALUES ($1, $2, $3, $4, $5)
                    ON CONFLICT (app) DO NOTHING",
                values![row.app, row.doc, row.sealed, row.generation, row.updated_at],
            ),
            Some(expected) => Statement::new(
                "UPDATE apps SET doc = $2, sealed = $3, generation = $4, updated_at = $5
                    WHERE app = $1 AND generation = $6",
                values![row.app, row.doc, row.sealed, row.generation, row.updated_at, expected],
            ),
        };
        Ok(self.change(key, statement).await? > 0)
    }

    /// The installed App.
    pub async fn get(&self, app: &str) -> Result<Option<Arc<AppRow>>, Error> {
        let sql = "SELECT app, doc, sealed, generation, updated_at FROM apps WHERE app = $1";
        self.cache
            .get_or_read(app, async {
                Ok(self.engine.one(Statement::new(sql, values![app])).await?.map(Arc::new))
            })
            .await
    }

    /// All installed Apps in order.
    pub async fn list(&self) -> Result<Vec<AppRow>, Error> {
        let sql = "SELECT app, doc, sealed, generation, updated_at FROM apps ORDER BY app";
        self.engine.all(Statement::new(sql, values![])).await
    }

    /// Removes an installed App; false when there was none.
    pub async fn delete(&self, app: &str) -> Result<bool, Error> {
        let statement = Statement::new("DELETE FROM apps WHERE app = $1", values![app]);
        Ok(self.change(app.to_owned(), statement).await? > 0)
    }

    async fn change(&self, key: String, statement: Statement) -> Result<u64, Error> {
        let engine = Arc::clone(&self.engine);
        let write = async move { Ok(engine.write(statement).await?.affected) };
        self.cache.writing(write, move |cache| cache.invalidate(&key)).await
    }
}
