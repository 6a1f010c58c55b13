//! Teams, channels and memberships.

use std::sync::Arc;

use crate::store::{Engine, Error, Row, Statement, values};

/// A channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelRow {
    /// Its id.
    pub id: String,
    /// Its team; empty for direct channels.
    pub team: String,
    /// Its name within the team.
    pub name: String,
    /// Unix ms of its last post, or 0.
    pub last_post_at: i64,
    /// How many posts it has.
    pub messages: i64,
    /// How many of them begin a thread.
    pub root_posts: i64,
    /// The channel as the wire shows it, as JSON text; the members above are newer than its own.
    pub doc: String,
}

impl TryFrom<Row> for ChannelRow {
    type Error = Error;

    fn try_from(mut row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.text(0)?,
            team: row.text(1)?,
            name: row.text(2)?,
            last_post_at: row.int(3)?,
            messages: row.int(4)?,
            root_posts: row.int(5)?,
            doc: row.text(6)?,
        })
    }
}

/// A membership that is to be added.
#[derive(Debug, Clone)]
pub struct Member {
    /// Of which team or channel.
    pub of: String,
    /// Whose.
    pub user: String,
    /// The membership as the wire shows it, as JSON text.
    pub doc: String,
}

/// The tables `site_teams`, `site_channels` and their memberships.
#[derive(Clone)]
pub struct Rooms {
    engine: Arc<dyn Engine>,
}

impl Rooms {
    pub(super) fn new(engine: Arc<dyn Engine>) -> Self {
        Self { engine }
    }

    /// Adds a team unless its id or name is taken; false then.
    pub async fn add_team(&self, id: &str, name: &str, doc: &str) -> Result<bool, Error> {
        let sql = "INSERT INTO site_teams (id, name, doc) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        Ok(self.engine.write(Statement::new(sql, values![id, name, doc])).await?.affected > 0)
    }

    /// The team of this id, as JSON text.
    pub async fn team(&self, id: &str) -> Result<Option<String>, Error> {
        self.doc(Statement::new("SELECT doc FROM site_teams WHERE id = $1", values![id])).await
    }

    /// The team of this name, as JSON text.
    pub async fn team_named(&self, name: &str) -> Result<Option<String>, Error> {
        self.doc(Statement::new("SELECT doc FROM site_teams WHERE name = $1", values![name])).await
    }

    /// The teams of a user in the order of their names, as JSON texts.
    pub async fn teams_of(&self, user: &str) -> Result<Vec<String>, Error> {
        let sql = "SELECT t.doc FROM site_teams t JOIN site_team_members m ON m.team_id = t.id
            WHERE m.user_id = $1 ORDER BY t.name";
        self.docs(Statement::new(sql, values![user])).await
    }

    /// Adds a membership of a team unless it is there.
    pub async fn join_team(&self, member: Member) -> Result<(), Error> {
        let sql = "INSERT INTO site_team_members (team_id, user_id, doc) VALUES ($1, $2, $3)
            ON CONFLICT (team_id, user_id) DO NOTHING";
        self.engine.write(Statement::new(sql, values![member.of, member.user, member.doc])).await?;
        Ok(())
    }

    /// A membership of a team, as JSON text.
    pub async fn team_member(&self, team: &str, user: &str) -> Result<Option<String>, Error> {
        let sql = "SELECT doc FROM site_team_members WHERE team_id = $1 AND user_id = $2";
        self.doc(Statement::new(sql, values![team, user])).await
    }

    /// A user's memberships of teams, as JSON texts.
    pub async fn team_members_of(&self, user: &str) -> Result<Vec<String>, Error> {
        let sql = "SELECT doc FROM site_team_members WHERE user_id = $1 ORDER BY team_id";
        self.docs(Statement::new(sql, values![user])).await
    }

    /// Adds a channel with its first members, all or nothing, unless the team has one of this name; returns
    /// the one that is there then. Of many callers at once, all get the same.
    pub async fn add_channel(&self, row: ChannelRow, members: Vec<Member>) -> Result<ChannelRow, Error> {
        let sql = "INSERT INTO site_channels (id, team_id, name, last_post_at, messages, root_posts, doc)
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (team_id, name) DO NOTHING";
        let params = values![
            row.id,
            row.team.as_str(),
            row.name.as_str(),
            row.last_post_at,
            row.messages,
            row.root_posts,
            row.doc
        ];
        let mut statements = vec![Statement::new(sql, params)];
        // Only if the channel of this id was the one that came first.
        let join = "INSERT INTO site_channel_members (channel_id, user_id, doc)
            SELECT id, $2, $3 FROM site_channels WHERE id = $1 ON CONFLICT (channel_id, user_id) DO NOTHING";
        statements
            .extend(members.into_iter().map(|one| Statement::new(join, values![one.of, one.user, one.doc])));
        self.engine.write_all(statements).await?;
        let found = self.channel_named(&row.team, &row.name).await?;
        found.ok_or_else(|| Error::Shape("a channel that was just added is not there".into()))
    }

    /// The channel of this id.
    pub async fn channel(&self, id: &str) -> Result<Option<ChannelRow>, Error> {
        let sql = "SELECT id, team_id, name, last_post_at, messages, root_posts, doc
            FROM site_channels WHERE id = $1";
        self.engine.one(Statement::new(sql, values![id])).await
    }

    /// The channel of this name; the empty team for direct ones.
    pub async fn channel_named(&self, team: &str, name: &str) -> Result<Option<ChannelRow>, Error> {
        let sql = "SELECT id, team_id, name, last_post_at, messages, root_posts, doc
            FROM site_channels WHERE team_id = $1 AND name = $2";
        self.engine.one(Statement::new(sql, values![team, name])).await
    }

    /// The channels of a user in a team, and the direct ones, by name.
    pub async fn channels_of(&self, user: &str, team: &str) -> Result<Vec<ChannelRow>, Error> {
        let sql = "SELECT c.id, c.team_id, c.name, c.last_post_at, c.messages, c.root_posts, c.doc
            FROM site_channels c JOIN site_channel_members m ON m.channel_id = c.id
            WHERE m.user_id = $1 AND (c.team_id = $2 OR c.team_id = '') ORDER BY c.team_id DESC, c.name";
        self.engine.all(Statement::new(sql, values![user, team])).await
    }

    /// Adds a membership of a channel unless it is there.
    pub async fn join_channel(&self, member: Member) -> Result<(), Error> {
        let sql = "INSERT INTO site_channel_members (channel_id, user_id, doc) VALUES ($1, $2, $3)
            ON CONFLICT (channel_id, user_id) DO NOTHING";
        self.engine.write(Statement::new(sql, values![member.of, member.user, member.doc])).await?;
        Ok(())
    }

    /// A membership of a channel, as JSON text.
    pub async fn channel_member(&self, channel: &str, user: &str) -> Result<Option<String>, Error> {
        let sql = "SELECT doc FROM site_channel_members WHERE channel_id = $1 AND user_id = $2";
        self.doc(Statement::new(sql, values![channel, user])).await
    }

    /// The memberships of a channel in the order of the users' ids, as JSON texts.
    pub async fn members_of_channel(
        &self,
        channel: &str,
        skip: i64,
        limit: i64,
    ) -> Result<Vec<String>, Error> {
        let sql = "SELECT doc FROM site_channel_members WHERE channel_id = $1
            ORDER BY user_id LIMIT $3 OFFSET $2";
        self.docs(Statement::new(sql, values![channel, skip, limit])).await
    }

    /// Who is in a channel.
    pub async fn users_in_channel(&self, channel: &str) -> Result<Vec<String>, Error> {
        let sql = "SELECT user_id FROM site_channel_members WHERE channel_id = $1 ORDER BY user_id";
        self.docs(Statement::new(sql, values![channel])).await
    }

    /// A user's memberships of a team's channels and of the direct ones, as JSON texts.
    pub async fn channel_members_of(&self, user: &str, team: &str) -> Result<Vec<String>, Error> {
        let sql = "SELECT m.doc FROM site_channel_members m JOIN site_channels c ON c.id = m.channel_id
            WHERE m.user_id = $1 AND (c.team_id = $2 OR c.team_id = '') ORDER BY m.channel_id";
        self.docs(Statement::new(sql, values![user, team])).await
    }

    async fn doc(&self, statement: Statement) -> Result<Option<String>, Error> {
        Ok(self.docs(statement).await?.into_iter().next())
    }

    async fn docs(&self, statement: Statement) -> Result<Vec<String>, Error> {
        self.engine.read(statement).await?.into_iter().map(|mut row: Row| row.text(0)).collect()
    }
}
