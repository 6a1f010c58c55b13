//! Who is signed in, in which browser, on a host name of the service's own beside a Mattermost.

use std::sync::Arc;

use super::{Engine, Error, Row, Statement, values};

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserSessionRow {
    /// Hash of what its cookie has: that itself is not stored.
    pub digest: [u8; 32],
    /// Whose, by their id at Mattermost.
    pub user: String,
    /// Unix ms; from this moment on it is worth nothing.
    pub expires_at: i64,
}

impl TryFrom<Row> for BrowserSessionRow {
    type Error = Error;

    fn try_from(mut row: Row) -> Result<Self, Error> {
        Ok(Self { digest: row.array(0)?, user: row.text(1)?, expires_at: row.int(2)? })
    }
}

/// The table `browser_sessions`. Owner: platform.
#[derive(Clone)]
pub struct BrowserSessions {
    engine: Arc<dyn Engine>,
}

impl BrowserSessions {
    pub(super) fn new(engine: Arc<dyn Engine>) -> Self {
        Self { engine }
    }

    /// Keeps a new one.
    pub async fn add(&self, row: BrowserSessionRow) -> Result<(), Error> {
        let sql = "INSERT INTO browser_sessions (digest, user_id, expires_at) VALUES ($1, $2, $3)";
        let BrowserSessionRow { digest, user, expires_at } = row;
        self.engine.write(Statement::new(sql, values![digest, user, expires_at])).await?;
        Ok(())
    }

    /// The one of this hash, unless it has ended by `now`.
    pub async fn find(&self, digest: &[u8; 32], now: i64) -> Result<Option<BrowserSessionRow>, Error> {
        let sql =
            "SELECT digest, user_id, expires_at FROM browser_sessions WHERE digest = $1 AND expires_at > $2";
        self.engine.one(Statement::new(sql, values![digest, now])).await
    }

    /// Ends the one of this hash; false when it was not there.
    pub async fn delete(&self, digest: &[u8; 32]) -> Result<bool, Error> {
        let sql = "DELETE FROM browser_sessions WHERE digest = $1";
        Ok(self.engine.write(Statement::new(sql, values![digest])).await?.affected > 0)
    }

    /// Ends all of one person.
    pub async fn delete_user(&self, user: &str) -> Result<u64, Error> {
        let sql = "DELETE FROM browser_sessions WHERE user_id = $1";
        Ok(self.engine.write(Statement::new(sql, values![user])).await?.affected)
    }

    /// Removes those that ended by `now`; gives how many.
    pub async fn sweep(&self, now: i64) -> Result<u64, Error> {
        let sql = "DELETE FROM browser_sessions WHERE expires_at <= $1";
        Ok(self.engine.write(Statement::new(sql, values![now])).await?.affected)
    }
}
