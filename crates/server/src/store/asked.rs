//! Calls that wait for their person to agree that the App acts for them.

use std::sync::Arc;

use super::{Engine, Error, Statement, values};

/// The table `asked`. Owner: calls.
#[derive(Clone)]
pub struct Asked {
    engine: Arc<dyn Engine>,
}

impl Asked {
    pub(super) fn new(engine: Arc<dyn Engine>) -> Self {
        Self { engine }
    }

    /// Keeps what a person asked of an App, in place of what they asked of it before; whatever has expired goes.
    pub async fn keep(
        &self,
        person: &str,
        app: &str,
        digest: &[u8; 32],
        sealed: &[u8],
        now: i64,
        expires_at: i64,
    ) -> Result<(), Error> {
        let expired = Statement::new("DELETE FROM asked WHERE expires_at <= $1", values![now]);
        let sql = "INSERT INTO asked (person, app, digest, sealed, expires_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (person, app) DO UPDATE SET digest = excluded.digest, sealed = excluded.sealed,
            expires_at = excluded.expires_at";
        let kept = Statement::new(sql, values![person, app, digest, sealed, expires_at]);
        self.engine.write_all(vec![expired, kept]).await?;
        Ok(())
    }

    /// Takes out what this person asked of this App, once; None when it is not there, is not what the digest is of, or has
    /// expired.
    pub async fn take(
        &self,
        person: &str,
        app: &str,
        digest: &[u8; 32],
        now: i64,
    ) -> Result<Option<Vec<u8>>, Error> {
        let sql = "DELETE FROM asked WHERE person = $1 AND app = $2 AND digest = $3 AND expires_at > $4 RETURNING sealed";
        let written = self.engine.write(Statement::new(sql, values![person, app, digest, now])).await?;
        written.rows.into_iter().next().map(|mut row| row.blob(0)).transpose()
    }
}
