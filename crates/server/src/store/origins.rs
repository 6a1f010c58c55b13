//! Where each App has sent browsers to connect.

use std::sync::Arc;

use super::{Engine, Error, Row, Statement, values};

/// An origin that an App has used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginRow {
    /// The App.
    pub app: String,
    /// Scheme, host and port, such as `https://accounts.example.com`.
    pub origin: String,
    /// Unix ms.
    pub first_seen: i64,
}

impl TryFrom<Row> for OriginRow {
    type Error = Error;

    fn try_from(mut row: Row) -> Result<Self, Error> {
        Ok(Self { app: row.text(0)?, origin: row.text(1)?, first_seen: row.int(2)? })
    }
}

/// The table `origins`. Owner: connect.
#[derive(Clone)]
pub struct Origins {
    engine: Arc<dyn Engine>,
}

impl Origins {
    pub(super) fn new(engine: Arc<dyn Engine>) -> Self {
        Self { engine }
    }

    /// Notes an origin; true for exactly one caller, when it is new for this App.
    pub async fn see(&self, app: &str, origin: &str, now: i64) -> Result<bool, Error> {
        let sql = "INSERT INTO origins (app, origin, first_seen) VALUES ($1, $2, $3)
            ON CONFLICT (app, origin) DO NOTHING";
        Ok(self.engine.write(Statement::new(sql, values![app, origin, now])).await?.affected > 0)
    }

    /// The origins of an App in order.
    pub async fn list(&self, app: &str) -> Result<Vec<OriginRow>, Error> {
        let sql = "SELECT app, origin, first_seen FROM origins WHERE app = $1 ORDER BY origin";
        self.engine.all(Statement::new(sql, values![app])).await
    }

    /// Forgets the origins of an App; returns how many there were.
    pub async fn forget_app(&self, app: &str) -> Result<u64, Error> {
        let sql = "DELETE FROM origins WHERE app = $1";
        Ok(self.engine.write(Statement::new(sql, values![app])).await?.affected)
    }
}
