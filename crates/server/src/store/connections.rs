//! Connections: one user's (or bot's) OAuth2 record with one App.

use std::sync::Arc;

use super::cache::{Cache, Limits, Pair, Topic};
use super::managed::ManagedRow;
use super::{Engine, Error, Row, Statement, Value, Written, values};

/// Every column of a connection, in the order in which a row is read.
macro_rules! columns {
    () => {
        "app, user_id, kind, generation, sealed, created_at, updated_at, held, expires_at, issued_at, due_at, \
         status, code, phase, fence, answered, lease_until, attempts, client, about"
    };
}
pub(super) use columns;

/// A connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionRow {
    /// The App.
    pub app: String,
    /// The user or bot.
    pub user: String,
    /// 0 app-managed, 1 managed, 2 app-managed and reset by the App, 3 being removed.
    pub kind: i64,
    /// Raised by each change; chosen by the caller, because the seal is bound to it.
    pub generation: i64,
    /// What the App is given, sealed.
    pub sealed: Vec<u8>,
    /// Unix ms; kept by later changes, but for the one that ends a reset.
    pub created_at: i64,
    /// Unix ms.
    pub updated_at: i64,
    /// What a managed one has besides.
    pub managed: Option<Box<ManagedRow>>,
}

impl TryFrom<Row> for ConnectionRow {
    type Error = Error;

    fn try_from(mut row: Row) -> Result<Self, Error> {
        Ok(Self {
            app: row.text(0)?,
            user: row.text(1)?,
            kind: row.int(2)?,
            generation: row.int(3)?,
            sealed: row.blob(4)?,
            created_at: row.int(5)?,
            updated_at: row.int(6)?,
            managed: ManagedRow::read(&mut row)?.map(Box::new),
        })
    }
}

impl ConnectionRow {
    fn weight(&self) -> usize {
        self.sealed.len() + self.managed.as_ref().map_or(0, |managed| managed.weight())
    }

    /// Its parameters, in the order of the columns.
    fn params(self) -> Vec<Value> {
        let Self { app, user, kind, generation, sealed, created_at, updated_at, managed } = self;
        let mut params = values![app, user, kind, generation, sealed, created_at, updated_at];
        params.extend(ManagedRow::params(managed.map(|row| *row)));
        params
    }
}

/// The last use of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UseRow {
    /// The App.
    pub app: String,
    /// The user or bot.
    pub user: String,
    /// Unix ms.
    pub used_at: i64,
    /// What used it, in the caller's words.
    pub used_by: String,
}

impl TryFrom<Row> for UseRow {
    type Error = Error;

    fn try_from(mut row: Row) -> Result<Self, Error> {
        Ok(Self { app: row.text(0)?, user: row.text(1)?, used_at: row.int(2)?, used_by: row.text(3)? })
    }
}

type Found = Option<Arc<ConnectionRow>>;

/// The tables `connections` and `connection_uses`. Owner: grants.
#[derive(Clone)]
pub struct Connections {
    pub(super) engine: Arc<dyn Engine>,
    cache: Arc<Cache<(String, String), Found>>,
}

impl Connections {
    pub(super) fn new(engine: Arc<dyn Engine>, topic: &Topic) -> Self {
        let limits = Limits { entries: 100_000, bytes: 64 << 20 };
        let weigh = |found: &Found| 256 + found.as_ref().map_or(0, |row| row.weight());
        let cache = Arc::new(Cache::new("connections", limits, weigh, engine.sole_writer(), topic.clone()));
        Self { engine, cache }
    }

    /// The connection of this user with this App.
    pub async fn get(&self, app: &str, user: &str) -> Result<Option<Arc<ConnectionRow>>, Error> {
        self.cache
            .get_or_read(&Pair(app, user), async { Ok(self.read(app, user).await?.map(Arc::new)) })
            .await
    }

    /// Shows readers of this process what the database does not have: for a test that must notice it.
    pub async fn show(&self, row: ConnectionRow) {
        let key = (row.app.clone(), row.user.clone());
        self.cache.invalidate(&key);
        let shown = self.cache.get_or_read(&key, async { Ok::<_, Error>(Some(Arc::new(row))) });
        let _ = shown.await;
    }

    /// The same past the cache: also what changes without a new generation is as it is now.
    pub async fn read(&self, app: &str, user: &str) -> Result<Option<ConnectionRow>, Error> {
        let sql = concat!("SELECT ", columns!(), " FROM connections WHERE app = $1 AND user_id = $2");
        self.engine.one(Statement::new(sql, values![app, user])).await
    }

    /// Compare-and-swap: stores the row if the one there has the expected generation (None: there is none).
    /// False when it does not; then nothing changed. A replaced row keeps its `created_at`, unless it was reset: then
    /// a new connection begins.
    pub async fn put(&self, row: ConnectionRow, expected_generation: Option<i64>) -> Result<bool, Error> {
        self.put_and(row, expected_generation, Vec::new()).await
    }

    /// The same together with statements that follow in the same transaction.
    pub(super) async fn put_and(
        &self,
        row: ConnectionRow,
        expected_generation: Option<i64>,
        mut also: Vec<Statement>,
    ) -> Result<bool, Error> {
        let key = (row.app.clone(), row.user.clone());
        let mut params = row.params();
        let sql = match expected_generation {
            None => concat!(
                "INSERT INTO connections (",
                columns!(),
                ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
                    ON CONFLICT (app, user_id) DO NOTHING"
            ),
            Some(expected) => {
                params.push(expected.into());
                "UPDATE connections SET kind = $3, generation = $4, sealed = $5, updated_at = $7, held = $8,
                    expires_at = $9, issued_at = $10, due_at = $11, status = $12, code = $13, phase = $14,
                    fence = $15, answered = $16, lease_until = $17, attempts = $18, client = $19, about = $20,
                    created_at = CASE WHEN kind = 2 THEN $6 ELSE created_at END
                    WHERE app = $1 AND user_id = $2 AND generation = $21"
            }
        };
        also.insert(0, Statement::new(sql, params));
        Ok(self.change_all(also, Some(key)).await?.first().is_some_and(|first| first.affected > 0))
    }

    /// Changes the kind alone if the row there has this generation; false when it has not.
    pub async fn mark(&self, app: &str, user: &str, generation: i64, kind: i64) -> Result<bool, Error> {
        let sql = "UPDATE connections SET kind = $4 WHERE app = $1 AND user_id = $2 AND generation = $3";
        let key = (app.to_owned(), user.to_owned());
        let statement = Statement::new(sql, values![app, user, generation, kind]);
        Ok(self.change(statement, Some(key)).await?.affected > 0)
    }

    /// Removes a connection and what is known of its use; gives its generation, `None` when there was none.
    pub async fn delete(&self, app: &str, user: &str) -> Result<Option<i64>, Error> {
        let sql = "DELETE FROM connections WHERE app = $1 AND user_id = $2 RETURNING generation";
        let key = (app.to_owned(), user.to_owned());
        let written = self.change(Statement::new(sql, values![app, user]), Some(key)).await?;
        written.rows.into_iter().next().map(|mut row| row.int(0)).transpose()
    }

    /// Removes all connections of an App; returns their users and generations.
    pub async fn delete_app(&self, app: &str) -> Result<Vec<(String, i64)>, Error> {
        let sql = "DELETE FROM connections WHERE app = $1 RETURNING user_id, generation";
        let written = self.change(Statement::new(sql, values![app]), None).await?;
        written.rows.into_iter().map(|mut row| Ok((row.text(0)?, row.int(1)?))).collect()
    }

    /// All connections of a user in the order of their Apps.
    pub async fn list_user(&self, user: &str) -> Result<Vec<ConnectionRow>, Error> {
        let sql = concat!("SELECT ", columns!(), " FROM connections WHERE user_id = $1 ORDER BY app");
        self.engine.all(Statement::new(sql, values![user])).await
    }

    /// Connections of an App in the order of user ids, after user `cursor` (empty: from the start), at most
    /// `limit`.
    pub async fn list_app(&self, app: &str, cursor: &str, limit: i64) -> Result<Vec<ConnectionRow>, Error> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM connections WHERE app = $1 AND user_id > $2 ORDER BY user_id LIMIT $3"
        );
        self.engine.all(Statement::new(sql, values![app, cursor, limit])).await
    }

    /// How many connections there are.
    pub async fn count(&self) -> Result<i64, Error> {
        self.engine.number(Statement::new("SELECT COUNT(*) FROM connections", values![])).await
    }

    /// How many connections an App has.
    pub async fn count_app(&self, app: &str) -> Result<i64, Error> {
        self.engine
            .number(Statement::new("SELECT COUNT(*) FROM connections WHERE app = $1", values![app]))
            .await
    }

    /// Notes a use. An older use than the one known, or of a connection that is gone, changes nothing.
    pub async fn touch(&self, app: &str, user: &str, used_at: i64, used_by: &str) -> Result<(), Error> {
        let uses = vec![UseRow { app: app.into(), user: user.into(), used_at, used_by: used_by.into() }];
        self.touch_all(uses).await
    }

    /// Notes many uses at once, in one transaction.
    pub async fn touch_all(&self, mut uses: Vec<UseRow>) -> Result<(), Error> {
        let sql = "INSERT INTO connection_uses (app, user_id, used_at, used_by)
            SELECT app, user_id, CAST($3 AS BIGINT), CAST($4 AS TEXT) FROM connections
            WHERE app = $1 AND user_id = $2
            ON CONFLICT (app, user_id) DO UPDATE SET used_at = excluded.used_at, used_by = excluded.used_by
            WHERE excluded.used_at > connection_uses.used_at";
        // Always in the same order, so that two of these can never wait for each other.
        uses.sort_by(|a, b| (&a.app, &a.user).cmp(&(&b.app, &b.user)));
        let statement =
            |row: UseRow| Statement::new(sql, values![row.app, row.user, row.used_at, row.used_by]);
        self.engine.write_all(uses.into_iter().map(statement).collect()).await?;
        Ok(())
    }

    /// The last uses of a user's connections in the order of their Apps; those never used are not in it.
    pub async fn uses_of(&self, user: &str) -> Result<Vec<UseRow>, Error> {
        let sql =
            "SELECT app, user_id, used_at, used_by FROM connection_uses WHERE user_id = $1 ORDER BY app";
        self.engine.all(Statement::new(sql, values![user])).await
    }

    /// The last uses of an App's connections of users after `cursor` up to `last`, in the order of user ids.
    pub async fn uses_of_app(&self, app: &str, cursor: &str, last: &str) -> Result<Vec<UseRow>, Error> {
        let sql = "SELECT app, user_id, used_at, used_by FROM connection_uses
            WHERE app = $1 AND user_id > $2 AND user_id <= $3 ORDER BY user_id";
        self.engine.all(Statement::new(sql, values![app, cursor, last])).await
    }

    /// `key` is the one that changes, None when there are many.
    pub(super) async fn change(
        &self,
        statement: Statement,
        key: Option<(String, String)>,
    ) -> Result<Written, Error> {
        let written = self.change_all(vec![statement], key).await?;
        written.into_iter().next().ok_or_else(|| Error::Shape("a write without an answer".into()))
    }

    /// The same for several statements in one transaction.
    pub(super) async fn change_all(
        &self,
        statements: Vec<Statement>,
        key: Option<(String, String)>,
    ) -> Result<Vec<Written>, Error> {
        let engine = Arc::clone(&self.engine);
        let write = async move {
            let mut statements = statements;
            match (statements.len(), statements.pop()) {
                (1, Some(only)) => Ok(vec![engine.write(only).await?]),
                (_, last) => {
                    statements.extend(last);
                    engine.write_all(statements).await
                }
            }
        };
        let forget = move |cache: &Cache<_, _>| match key {
            Some(key) => cache.invalidate(&key),
            None => cache.clear(),
        };
        self.cache.writing(write, forget).await
    }
}
