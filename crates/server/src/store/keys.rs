//! Data keys, wrapped. They live apart from what they open: file `keys.db`, schema `tessera_keys`.

use std::sync::Arc;

use super::cache::{Cache, Limits, Pair, Topic};
use super::{Engine, Error, Row, Statement, values};

/// A data key of one (App, user), or of an App's own record when `user` is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataKeyRow {
    /// What ciphertexts name it by.
    pub id: [u8; 16],
    /// The App.
    pub app: String,
    /// The user, or empty.
    pub user: String,
    /// The key, wrapped by the root key.
    pub wrapped: Vec<u8>,
    /// Id of the root key that wraps it.
    pub root_key: String,
    /// Unix ms.
    pub created_at: i64,
}

impl TryFrom<Row> for DataKeyRow {
    type Error = Error;

    fn try_from(mut row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.array(0)?,
            app: row.text(1)?,
            user: row.text(2)?,
            wrapped: row.blob(3)?,
            root_key: row.text(4)?,
            created_at: row.int(5)?,
        })
    }
}

type Found = Option<Arc<DataKeyRow>>;

/// The table `data_keys`. Owner: vault.
#[derive(Clone)]
pub struct Keys {
    engine: Arc<dyn Engine>,
    by_id: Arc<Cache<[u8; 16], Found>>,
    by_owner: Arc<Cache<(String, String), Found>>,
}

impl Keys {
    pub(super) fn new(engine: Arc<dyn Engine>, topic: &Topic) -> Self {
        let limits = Limits { entries: 100_000, bytes: 16 << 20 };
        let on = engine.sole_writer();
        let weigh = |found: &Found| {
            128 + found.as_ref().map_or(0, |row| row.wrapped.len() + row.app.len() + row.user.len())
        };
        Self {
            engine,
            by_id: Arc::new(Cache::new("keys", limits, weigh, on, topic.clone())),
            by_owner: Arc::new(Cache::new("keys_by_owner", limits, weigh, on, topic.clone())),
        }
    }

    /// The key of this id.
    pub async fn get(&self, id: &[u8; 16]) -> Result<Option<Arc<DataKeyRow>>, Error> {
        let sql = "SELECT id, app, user_id, wrapped, root_key, created_at FROM data_keys WHERE id = $1";
        self.by_id
            .get_or_read(id, async {
                Ok(self.engine.one(Statement::new(sql, values![id])).await?.map(Arc::new))
            })
            .await
    }

    /// The key of this owner.
    pub async fn get_for(&self, app: &str, user: &str) -> Result<Option<Arc<DataKeyRow>>, Error> {
        let sql = "SELECT id, app, user_id, wrapped, root_key, created_at FROM data_keys
            WHERE app = $1 AND user_id = $2";
        self.by_owner
            .get_or_read(&Pair(app, user), async {
                Ok(self.engine.one(Statement::new(sql, values![app, user])).await?.map(Arc::new))
            })
            .await
    }

    /// Stores the key unless its owner has one, and returns the owner's key: of many callers at once, one wins
    /// and all get the winner's row. An id that another owner has is [`Error::Constraint`].
    pub async fn insert_if_absent(&self, row: DataKeyRow) -> Result<Arc<DataKeyRow>, Error> {
        // An update that changes nothing, because DO NOTHING would return no row.
        let sql = "INSERT INTO data_keys (id, app, user_id, wrapped, root_key, created_at)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (app, user_id) DO UPDATE SET app = excluded.app
            RETURNING id, app, user_id, wrapped, root_key, created_at";
        let owner = (row.app.clone(), row.user.clone());
        let id = row.id;
        let statement = Statement::new(
            sql,
            values![row.id, row.app, row.user, row.wrapped, row.root_key, row.created_at],
        );
        let (engine, by_id) = (Arc::clone(&self.engine), Arc::clone(&self.by_id));
        let write = async move {
            let written = engine.write(statement).await;
            by_id.invalidate(&id);
            let row = written?.rows.into_iter().next();
            let row = row.ok_or_else(|| Error::Shape("an upsert returned no row".into()))?;
            Ok(Arc::new(row.try_into()?))
        };
        self.by_owner.writing(write, move |cache| cache.invalidate(&owner)).await
    }

    /// Replaces the wrapping of a key when it is still wrapped by `old_root`; false when it is not.
    pub async fn rewrap(
        &self,
        id: &[u8; 16],
        old_root: &str,
        wrapped: &[u8],
        new_root: &str,
    ) -> Result<bool, Error> {
        let sql = "UPDATE data_keys SET wrapped = $3, root_key = $4 WHERE id = $1 AND root_key = $2";
        Ok(self.change(Statement::new(sql, values![id, old_root, wrapped, new_root])).await? > 0)
    }

    /// Destroys an owner's key; false when there was none.
    pub async fn delete_for(&self, app: &str, user: &str) -> Result<bool, Error> {
        let sql = "DELETE FROM data_keys WHERE app = $1 AND user_id = $2";
        Ok(self.change(Statement::new(sql, values![app, user])).await? > 0)
    }

    /// Destroys all keys of an App, its users' included; returns how many.
    pub async fn delete_app(&self, app: &str) -> Result<u64, Error> {
        self.change(Statement::new("DELETE FROM data_keys WHERE app = $1", values![app])).await
    }

    /// Keys in the order of their ids, after `cursor`, at most `limit`.
    pub async fn list_after(&self, cursor: Option<&[u8; 16]>, limit: i64) -> Result<Vec<DataKeyRow>, Error> {
        let sql = "SELECT id, app, user_id, wrapped, root_key, created_at FROM data_keys
            WHERE id > $1 ORDER BY id LIMIT $2";
        let after: &[u8] = cursor.map_or(&[], |id| id);
        self.engine.all(Statement::new(sql, values![after, limit])).await
    }

    /// Rare changes: they void both caches whole instead of finding out which entries they touch.
    async fn change(&self, statement: Statement) -> Result<u64, Error> {
        let (engine, by_id) = (Arc::clone(&self.engine), Arc::clone(&self.by_id));
        let write = async move {
            let written = engine.write(statement).await;
            by_id.clear();
            Ok(written?.affected)
        };
        self.by_owner.writing(write, Cache::clear).await
    }
}
