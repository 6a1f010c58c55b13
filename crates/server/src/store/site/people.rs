//! People and bots.

use std::sync::Arc;

use crate::store::cache::{Cache, Limits, Topic};
use crate::store::{Engine, Error, Row, Statement, values};

/// A person or bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRow {
    /// The user's id.
    pub id: String,
    /// In lower case.
    pub username: String,
    /// In lower case.
    pub email: String,
    /// How others see them named.
    pub display_name: String,
    /// Role names, separated by spaces.
    pub roles: String,
    /// Whether no person stands behind it.
    pub is_bot: bool,
    /// Unix ms of the deactivation; 0 for the active.
    pub delete_at: i64,
    /// Raised by each change.
    pub generation: i64,
    /// The user as the wire shows it, as JSON text.
    pub doc: String,
}

impl TryFrom<Row> for PersonRow {
    type Error = Error;

    fn try_from(mut row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.text(0)?,
            username: row.text(1)?,
            email: row.text(2)?,
            display_name: row.text(3)?,
            roles: row.text(4)?,
            is_bot: row.int(5)? != 0,
            delete_at: row.int(6)?,
            generation: row.int(7)?,
            doc: row.text(8)?,
        })
    }
}

/// Someone who is to be added.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// Who.
    pub row: PersonRow,
    /// The password's hash as a PHC string; None for bots, who cannot sign in.
    pub password: Option<String>,
}

type Found = Option<Arc<PersonRow>>;

/// The tables `site_users` and `site_passwords`.
#[derive(Clone)]
pub struct People {
    engine: Arc<dyn Engine>,
    cache: Arc<Cache<String, Found>>,
}

impl People {
    pub(super) fn new(engine: Arc<dyn Engine>, topic: &Topic) -> Self {
        let limits = Limits { entries: 100_000, bytes: 64 << 20 };
        let weigh = |found: &Found| 256 + found.as_ref().map_or(0, |row| row.doc.len());
        let cache = Arc::new(Cache::new("site_users", limits, weigh, engine.sole_writer(), topic.clone()));
        Self { engine, cache }
    }

    /// Adds someone unless id, user name or e-mail address is taken; false then.
    pub async fn add(&self, new: NewPerson) -> Result<bool, Error> {
        let NewPerson { row, password } = new;
        let id = row.id.clone();
        let sql = "INSERT INTO site_users
            (id, username, email, display_name, roles, is_bot, delete_at, generation, doc)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
        let params = values![
            row.id,
            row.username,
            row.email,
            row.display_name,
            row.roles,
            i64::from(row.is_bot),
            row.delete_at,
            row.generation,
            row.doc
        ];
        let mut statements = vec![Statement::new(sql, params)];
        if let Some(hash) = password {
            // Only for the row that was just added: a name that was taken keeps its own password.
            let sql = "INSERT INTO site_passwords (user_id, hash)
                SELECT id, $2 FROM site_users WHERE id = $1 ON CONFLICT DO NOTHING";
            statements.push(Statement::new(sql, values![id.as_str(), hash]));
        }
        let engine = Arc::clone(&self.engine);
        let write = async move { engine.write_all(statements).await };
        let written = self.cache.writing(write, move |cache| cache.invalidate(&id)).await?;
        Ok(written.first().is_some_and(|insert| insert.affected > 0))
    }

    /// Compare-and-swap: stores the row if the one there has the generation before this one's. The user name
    /// and the address stay as they are.
    pub async fn put(&self, row: PersonRow) -> Result<bool, Error> {
        let key = row.id.clone();
        let sql =
            "UPDATE site_users SET display_name = $2, roles = $3, delete_at = $4, generation = $5, doc = $6
            WHERE id = $1 AND generation = $7";
        let before = row.generation - 1;
        let params =
            values![row.id, row.display_name, row.roles, row.delete_at, row.generation, row.doc, before];
        let engine = Arc::clone(&self.engine);
        let write = async move { Ok(engine.write(Statement::new(sql, params)).await?.affected) };
        Ok(self.cache.writing(write, move |cache| cache.invalidate(&key)).await? > 0)
    }

    /// The person of this id.
    pub async fn get(&self, id: &str) -> Result<Option<Arc<PersonRow>>, Error> {
        let sql = "SELECT id, username, email, display_name, roles, is_bot, delete_at, generation, doc
            FROM site_users WHERE id = $1";
        self.cache
            .get_or_read(id, async {
                Ok(self.engine.one(Statement::new(sql, values![id])).await?.map(Arc::new))
            })
            .await
    }

    /// The person of this user name, which is in lower case.
    pub async fn by_name(&self, username: &str) -> Result<Option<PersonRow>, Error> {
        let sql = "SELECT id, username, email, display_name, roles, is_bot, delete_at, generation, doc
            FROM site_users WHERE username = $1";
        self.engine.one(Statement::new(sql, values![username])).await
    }

    /// The person whose user name or e-mail address, in lower case, this is, with the password's hash.
    pub async fn by_login(&self, login: &str) -> Result<Option<(PersonRow, Option<String>)>, Error> {
        let sql = "SELECT id, username, email, display_name, roles, is_bot, delete_at, generation, doc, hash
            FROM site_users LEFT JOIN site_passwords ON user_id = id
            WHERE username = $1 OR email = $1 ORDER BY username = $1 DESC LIMIT 1";
        let rows = self.engine.read(Statement::new(sql, values![login])).await?;
        let Some(mut row) = rows.into_iter().next() else { return Ok(None) };
        let hash = row.opt_text(9)?;
        Ok(Some((PersonRow::try_from(row)?, hash)))
    }
}
