//! What a managed connection has besides its record: the refresh token, and how its refresh stands.
//!
//! Every transition is one statement that names the state it starts from, so that of any number of processes one makes
//! it. `docs/adr/0009-refresh.md` draws the states.

use super::connections::columns;
use super::outbox::{insert, spend};
use super::{ConnectionRow, Connections, Error, OutboxRow, Row, Statement, Value, values};

/// What a managed connection has besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagedRow {
    /// What the App never sees, sealed: the refresh token above all.
    pub held: Vec<u8>,
    /// When the access token ends, Unix ms; None when it does not, or nobody knows.
    pub expires_at: Option<i64>,
    /// When the access token was asked for, Unix ms.
    pub issued_at: i64,
    /// When the service looks at it next by itself, Unix ms.
    pub due_at: Option<i64>,
    /// 0 connected, 1 only a new consent helps, 2 the person must do something at the provider.
    pub status: i64,
    /// The last refusal's code; empty when the last refresh went well.
    pub code: String,
    /// 0 at rest, 1 a request may be under way, 2 it is not known what became of one.
    pub phase: i64,
    /// Numbers requests: each claim raises it.
    pub fence: i64,
    /// The request whose reply is stored.
    pub answered: i64,
    /// Until when the request may take, Unix ms.
    pub lease_until: i64,
    /// Failures in a row.
    pub attempts: i64,
    /// Fingerprint of the client and the endpoints it was made with.
    pub client: String,
    /// Account, scopes, provider: JSON, nothing secret.
    pub about: String,
}

/// What becomes of a grant whose request brought no token.
#[derive(Debug, Clone)]
pub struct Settled {
    /// As in [`ManagedRow`].
    pub status: i64,
    /// As in [`ManagedRow`].
    pub code: String,
    /// As in [`ManagedRow`].
    pub phase: i64,
    /// As in [`ManagedRow`].
    pub attempts: i64,
    /// As in [`ManagedRow`].
    pub due_at: Option<i64>,
}

/// One that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueRow {
    /// The App.
    pub app: String,
    /// The user or bot.
    pub user: String,
    /// When it was due, Unix ms.
    pub due_at: i64,
}

impl TryFrom<Row> for DueRow {
    type Error = Error;

    fn try_from(mut row: Row) -> Result<Self, Error> {
        Ok(Self { app: row.text(0)?, user: row.text(1)?, due_at: row.int(2)? })
    }
}

impl ManagedRow {
    /// From the eighth column on; None where the connection is not managed.
    pub(super) fn read(row: &mut Row) -> Result<Option<Self>, Error> {
        let Some(held) = row.opt_blob(7)? else { return Ok(None) };
        Ok(Some(Self {
            held,
            expires_at: row.opt_int(8)?,
            issued_at: row.int(9)?,
            due_at: row.opt_int(10)?,
            status: row.int(11)?,
            code: row.text(12)?,
            phase: row.int(13)?,
            fence: row.int(14)?,
            answered: row.int(15)?,
            lease_until: row.int(16)?,
            attempts: row.int(17)?,
            client: row.text(18)?,
            about: row.text(19)?,
        }))
    }

    /// In the order of the columns; of a connection that is not managed, their defaults.
    pub(super) fn params(row: Option<Self>) -> Vec<Value> {
        match row {
            None => {
                let none = None::<i64>;
                let mut params = vec![Value::Null];
                params.extend(values![none, 0, none, 0, "", 0, 0, 0, 0, 0, "", ""]);
                params
            }
            Some(row) => values![
                row.held,
                row.expires_at,
                row.issued_at,
                row.due_at,
                row.status,
                row.code,
                row.phase,
                row.fence,
                row.answered,
                row.lease_until,
                row.attempts,
                row.client,
                row.about
            ],
        }
    }

    /// What it weighs in a cache, in bytes.
    pub(super) fn weight(&self) -> usize {
        256 + self.held.len() + self.about.len()
    }
}

impl Connections {
    /// Claims the next request for a grant: its number is `fence` + 1, and nobody else has it. False unless the grant is
    /// the one that was read (generation and fence), is alive, and no other request may be under way at `now`.
    /// Nothing that readers are told changes, so no cache forgets anything.
    pub async fn claim(
        &self,
        (app, user): (&str, &str),
        generation: i64,
        fence: i64,
        now: i64,
        lease_until: i64,
    ) -> Result<bool, Error> {
        // Should the reply never come, the grant is looked at again when the lease ends.
        let sql = "UPDATE connections SET phase = 1, fence = fence + 1, lease_until = $6, due_at = $6
            WHERE app = $1 AND user_id = $2 AND kind = 1 AND generation = $3 AND fence = $4 AND status <> 1
              AND (phase <> 1 OR lease_until <= $5)";
        let statement = Statement::new(sql, values![app, user, generation, fence, now, lease_until]);
        Ok(self.engine.write(statement).await?.affected > 0)
    }

    /// Stores what request `fence` brought, in place of the generation that was read. False when another generation is
    /// there, or the reply of a later request, or none at all: then nothing changed. `over_later` is a test's, to see that
    /// it notices.
    pub async fn answer(
        &self,
        row: ConnectionRow,
        expected: i64,
        fence: i64,
        over_later: bool,
    ) -> Result<bool, Error> {
        let key = (row.app.clone(), row.user.clone());
        let Some(managed) = row.managed else {
            return Err(Error::Shape("the reply of a connection that is not managed".into()));
        };
        // The fence of a later request that is still under way stays: its reply comes after this one.
        let sql = "UPDATE connections SET generation = $3, sealed = $4, updated_at = $5, held = $6, expires_at = $7,
                issued_at = $8, due_at = $9, status = $13, code = '', attempts = 0, about = $10, answered = $11,
                phase = CASE WHEN fence = $11 THEN 0 ELSE phase END,
                lease_until = CASE WHEN fence = $11 THEN 0 ELSE lease_until END
            WHERE app = $1 AND user_id = $2 AND kind = 1 AND generation = $12 AND answered < $14
              AND code <> 'client_changed'";
        let params = values![
            row.app,
            row.user,
            row.generation,
            row.sealed,
            row.updated_at,
            managed.held,
            managed.expires_at,
            managed.issued_at,
            managed.due_at,
            managed.about,
            fence,
            expected,
            managed.status,
            if over_later { i64::MAX } else { fence }
        ];
        Ok(self.change(Statement::new(sql, params), Some(key)).await?.affected > 0)
    }

    /// Notes that request `fence` for this generation brought no token, and what must be told of it, in one
    /// transaction. False when the request is not the last one any more, or another reply was stored.
    pub async fn settle(
        &self,
        (app, user): (&str, &str),
        generation: i64,
        fence: i64,
        settled: Settled,
        tell: Option<OutboxRow>,
    ) -> Result<bool, Error> {
        let sql = "UPDATE connections SET status = $5, code = $6, phase = $7, attempts = $8, due_at = $9,
                lease_until = 0
            WHERE app = $1 AND user_id = $2 AND kind = 1 AND generation = $3 AND fence = $4 AND phase = 1";
        let Settled { status, code, phase, attempts, due_at } = settled;
        let params = values![app, user, generation, fence, status, code, phase, attempts, due_at];
        let mut statements = vec![Statement::new(sql, params)];
        if let Some(row) = tell {
            // The row's id says which request it is about: it is there once, whoever says so twice.
            let sql = "INSERT INTO outbox (id, kind, app, user_id, about, sealed, due_at, created_at)
                SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE EXISTS (SELECT 1 FROM connections
                    WHERE app = $3 AND user_id = $4 AND generation = $9 AND fence = $10 AND status = $11 AND phase <> 1)
                ON CONFLICT (id) DO NOTHING";
            let OutboxRow { id, kind, app, user, about, sealed, due_at, created_at, .. } = row;
            let params =
                values![id, kind, app, user, about, sealed, due_at, created_at, generation, fence, status];
            statements.push(Statement::new(sql, params));
        }
        let key = Some((app.to_owned(), user.to_owned()));
        Ok(self.change_all(statements, key).await?.first().is_some_and(|first| first.affected > 0))
    }

    /// Begins the removal of a managed connection together with what must follow at its provider: the row is marked as
    /// leaving and the outbox has the rest, or neither. False when another generation is there.
    pub async fn leave(
        &self,
        (app, user): (&str, &str),
        generation: i64,
        leaving: i64,
        then: OutboxRow,
    ) -> Result<bool, Error> {
        let mark = "UPDATE connections SET kind = $4, due_at = NULL
            WHERE app = $1 AND user_id = $2 AND generation = $3 AND kind = 1";
        let statements = vec![
            Statement::new(mark, values![app, user, generation, leaving]),
            // Where the row was another one, the id is new and nobody else's.
            insert(then, Some((generation, leaving))),
        ];
        let key = Some((app.to_owned(), user.to_owned()));
        Ok(self.change_all(statements, key).await?.first().is_some_and(|first| first.affected > 0))
    }

    /// Puts a connection in place of another, as [`Connections::put`] does, together with what must follow at the
    /// provider of the one replaced. `spent` is the piece of work that held the new grant until now, and goes with it.
    pub async fn put_then(
        &self,
        row: ConnectionRow,
        expected_generation: Option<i64>,
        then: Vec<OutboxRow>,
        spent: Option<&str>,
    ) -> Result<bool, Error> {
        let only_if = (row.generation, row.kind);
        let mut after: Vec<_> = then.into_iter().map(|then| insert(then, Some(only_if))).collect();
        after.extend(spent.map(|id| spend(id, (&row.app, &row.user), only_if)));
        self.put_and(row, expected_generation, after).await
    }

    /// Grants of an App that were made with another client or other endpoints than these need a new consent; each person
    /// is told `word`, once. Gives how many there were.
    pub async fn orphan(
        &self,
        app: &str,
        client: &str,
        code: &str,
        (word, now): (&str, i64),
    ) -> Result<u64, Error> {
        // Numbered as a refused refresh numbers it: whoever was told of that one already hears it once.
        let tell = "INSERT INTO outbox (id, kind, app, user_id, about, due_at, created_at)
            SELECT 'ended:' || app || ':' || user_id || ':' || generation || ':' || fence, 1, app, user_id, $3, $4, $4
            FROM connections WHERE app = $1 AND kind = 1 AND client <> $2 AND status <> 1
            ON CONFLICT (id) DO NOTHING";
        let mark = "UPDATE connections SET status = 1, code = $3, due_at = NULL
            WHERE app = $1 AND kind = 1 AND client <> $2 AND code <> $3";
        let statements = vec![
            Statement::new(tell, values![app, client, word, now]),
            Statement::new(mark, values![app, client, code]),
        ];
        Ok(self.change_all(statements, None).await?.get(1).map_or(0, |marked| marked.affected))
    }

    /// Up to `limit` of those that are due at `now`, longest due first.
    pub async fn due(&self, now: i64, limit: i64) -> Result<Vec<DueRow>, Error> {
        let sql = "SELECT app, user_id, due_at FROM connections
            WHERE due_at IS NOT NULL AND due_at <= $1 ORDER BY due_at LIMIT $2";
        self.engine.all(Statement::new(sql, values![now, limit])).await
    }

    /// When the next one is due.
    pub async fn next_due(&self) -> Result<Option<i64>, Error> {
        let sql = "SELECT MIN(due_at) FROM connections WHERE due_at IS NOT NULL";
        let rows = self.engine.read(Statement::new(sql, Vec::new())).await?;
        rows.into_iter().next().map_or(Ok(None), |mut row| row.opt_int(0))
    }

    /// Grants that a refused client held up are looked at now.
    pub async fn wake(&self, app: &str, now: i64) -> Result<u64, Error> {
        let sql = "UPDATE connections SET due_at = $2
            WHERE app = $1 AND kind = 1 AND status <> 1 AND due_at IS NULL AND attempts > 0";
        Ok(self.engine.write(Statement::new(sql, values![app, now])).await?.affected)
    }

    /// Where this process alone writes to the database, every request that may be under way when it opens is one of a
    /// process that ended: nobody waits for its lease. Gives how many there were.
    pub async fn take_over(&self, now: i64) -> Result<u64, Error> {
        if !self.engine.sole_writer() {
            return Ok(0);
        }
        let sql = "UPDATE connections SET lease_until = 0, due_at = $1 WHERE kind = 1 AND phase = 1";
        Ok(self.change(Statement::new(sql, values![now]), None).await?.affected)
    }

    /// Looks at one later, unless it was changed since it was read. Nothing that readers are told changes.
    pub async fn postpone(
        &self,
        (app, user): (&str, &str),
        seen: i64,
        due_at: Option<i64>,
    ) -> Result<bool, Error> {
        let sql =
            "UPDATE connections SET due_at = $4 WHERE app = $1 AND user_id = $2 AND kind = 1 AND due_at = $3";
        let statement = Statement::new(sql, values![app, user, seen, due_at]);
        Ok(self.engine.write(statement).await?.affected > 0)
    }

    /// Managed connections of an App after this user, at most `limit`.
    pub async fn managed_of(&self, app: &str, after: &str, limit: i64) -> Result<Vec<ConnectionRow>, Error> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM connections WHERE app = $1 AND kind = 1 AND user_id > $2 ORDER BY user_id LIMIT $3"
        );
        self.engine.all(Statement::new(sql, values![app, after, limit])).await
    }
}
