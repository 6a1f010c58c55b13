//! Tokens that Apps act with, of people and of bots, on every platform.

use std::sync::Arc;

use super::cache::{Cache, Key, Limits, Topic};
use super::{Engine, Error, Row, Statement, values};

/// A token's look-up hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenDigest(pub [u8; 32]);

impl Key for TokenDigest {
    fn parts(&self) -> Vec<String> {
        vec![self.0.iter().map(|byte| format!("{byte:02x}")).collect()]
    }
}

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppTokenRow {
    /// Hash of the token, under which it is looked up.
    pub digest: [u8; 32],
    /// The session's id: no secret.
    pub id: String,
    /// The App that holds it.
    pub app: String,
    /// The user or bot it acts as.
    pub user: String,
    /// Chosen by the caller, because the seal is bound to it.
    pub generation: i64,
    /// The token, sealed.
    pub sealed: Vec<u8>,
    /// The user's roles when it was made.
    pub roles: String,
    /// The session's properties, as a JSON object of strings.
    pub props: String,
    /// What a cookie's request must repeat.
    pub csrf: String,
    /// Unix ms.
    pub created_at: i64,
    /// Unix ms; from this moment on it is worth nothing.
    pub expires_at: i64,
}

impl TryFrom<Row> for AppTokenRow {
    type Error = Error;

    fn try_from(mut row: Row) -> Result<Self, Error> {
        Ok(Self {
            digest: row.array(0)?,
            id: row.text(1)?,
            app: row.text(2)?,
            user: row.text(3)?,
            generation: row.int(4)?,
            sealed: row.blob(5)?,
            roles: row.text(6)?,
            props: row.text(7)?,
            csrf: row.text(8)?,
            created_at: row.int(9)?,
            expires_at: row.int(10)?,
        })
    }
}

/// The table `app_tokens`. Owner: platform.
#[derive(Clone)]
pub struct AppTokens {
    engine: Arc<dyn Engine>,
    cache: Arc<Cache<TokenDigest, Arc<AppTokenRow>>>,
}

impl AppTokens {
    /// Over the engine of the data.
    pub fn new(engine: Arc<dyn Engine>, topic: &Topic) -> Self {
        let limits = Limits { entries: 100_000, bytes: 32 << 20 };
        let weigh = |row: &Arc<AppTokenRow>| 256 + row.sealed.len() + row.props.len() + row.roles.len();
        let on = engine.sole_writer();
        let cache = Arc::new(Cache::new("app_tokens", limits, weigh, on, topic.clone()));
        Self { engine, cache }
    }

    /// The token of this hash, if it is in memory: asks no database.
    pub fn cached(&self, digest: &[u8; 32]) -> Option<Arc<AppTokenRow>> {
        self.cache.get(&TokenDigest(*digest))
    }

    /// The token of this hash, expired or not. What is not there is not remembered: guesses push nothing out.
    pub async fn find(&self, digest: &[u8; 32]) -> Result<Option<Arc<AppTokenRow>>, Error> {
        let key = TokenDigest(*digest);
        if let Some(row) = self.cache.get(&key) {
            return Ok(Some(row));
        }
        let ticket = self.cache.ticket(&key);
        let sql =
            "SELECT digest, id, app, user_id, generation, sealed, roles, props, csrf, created_at, expires_at
            FROM app_tokens WHERE digest = $1";
        let Some(row) = self.engine.one::<AppTokenRow>(Statement::new(sql, values![digest])).await? else {
            return Ok(None);
        };
        let row = Arc::new(row);
        self.cache.insert(ticket, key, Arc::clone(&row));
        Ok(Some(row))
    }

    /// The token that is handed out again for this App and user, expired or not.
    pub async fn current(&self, app: &str, user: &str) -> Result<Option<AppTokenRow>, Error> {
        let sql =
            "SELECT digest, id, app, user_id, generation, sealed, roles, props, csrf, created_at, expires_at
            FROM app_tokens WHERE app = $1 AND user_id = $2 AND current = 1";
        self.engine.one(Statement::new(sql, values![app, user])).await
    }

    /// Makes this the current token, in place of the one named, which stays valid until it expires.
    ///
    /// Of any number of callers at once exactly one gets true. False when another token is current than the
    /// one named (None: there is none); then nothing is stored.
    pub async fn make_current(&self, row: AppTokenRow, replaces: Option<[u8; 32]>) -> Result<bool, Error> {
        let retire = "UPDATE app_tokens SET current = 0 WHERE digest = $1";
        let insert = "INSERT INTO app_tokens
            (digest, id, app, user_id, generation, sealed, roles, props, csrf, created_at, expires_at, current)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1)
            ON CONFLICT (app, user_id) WHERE current = 1 DO NOTHING";
        let insert = Statement::new(
            insert,
            values![
                row.digest,
                row.id,
                row.app,
                row.user,
                row.generation,
                row.sealed,
                row.roles,
                row.props,
                row.csrf,
                row.created_at,
                row.expires_at
            ],
        );
        let retire = replaces.map(|digest| Statement::new(retire, values![digest]));
        let written = self.engine.write_all(retire.into_iter().chain([insert]).collect()).await?;
        Ok(written.last().is_some_and(|insert| insert.affected > 0))
    }

    /// Moves a token's end to `until`. False when it is gone, has expired, or already lasts as long.
    pub async fn extend(&self, digest: &[u8; 32], until: i64, now: i64) -> Result<bool, Error> {
        let sql = "UPDATE app_tokens SET expires_at = $2
            WHERE digest = $1 AND expires_at > $3 AND expires_at < $2";
        let key = TokenDigest(*digest);
        let affected = self
            .change(Statement::new(sql, values![digest, until, now]), move |cache| cache.invalidate(&key))
            .await?;
        Ok(affected > 0)
    }

    /// The tokens with which Apps act as this user, unexpired, in the order of their Apps.
    pub async fn of_user(&self, user: &str, now: i64) -> Result<Vec<AppTokenRow>, Error> {
        let sql =
            "SELECT digest, id, app, user_id, generation, sealed, roles, props, csrf, created_at, expires_at
            FROM app_tokens WHERE user_id = $1 AND expires_at > $2 ORDER BY app, created_at, id";
        self.engine.all(Statement::new(sql, values![user, now])).await
    }

    /// Every token of this App.
    pub async fn of_app(&self, app: &str) -> Result<Vec<AppTokenRow>, Error> {
        let sql =
            "SELECT digest, id, app, user_id, generation, sealed, roles, props, csrf, created_at, expires_at
            FROM app_tokens WHERE app = $1";
        self.engine.all(Statement::new(sql, values![app])).await
    }

    /// Tokens that were replaced before a moment (Unix ms), at most `limit`.
    pub async fn replaced(&self, before: i64, limit: i64) -> Result<Vec<AppTokenRow>, Error> {
        let sql = "SELECT old.digest, old.id, old.app, old.user_id, old.generation, old.sealed, old.roles, old.props, old.csrf,
                old.created_at, old.expires_at
            FROM app_tokens old
            JOIN app_tokens fresh ON fresh.app = old.app AND fresh.user_id = old.user_id AND fresh.current = 1
            WHERE old.current = 0 AND old.props LIKE '%token_id%' AND fresh.created_at < $1 LIMIT $2";
        self.engine.all(Statement::new(sql, values![before, limit])).await
    }

    /// Ends every token of exactly this App; returns how many there were.
    pub async fn delete_app(&self, app: &str) -> Result<u64, Error> {
        let sql = "DELETE FROM app_tokens WHERE app = $1";
        self.change(Statement::new(sql, values![app]), Cache::clear).await
    }

    /// Ends every token that acts as this user; returns how many there were.
    pub async fn delete_user(&self, user: &str) -> Result<u64, Error> {
        let sql = "DELETE FROM app_tokens WHERE user_id = $1";
        self.change(Statement::new(sql, values![user]), Cache::clear).await
    }

    /// Ends one token, with a user's own hand; false when it was not there.
    pub async fn delete(&self, digest: &[u8; 32]) -> Result<bool, Error> {
        let sql = "DELETE FROM app_tokens WHERE digest = $1";
        let key = TokenDigest(*digest);
        Ok(self.change(Statement::new(sql, values![digest]), move |cache| cache.invalidate(&key)).await? > 0)
    }

    /// Removes up to `limit` expired tokens; returns how many.
    pub async fn sweep(&self, now: i64, limit: i64) -> Result<u64, Error> {
        let sql = "DELETE FROM app_tokens WHERE digest IN
            (SELECT digest FROM app_tokens WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
        // What is cached of them has expired, and is never taken for valid.
        Ok(self.engine.write(Statement::new(sql, values![now, limit])).await?.affected)
    }

    async fn change<F>(&self, statement: Statement, forget: F) -> Result<u64, Error>
    where
        F: FnOnce(&Cache<TokenDigest, Arc<AppTokenRow>>) + Send + 'static,
    {
        let engine = Arc::clone(&self.engine);
        let write = async move { Ok(engine.write(statement).await?.affected) };
        self.cache.writing(write, forget).await
    }
}
