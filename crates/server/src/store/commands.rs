//! Slash commands that were registered at a Mattermost.

use std::sync::Arc;

use super::{Engine, Error, Row, Statement, values};

/// A command of an App in a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandRow {
    /// The App.
    pub app: String,
    /// The team's id.
    pub team: String,
    /// The command's id at Mattermost.
    pub id: String,
    /// What people type, without its slash.
    pub word: String,
    /// Where it is sent.
    pub url: String,
    /// Hash of the token that it is sent with.
    pub digest: [u8; 32],
}

impl TryFrom<Row> for CommandRow {
    type Error = Error;

    fn try_from(mut row: Row) -> Result<Self, Error> {
        Ok(Self {
            app: row.text(0)?,
            team: row.text(1)?,
            id: row.text(2)?,
            word: row.text(3)?,
            url: row.text(4)?,
            digest: row.array(5)?,
        })
    }
}

/// The table `commands`. Owner: platform.
#[derive(Clone)]
pub struct Commands {
    engine: Arc<dyn Engine>,
}

impl Commands {
    pub(super) fn new(engine: Arc<dyn Engine>) -> Self {
        Self { engine }
    }

    /// All of them, by App and team.
    pub async fn all(&self) -> Result<Vec<CommandRow>, Error> {
        let sql = "SELECT app, team, id, word, url, digest FROM commands ORDER BY app, team";
        self.engine.all(Statement::new(sql, values![])).await
    }

    /// The command that is sent with the token of this hash.
    pub async fn find(&self, digest: &[u8; 32]) -> Result<Option<CommandRow>, Error> {
        let sql = "SELECT app, team, id, word, url, digest FROM commands WHERE digest = $1";
        self.engine.one(Statement::new(sql, values![digest])).await
    }

    /// Notes one, in place of the one that its App had in its team.
    pub async fn put(&self, row: CommandRow) -> Result<(), Error> {
        let sql = "INSERT INTO commands (app, team, id, word, url, digest) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (app, team) DO UPDATE SET id = excluded.id, word = excluded.word, url = excluded.url,
            digest = excluded.digest";
        let CommandRow { app, team, id, word, url, digest } = row;
        self.engine.write(Statement::new(sql, values![app, team, id, word, url, digest])).await?;
        Ok(())
    }

    /// Forgets one; false when it was not there.
    pub async fn delete(&self, app: &str, team: &str) -> Result<bool, Error> {
        let sql = "DELETE FROM commands WHERE app = $1 AND team = $2";
        Ok(self.engine.write(Statement::new(sql, values![app, team])).await?.affected > 0)
    }
}
