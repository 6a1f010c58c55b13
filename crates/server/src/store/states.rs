//! Browser flows that have begun, and completions parked while somebody signs in.

use std::sync::Arc;

use super::{Engine, Error, Row, Statement, values};

/// A flow that has begun and has not come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateRow {
    /// Hash of the state: the state itself is not stored.
    pub digest: [u8; 32],
    /// Who began it.
    pub user: String,
    /// With which App.
    pub app: String,
    /// Hash of the flow cookie; empty for a flow that is bound to a person alone (bearer callers).
    pub browser: Vec<u8>,
    /// The redirect URI that went to the provider.
    pub redirect: String,
    /// Unix ms.
    pub created_at: i64,
    /// Unix ms; from this moment on it is worth nothing.
    pub expires_at: i64,
    /// What a flow with a managed App keeps until it comes back, sealed.
    pub flow: Option<Vec<u8>>,
}

impl TryFrom<Row> for StateRow {
    type Error = Error;

    fn try_from(mut row: Row) -> Result<Self, Error> {
        Ok(Self {
            digest: row.array(0)?,
            user: row.text(1)?,
            app: row.text(2)?,
            browser: row.blob(3)?,
            redirect: row.text(4)?,
            created_at: row.int(5)?,
            expires_at: row.int(6)?,
            flow: row.opt_blob(7)?,
        })
    }
}

/// The tables `states` and `parked`. Owner: connect.
#[derive(Clone)]
pub struct States {
    engine: Arc<dyn Engine>,
}

impl States {
    pub(super) fn new(engine: Arc<dyn Engine>) -> Self {
        Self { engine }
    }

    /// Notes a flow. A digest that is there already is [`Error::Constraint`]: chance does not repeat itself.
    pub async fn insert(&self, row: StateRow) -> Result<(), Error> {
        let sql = "INSERT INTO states (digest, user_id, app, browser, redirect, created_at, expires_at, flow)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let StateRow { digest, user, app, browser, redirect, created_at, expires_at, flow } = row;
        let params = values![digest, user, app, browser, redirect, created_at, expires_at, flow];
        self.engine.write(Statement::new(sql, params)).await?;
        Ok(())
    }

    /// Spends a flow: of any number of callers, on any number of nodes, exactly one gets the row.
    ///
    /// None when there is no such flow, it was spent, it has expired, or user, App or browser is not the one
    /// that began it; then nothing is consumed (OS-03). A flow begun without a browser, by a person's own token,
    /// has an empty `browser` in its row and is bound to the person alone (OS-05).
    pub async fn redeem(
        &self,
        digest: &[u8; 32],
        user: &str,
        app: &str,
        browser: &[u8],
        now: i64,
    ) -> Result<Option<StateRow>, Error> {
        let sql = "DELETE FROM states
            WHERE digest = $1 AND user_id = $2 AND app = $3
              AND (browser = $4 OR length(browser) = 0) AND expires_at > $5
            RETURNING digest, user_id, app, browser, redirect, created_at, expires_at, flow";
        let written =
            self.engine.write(Statement::new(sql, values![digest, user, app, browser, now])).await?;
        written.rows.into_iter().next().map(StateRow::try_from).transpose()
    }

    /// Notes a flow unless its user has `most` with its App open at `created_at` already: false, and nothing else is
    /// touched. Where several processes write, flows begun in the same instant may be one over for each of them.
    pub async fn insert_within(&self, row: StateRow, most: i64) -> Result<bool, Error> {
        let sql = "INSERT INTO states (digest, user_id, app, browser, redirect, created_at, expires_at, flow)
            SELECT $1, $2, $3, $4, $5, $6, $7, $9
            WHERE (SELECT COUNT(*) FROM states WHERE user_id = $2 AND app = $3 AND expires_at > $6) < $8";
        let StateRow { digest, user, app, browser, redirect, created_at, expires_at, flow } = row;
        let params = values![digest, user, app, browser, redirect, created_at, expires_at, most, flow];
        Ok(self.engine.write(Statement::new(sql, params)).await?.affected > 0)
    }

    /// When, in Unix ms, so many of this user's open flows with this App will have expired that fewer than `most` are
    /// left; None when fewer are open now.
    pub async fn frees_at(&self, user: &str, app: &str, now: i64, most: i64) -> Result<Option<i64>, Error> {
        let sql = "SELECT expires_at FROM states WHERE user_id = $1 AND app = $2 AND expires_at > $3
            ORDER BY expires_at DESC LIMIT 1 OFFSET $4";
        let rows = self.engine.read(Statement::new(sql, values![user, app, now, most - 1])).await?;
        rows.into_iter().next().map(|mut row| row.int(0)).transpose()
    }

    /// Who began the open flow of this digest with this App.
    pub async fn owner(&self, digest: &[u8; 32], app: &str, now: i64) -> Result<Option<String>, Error> {
        let sql = "SELECT user_id FROM states WHERE digest = $1 AND app = $2 AND expires_at > $3";
        let rows = self.engine.read(Statement::new(sql, values![digest, app, now])).await?;
        rows.into_iter().next().map(|mut row| row.text(0)).transpose()
    }

    /// Takes a flow out that nobody will come back to.
    pub async fn forget(&self, digest: &[u8; 32]) -> Result<(), Error> {
        let sql = "DELETE FROM states WHERE digest = $1";
        self.engine.write(Statement::new(sql, values![digest])).await?;
        Ok(())
    }

    /// How many flows of this user with this App are still open.
    pub async fn count_pending(&self, user: &str, app: &str, now: i64) -> Result<i64, Error> {
        let sql = "SELECT COUNT(*) FROM states WHERE user_id = $1 AND app = $2 AND expires_at > $3";
        self.engine.number(Statement::new(sql, values![user, app, now])).await
    }

    /// Removes up to `limit` expired flows and up to `limit` expired parked completions; returns how many.
    pub async fn sweep(&self, now: i64, limit: i64) -> Result<u64, Error> {
        let states = "DELETE FROM states WHERE digest IN
            (SELECT digest FROM states WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
        let parked = "DELETE FROM parked WHERE digest IN
            (SELECT digest FROM parked WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
        let statements = [states, parked].map(|sql| Statement::new(sql, values![now, limit]));
        let written = self.engine.write_all(statements.into()).await?;
        Ok(written.iter().map(|one| one.affected).sum())
    }

    /// Keeps the sealed query of a completion. A digest that is there already is [`Error::Constraint`].
    pub async fn park(&self, digest: &[u8; 32], sealed: &[u8], expires_at: i64) -> Result<(), Error> {
        let sql = "INSERT INTO parked (digest, sealed, expires_at) VALUES ($1, $2, $3)";
        self.engine.write(Statement::new(sql, values![digest, sealed, expires_at])).await?;
        Ok(())
    }

    /// Takes a parked completion out, once; None when it is not there or has expired.
    pub async fn unpark(&self, digest: &[u8; 32], now: i64) -> Result<Option<Vec<u8>>, Error> {
        let sql = "DELETE FROM parked WHERE digest = $1 AND expires_at > $2 RETURNING sealed";
        let written = self.engine.write(Statement::new(sql, values![digest, now])).await?;
        written.rows.into_iter().next().map(|mut row| row.blob(0)).transpose()
    }
}
