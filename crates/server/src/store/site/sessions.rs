//! Signed-in people.

use std::sync::Arc;

use crate::store::app_tokens::TokenDigest;
use crate::store::cache::{Cache, Limits, Topic};
use crate::store::{Engine, Error, Row, Statement, values};

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Hash of its token: the token itself is not stored.
    pub digest: [u8; 32],
    /// Its id: no secret.
    pub id: String,
    /// Whose.
    pub user: String,
    /// What a cookie's request must repeat.
    pub csrf: String,
    /// Unix ms.
    pub created_at: i64,
    /// Unix ms; from this moment on it is worth nothing.
    pub expires_at: i64,
}

impl TryFrom<Row> for SessionRow {
    type Error = Error;

    fn try_from(mut row: Row) -> Result<Self, Error> {
        Ok(Self {
            digest: row.array(0)?,
            id: row.text(1)?,
            user: row.text(2)?,
            csrf: row.text(3)?,
            created_at: row.int(4)?,
            expires_at: row.int(5)?,
        })
    }
}

/// The table `site_sessions`.
#[derive(Clone)]
pub struct Sessions {
    engine: Arc<dyn Engine>,
    cache: Arc<Cache<TokenDigest, Arc<SessionRow>>>,
}

impl Sessions {
    pub(super) fn new(engine: Arc<dyn Engine>, topic: &Topic) -> Self {
        let limits = Limits { entries: 100_000, bytes: 32 << 20 };
        let on = engine.sole_writer();
        let cache = Arc::new(Cache::new("site_sessions", limits, |_| 320, on, topic.clone()));
        Self { engine, cache }
    }

    /// Keeps a new session.
    pub async fn add(&self, row: SessionRow) -> Result<(), Error> {
        let sql = "INSERT INTO site_sessions (digest, id, user_id, csrf, created_at, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6)";
        let params = values![row.digest, row.id, row.user, row.csrf, row.created_at, row.expires_at];
        self.engine.write(Statement::new(sql, params)).await?;
        Ok(())
    }

    /// The session of this hash, if it is in memory: asks no database.
    pub fn cached(&self, digest: &[u8; 32]) -> Option<Arc<SessionRow>> {
        self.cache.get(&TokenDigest(*digest))
    }

    /// The session of this hash, expired or not. What is not there is not remembered.
    pub async fn find(&self, digest: &[u8; 32]) -> Result<Option<Arc<SessionRow>>, Error> {
        let key = TokenDigest(*digest);
        if let Some(row) = self.cache.get(&key) {
            return Ok(Some(row));
        }
        let ticket = self.cache.ticket(&key);
        let sql =
            "SELECT digest, id, user_id, csrf, created_at, expires_at FROM site_sessions WHERE digest = $1";
        let Some(row) = self.engine.one::<SessionRow>(Statement::new(sql, values![digest])).await? else {
            return Ok(None);
        };
        let row = Arc::new(row);
        self.cache.insert(ticket, key, Arc::clone(&row));
        Ok(Some(row))
    }

    /// Ends one session; false when it was not there.
    pub async fn delete(&self, digest: &[u8; 32]) -> Result<bool, Error> {
        let sql = "DELETE FROM site_sessions WHERE digest = $1";
        let key = TokenDigest(*digest);
        Ok(self.change(Statement::new(sql, values![digest]), move |cache| cache.invalidate(&key)).await? > 0)
    }

    /// Ends every session of a person; returns how many there were.
    pub async fn delete_user(&self, user: &str) -> Result<u64, Error> {
        let sql = "DELETE FROM site_sessions WHERE user_id = $1";
        self.change(Statement::new(sql, values![user]), Cache::clear).await
    }

    /// Removes up to `limit` expired sessions; returns how many.
    pub async fn sweep(&self, now: i64, limit: i64) -> Result<u64, Error> {
        let sql = "DELETE FROM site_sessions WHERE digest IN
            (SELECT digest FROM site_sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
        // What is cached of them has expired, and is never taken for valid.
        Ok(self.engine.write(Statement::new(sql, values![now, limit])).await?.affected)
    }

    async fn change<F>(&self, statement: Statement, forget: F) -> Result<u64, Error>
    where
        F: FnOnce(&Cache<TokenDigest, Arc<SessionRow>>) + Send + 'static,
    {
        let engine = Arc::clone(&self.engine);
        let write = async move { Ok(engine.write(statement).await?.affected) };
        self.cache.writing(write, forget).await
    }
}
