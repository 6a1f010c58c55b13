//! The provider record of each App whose connections are managed.

use std::sync::Arc;

use super::cache::{Cache, Limits, Topic};
use super::{Engine, Error, Row, Statement, Written, values};

/// An App's provider record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderRow {
    /// The App.
    pub app: String,
    /// Raised by each change; chosen by the caller.
    pub generation: i64,
    /// What an administrator said, and the endpoints as they were found then: JSON, nothing secret.
    pub document: String,
    /// Why the provider refuses the App's client; empty while it does not.
    pub fault: String,
    /// Since when, Unix ms.
    pub fault_at: i64,
    /// Whether the provider looks at proof keys, where that was tried: `checked` or `ignored`.
    pub pkce: String,
    /// Unix ms.
    pub updated_at: i64,
    /// User id of who changed it last.
    pub updated_by: String,
}

impl TryFrom<Row> for ProviderRow {
    type Error = Error;

    fn try_from(mut row: Row) -> Result<Self, Error> {
        Ok(Self {
            app: row.text(0)?,
            generation: row.int(1)?,
            document: row.text(2)?,
            fault: row.text(3)?,
            fault_at: row.int(4)?,
            pkce: row.text(5)?,
            updated_at: row.int(6)?,
            updated_by: row.text(7)?,
        })
    }
}

type Found = Option<Arc<ProviderRow>>;

/// The table `providers`. Owner: grants.
#[derive(Clone)]
pub struct Providers {
    engine: Arc<dyn Engine>,
    cache: Arc<Cache<String, Found>>,
}

impl Providers {
    pub(super) fn new(engine: Arc<dyn Engine>, topic: &Topic) -> Self {
        let limits = Limits { entries: 4096, bytes: 16 << 20 };
        let weigh = |found: &Found| 128 + found.as_ref().map_or(0, |row| row.document.len());
        let cache = Arc::new(Cache::new("providers", limits, weigh, engine.sole_writer(), topic.clone()));
        Self { engine, cache }
    }

    /// The App's record.
    pub async fn get(&self, app: &str) -> Result<Found, Error> {
        let sql =
            "SELECT app, generation, document, fault, fault_at, pkce, updated_at, updated_by FROM providers
            WHERE app = $1";
        self.cache
            .get_or_read(app, async {
                Ok(self.engine.one(Statement::new(sql, values![app])).await?.map(Arc::new))
            })
            .await
    }

    /// Compare-and-swap: stores the row, with nothing known of it yet, if the one there has the expected generation (None: there is
    /// none). False when it does not; then nothing changed.
    pub async fn put(&self, row: ProviderRow, expected: Option<i64>) -> Result<bool, Error> {
        let key = row.app.clone();
        let ProviderRow { app, generation, document, updated_at, updated_by, .. } = row;
        let mut params = values![app, generation, document, updated_at, updated_by];
        let sql = match expected {
            None => {
                "INSERT INTO providers (app, generation, document, updated_at, updated_by)
                    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (app) DO NOTHING"
            }
            Some(expected) => {
                params.push(expected.into());
                "UPDATE providers SET generation = $2, document = $3, updated_at = $4, updated_by = $5,
                    fault = '', fault_at = 0, pkce = '' WHERE app = $1 AND generation = $6"
            }
        };
        Ok(self.change(key, Statement::new(sql, params)).await?.affected > 0)
    }

    /// Notes that the provider refuses the App's client, or (empty) that it does not any more. False when that was known,
    /// or the record is another one: of many who find out, one is the first.
    pub async fn fault(&self, app: &str, generation: i64, fault: &str, now: i64) -> Result<bool, Error> {
        let sql = "UPDATE providers SET fault = $3, fault_at = $4
            WHERE app = $1 AND generation = $2 AND (fault = '') <> ($3 = '')";
        let statement = Statement::new(sql, values![app, generation, fault, now]);
        Ok(self.change(app.to_owned(), statement).await?.affected > 0)
    }

    /// Notes whether the provider looks at proof keys.
    pub async fn tried(&self, app: &str, generation: i64, pkce: &str) -> Result<bool, Error> {
        let sql = "UPDATE providers SET pkce = $3 WHERE app = $1 AND generation = $2";
        let statement = Statement::new(sql, values![app, generation, pkce]);
        Ok(self.change(app.to_owned(), statement).await?.affected > 0)
    }

    /// Removes the App's record; false when there was none.
    pub async fn delete(&self, app: &str) -> Result<bool, Error> {
        let statement = Statement::new("DELETE FROM providers WHERE app = $1", values![app]);
        Ok(self.change(app.to_owned(), statement).await?.affected > 0)
    }

    /// The Apps that have one, in their order.
    pub async fn apps(&self) -> Result<Vec<String>, Error> {
        let rows =
            self.engine.read(Statement::new("SELECT app FROM providers ORDER BY app", Vec::new())).await?;
        rows.into_iter().map(|mut row| row.text(0)).collect()
    }

    async fn change(&self, key: String, statement: Statement) -> Result<Written, Error> {
        let engine = Arc::clone(&self.engine);
        let write = async move { engine.write(statement).await };
        self.cache.writing(write, move |cache| cache.invalidate(&key)).await
    }
}
