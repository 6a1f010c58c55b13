//! The OAuth2 app record (client id, client secret, data) of each App.

use std::sync::Arc;

use super::cache::{Cache, Limits, Topic};
use super::{Engine, Error, Row, Statement, Written, values};

/// One App's OAuth2 app record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialRow {
    /// The App.
    pub app: String,
    /// Raised by each change; chosen by the caller, because the seal is bound to it.
    pub generation: i64,
    /// The record, sealed.
    pub sealed: Vec<u8>,
    /// Unix ms.
    pub updated_at: i64,
    /// User id of who changed it last.
    pub updated_by: String,
}

impl TryFrom<Row> for CredentialRow {
    type Error = Error;

    fn try_from(mut row: Row) -> Result<Self, Error> {
        Ok(Self {
            app: row.text(0)?,
            generation: row.int(1)?,
            sealed: row.blob(2)?,
            updated_at: row.int(3)?,
            updated_by: row.text(4)?,
        })
    }
}

type Found = Option<Arc<CredentialRow>>;

/// The table `credentials`. Owner: grants.
#[derive(Clone)]
pub struct Credentials {
    engine: Arc<dyn Engine>,
    cache: Arc<Cache<String, Found>>,
}

impl Credentials {
    pub(super) fn new(engine: Arc<dyn Engine>, topic: &Topic) -> Self {
        let limits = Limits { entries: 4096, bytes: 16 << 20 };
        let weigh = |found: &Found| 128 + found.as_ref().map_or(0, |row| row.sealed.len());
        let cache = Arc::new(Cache::new("credentials", limits, weigh, engine.sole_writer(), topic.clone()));
        Self { engine, cache }
    }

    /// The App's record.
    pub async fn get(&self, app: &str) -> Result<Option<Arc<CredentialRow>>, Error> {
        let sql = "SELECT app, generation, sealed, updated_at, updated_by FROM credentials WHERE app = $1";
        self.cache
            .get_or_read(app, async {
                Ok(self.engine.one(Statement::new(sql, values![app])).await?.map(Arc::new))
            })
            .await
    }

    /// Compare-and-swap: stores the row if the one there has the expected generation (None: there is none).
    /// False when it does not; then nothing changed.
    pub async fn put(&self, row: CredentialRow, expected_generation: Option<i64>) -> Result<bool, Error> {
        let key = row.app.clone();
        let statement = match expected_generation {
            None => Statement::new(
                "INSERT INTO credentials (app, generation, sealed, updated_at, updated_by)
                    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (app) DO NOTHING",
                values![row.app, row.generation, row.sealed, row.updated_at, row.updated_by],
            ),
            Some(expected) => Statement::new(
                "UPDATE credentials SET generation = $2, sealed = $3, updated_at = $4, updated_by = $5
                    WHERE app = $1 AND generation = $6",
                values![row.app, row.generation, row.sealed, row.updated_at, row.updated_by, expected],
            ),
        };
        Ok(self.change(key, statement).await?.affected > 0)
    }

    /// Removes the App's record; gives its generation, `None` when there was none.
    pub async fn delete(&self, app: &str) -> Result<Option<i64>, Error> {
        let sql = "DELETE FROM credentials WHERE app = $1 RETURNING generation";
        let written = self.change(app.to_owned(), Statement::new(sql, values![app])).await?;
        written.rows.into_iter().next().map(|mut row| row.int(0)).transpose()
    }

    async fn change(&self, key: String, statement: Statement) -> Result<Written, Error> {
        let engine = Arc::clone(&self.engine);
        let write = async move { engine.write(statement).await };
        self.cache.writing(write, move |cache| cache.invalidate(&key)).await
    }
}
