//! What must still happen, and what became of it.

use std::sync::Arc;

use super::{Engine, Error, Row, Statement, values};

/// A piece of work that must not be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Says what it is about, so that it is there once.
    pub id: String,
    /// 0 a grant to be ended at its provider, 1 a word to a person, 2 a new grant that waits for its owner's yes, 3 a
    /// person who may be typing a code at the provider.
    pub kind: i64,
    /// The App.
    pub app: String,
    /// The user or bot.
    pub user: String,
    /// What people are told of it: JSON, nothing secret.
    pub about: String,
    /// What is needed to do it, sealed; None once it has ended.
    pub sealed: Option<Vec<u8>>,
    /// When it is to be tried next, Unix ms; None once it has ended.
    pub due_at: Option<i64>,
    /// How often it was tried.
    pub attempts: i64,
    /// What became of it, or why it was not done yet.
    pub outcome: String,
    /// Unix ms.
    pub created_at: i64,
    /// Unix ms.
    pub ended_at: Option<i64>,
}

impl TryFrom<Row> for OutboxRow {
    type Error = Error;

    fn try_from(mut row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.text(0)?,
            kind: row.int(1)?,
            app: row.text(2)?,
            user: row.text(3)?,
            about: row.text(4)?,
            sealed: row.opt_blob(5)?,
            due_at: row.opt_int(6)?,
            attempts: row.int(7)?,
            outcome: row.text(8)?,
            created_at: row.int(9)?,
            ended_at: row.opt_int(10)?,
        })
    }
}

macro_rules! columns {
    () => {
        "id, kind, app, user_id, about, sealed, due_at, attempts, outcome, created_at, ended_at"
    };
}

/// Adds a row; with `only_if`, only where the connection it is about has this generation and kind by now.
pub(super) fn insert(row: OutboxRow, only_if: Option<(i64, i64)>) -> Statement {
    let OutboxRow { id, kind, app, user, about, sealed, due_at, created_at, outcome, .. } = row;
    let mut params = values![id, kind, app, user, about, sealed, due_at, created_at];
    let sql = match only_if {
        None => {
            params.push(outcome.into());
            "INSERT INTO outbox (id, kind, app, user_id, about, sealed, due_at, created_at, outcome)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING"
        }
        Some((generation, of_kind)) => {
            params.extend(values![generation, of_kind]);
            "INSERT INTO outbox (id, kind, app, user_id, about, sealed, due_at, created_at)
                SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE EXISTS (SELECT 1 FROM connections
                    WHERE app = $3 AND user_id = $4 AND generation = $9 AND kind = $10)
                ON CONFLICT (id) DO NOTHING"
        }
    };
    Statement::new(sql, params)
}

/// Removes a row whose work is done by the connection that has this generation and kind by now.
pub(super) fn spend(id: &str, (app, user): (&str, &str), (generation, kind): (i64, i64)) -> Statement {
    let sql = "DELETE FROM outbox WHERE id = $1 AND EXISTS (SELECT 1 FROM connections
        WHERE app = $2 AND user_id = $3 AND generation = $4 AND kind = $5)";
    Statement::new(sql, values![id, app, user, generation, kind])
}

/// The table `outbox`. Owner: grants.
#[derive(Clone)]
pub struct Outbox {
    engine: Arc<dyn Engine>,
}

impl Outbox {
    pub(super) fn new(engine: Arc<dyn Engine>) -> Self {
        Self { engine }
    }

    /// Adds a piece of work, unless one of its id is there.
    pub async fn add(&self, row: OutboxRow) -> Result<(), Error> {
        self.engine.write(insert(row, None)).await?;
        Ok(())
    }

    /// Takes up to `limit` pieces that are due at `now`, one by one: each is the caller's until `until`, and then
    /// anybody's again.
    pub async fn take_due(&self, now: i64, until: i64, limit: i64) -> Result<Vec<OutboxRow>, Error> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM outbox WHERE due_at IS NOT NULL AND due_at <= $1 ORDER BY due_at LIMIT $2"
        );
        let found: Vec<OutboxRow> = self.engine.all(Statement::new(sql, values![now, limit])).await?;
        let mut taken = Vec::with_capacity(found.len());
        for row in found {
            let sql = "UPDATE outbox SET due_at = $2, attempts = attempts + 1, outcome = ''
                WHERE id = $1 AND due_at = $3 AND attempts = $4";
            let params = values![row.id.as_str(), until, row.due_at, row.attempts];
            if self.engine.write(Statement::new(sql, params)).await?.affected > 0 {
                let (due_at, attempts, outcome) = (Some(until), row.attempts + 1, String::new());
                taken.push(OutboxRow { due_at, attempts, outcome, ..row });
            }
        }
        Ok(taken)
    }

    /// Where this process alone writes to the database, what is taken when it opens was taken by a process that ended: it
    /// is due now. What was put off has a reason beside it, and keeps its time. Gives how much there was.
    pub async fn take_over(&self, now: i64) -> Result<u64, Error> {
        if !self.engine.sole_writer() {
            return Ok(0);
        }
        let sql = "UPDATE outbox SET due_at = $1 WHERE due_at > $1 AND attempts > 0 AND outcome = ''";
        Ok(self.engine.write(Statement::new(sql, values![now])).await?.affected)
    }

    /// Ends a piece of work that the caller took: what was sealed goes. False when somebody else took it meanwhile.
    pub async fn end(&self, row: &OutboxRow, outcome: &str, now: i64) -> Result<bool, Error> {
        let sql = "UPDATE outbox SET due_at = NULL, sealed = NULL, outcome = $3, ended_at = $4
            WHERE id = $1 AND attempts = $2 AND due_at IS NOT NULL";
        let params = values![row.id.as_str(), row.attempts, outcome, now];
        Ok(self.engine.write(Statement::new(sql, params)).await?.affected > 0)
    }

    /// Puts off a piece of work that the caller took, and notes why.
    pub async fn retry(&self, row: &OutboxRow, why: &str, due_at: i64) -> Result<bool, Error> {
        self.put_off(row, &row.about, why, due_at).await
    }

    /// The same with another word on what it is about.
    pub async fn put_off(&self, row: &OutboxRow, about: &str, why: &str, due_at: i64) -> Result<bool, Error> {
        let sql = "UPDATE outbox SET due_at = $3, outcome = $4, about = $5
            WHERE id = $1 AND attempts = $2 AND due_at IS NOT NULL";
        let params = values![row.id.as_str(), row.attempts, due_at, why, about];
        Ok(self.engine.write(Statement::new(sql, params)).await?.affected > 0)
    }

    /// Takes a piece of work that nobody took before it is due: it is the caller's until `until`, and then anybody's. None
    /// when it is not there, is about somebody else, or is being done.
    pub async fn claim(
        &self,
        id: &str,
        (kind, app, user): (i64, &str, &str),
        now: i64,
        until: i64,
    ) -> Result<Option<OutboxRow>, Error> {
        let sql = concat!(
            "UPDATE outbox SET due_at = $6, attempts = 1
                WHERE id = $1 AND kind = $2 AND app = $3 AND user_id = $4 AND due_at > $5 AND attempts = 0 RETURNING ",
            columns!()
        );
        let written =
            self.engine.write(Statement::new(sql, values![id, kind, app, user, now, until])).await?;
        written.rows.into_iter().next().map(OutboxRow::try_from).transpose()
    }

    /// Makes a piece of work that nobody took due at once; false when it is not there, is about somebody else, or is
    /// being done.
    pub async fn hasten(
        &self,
        id: &str,
        (kind, app, user): (i64, &str, &str),
        now: i64,
    ) -> Result<bool, Error> {
        let sql = "UPDATE outbox SET due_at = $5
            WHERE id = $1 AND kind = $2 AND app = $3 AND user_id = $4 AND due_at > $5 AND attempts = 0";
        Ok(self.engine.write(Statement::new(sql, values![id, kind, app, user, now])).await?.affected > 0)
    }

    /// One of this kind and user, as it stands.
    pub async fn get(&self, id: &str, kind: i64, user: &str) -> Result<Option<OutboxRow>, Error> {
        let sql = concat!("SELECT ", columns!(), " FROM outbox WHERE id = $1 AND kind = $2 AND user_id = $3");
        self.engine.one(Statement::new(sql, values![id, kind, user])).await
    }

    /// A user's pieces of one kind since then, newest first, at most `limit`.
    pub async fn of_user(
        &self,
        user: &str,
        kind: i64,
        since: i64,
        limit: i64,
    ) -> Result<Vec<OutboxRow>, Error> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM outbox WHERE user_id = $1 AND kind = $2 AND created_at >= $3 ORDER BY created_at DESC LIMIT $4"
        );
        self.engine.all(Statement::new(sql, values![user, kind, since, limit])).await
    }

    /// When the next one is due.
    pub async fn next_due(&self) -> Result<Option<i64>, Error> {
        let sql = "SELECT MIN(due_at) FROM outbox WHERE due_at IS NOT NULL";
        let rows = self.engine.read(Statement::new(sql, Vec::new())).await?;
        rows.into_iter().next().map_or(Ok(None), |mut row| row.opt_int(0))
    }

    /// Removes up to `limit` that ended before then; gives how many.
    pub async fn sweep(&self, before: i64, limit: i64) -> Result<u64, Error> {
        let sql = "DELETE FROM outbox WHERE id IN
            (SELECT id FROM outbox WHERE ended_at IS NOT NULL AND ended_at < $1 ORDER BY ended_at LIMIT $2)";
        Ok(self.engine.write(Statement::new(sql, values![before, limit])).await?.affected)
    }
}
