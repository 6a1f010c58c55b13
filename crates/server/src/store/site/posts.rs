//! Posts.

use std::sync::Arc;

use crate::store::{Engine, Error, Row, Statement, values};

/// A post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostRow {
    /// Its id.
    pub id: String,
    /// Its channel.
    pub channel: String,
    /// The post that began its thread; empty for one that begins a thread itself.
    pub root: String,
    /// Unix ms.
    pub create_at: i64,
    /// The post as the wire shows it, as JSON text.
    pub doc: String,
    /// How many replies its thread has; 0 for a reply.
    pub replies: i64,
    /// Unix ms of the last reply, or 0.
    pub last_reply_at: i64,
}

impl TryFrom<Row> for PostRow {
    type Error = Error;

    fn try_from(mut row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.text(0)?,
            channel: row.text(1)?,
            root: row.text(2)?,
            create_at: row.int(3)?,
            doc: row.text(4)?,
            replies: row.int(5)?,
            last_reply_at: row.int(6)?,
        })
    }
}

/// The table `site_posts`.
#[derive(Clone)]
pub struct Posts {
    engine: Arc<dyn Engine>,
}

impl Posts {
    pub(super) fn new(engine: Arc<dyn Engine>) -> Self {
        Self { engine }
    }

    /// Keeps a post and counts it in its channel.
    pub async fn add(&self, row: PostRow) -> Result<(), Error> {
        let count = "UPDATE site_channels SET messages = messages + 1,
                root_posts = root_posts + (CASE WHEN $3 = '' THEN 1 ELSE 0 END),
                last_post_at = (CASE WHEN last_post_at < $2 THEN $2 ELSE last_post_at END)
            WHERE id = $1";
        let insert = "INSERT INTO site_posts (id, channel_id, root_id, create_at, doc)
            VALUES ($1, $2, $3, $4, $5)";
        let count = Statement::new(count, values![row.channel.as_str(), row.create_at, row.root.as_str()]);
        let params = values![row.id, row.channel, row.root, row.create_at, row.doc];
        self.engine.write_all(vec![Statement::new(insert, params), count]).await?;
        Ok(())
    }

    /// The post of this id.
    pub async fn get(&self, id: &str) -> Result<Option<PostRow>, Error> {
        let sql = "SELECT id, channel_id, root_id, create_at, doc,
                (SELECT COUNT(*) FROM site_posts r WHERE r.root_id = p.id),
                (SELECT COALESCE(MAX(r.create_at), 0) FROM site_posts r WHERE r.root_id = p.id)
            FROM site_posts p WHERE id = $1";
        self.engine.one(Statement::new(sql, values![id])).await
    }

    /// Posts of a channel, newest first; `since` (Unix ms, exclusive) 0 for all.
    pub async fn of_channel(
        &self,
        channel: &str,
        since: i64,
        skip: i64,
        limit: i64,
    ) -> Result<Vec<PostRow>, Error> {
        let sql = "SELECT id, channel_id, root_id, create_at, doc,
                (SELECT COUNT(*) FROM site_posts r WHERE r.root_id = p.id),
                (SELECT COALESCE(MAX(r.create_at), 0) FROM site_posts r WHERE r.root_id = p.id)
            FROM site_posts p WHERE channel_id = $1 AND create_at > $2
            ORDER BY create_at DESC, id LIMIT $4 OFFSET $3";
        self.engine.all(Statement::new(sql, values![channel, since, skip, limit])).await
    }
}
