//! Posts.

use serde::Deserialize;
use serde_json::{Map, Value};
use tessera_types::{Channel, Post, RawJson, json};

use super::people::{decode, encode, is_admin};
use super::{Error, Eyes, Place, Refusal, Standalone, is_id};
use crate::platform;
use crate::store::site::PostRow;

/// The longest message, in characters, as on Mattermost.
const LONGEST: usize = 16_383;

/// A post that somebody wants to make. Who it is from is not theirs to say.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Draft {
    /// Where.
    pub channel_id: String,
    /// In which thread; empty to begin one.
    pub root_id: String,
    /// The text.
    pub message: String,
    /// Properties, as a JSON object.
    pub props: Option<RawJson>,
    /// The client's own id for it, so that it knows it again.
    pub pending_post_id: String,
    /// Empty, or a custom type.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A page of a list.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default)]
pub struct Page {
    /// The page, from 0.
    pub page: i64,
    /// How many on each, 200 at most.
    pub per_page: i64,
    /// Only what is newer than this time, in Unix milliseconds.
    pub since: i64,
}

impl Default for Page {
    fn default() -> Self {
        Self { page: 0, per_page: 60, since: 0 }
    }
}

impl Page {
    /// How many to skip, and how many to give.
    pub(super) fn range(self) -> (i64, i64) {
        let limit = self.per_page.clamp(1, 200);
        (self.page.max(0).saturating_mul(limit), limit)
    }
}

fn post_of(row: &PostRow) -> Result<Post, platform::Error> {
    let post: Post = decode("post", &row.doc)?;
    let metadata = Some(post.metadata.map_or_else(no_metadata, Ok)?);
    Ok(Post { reply_count: row.replies, last_reply_at: row.last_reply_at, metadata, ..post })
}

/// Neither files nor reactions nor previews; but clients look for them without asking.
fn no_metadata() -> Result<RawJson, platform::Error> {
    let damaged = |error: json::Error| platform::Error::Damaged { what: "post", reason: error.to_string() };
    RawJson::from_value(&Map::new()).map_err(damaged)
}

impl Standalone {
    /// A post: for those who may read its channel.
    pub async fn read_post(&self, eyes: Eyes<'_>, id: &str) -> Result<Post, Error> {
        let reader = self.reader(eyes).await?;
        if !is_id(id) {
            return Err(Refusal::bad_param("post_id").into());
        }
        let row = self.site.posts.get(id).await?.ok_or_else(Refusal::no_post)?;
        let channel = self.site.rooms.channel(&row.channel).await?.ok_or_else(Refusal::no_post)?;
        self.may_read_channel(reader.as_deref(), &channel).await?;
        Ok(post_of(&row)?)
    }

    /// The posts of a channel, newest first.
    pub async fn read_posts(&self, eyes: Eyes<'_>, channel: &str, page: Page) -> Result<Vec<Post>, Error> {
        self.read_channel(eyes, channel).await?;
        let (skip, limit) = page.range();
        let rows = self.site.posts.of_channel(channel, page.since, skip, limit).await?;
        rows.iter().map(|row| Ok(post_of(row)?)).collect()
    }

    /// Posts as `actor`, who must be in the channel, and tells its members.
    pub async fn create_post(&self, actor: &str, draft: Draft) -> Result<Post, Error> {
        let author = self.reader(Eyes::Of(actor)).await?.ok_or_else(Refusal::signed_out)?;
        if !is_id(&draft.channel_id) {
            return Err(Refusal::bad_body("channel_id").into());
        }
        if draft.message.chars().count() > LONGEST {
            return Err(Refusal::long_message().into());
        }
        if !draft.kind.is_empty() && !draft.kind.starts_with("custom_") {
            return Err(Refusal::bad_body("post.type").into());
        }
        let row = self.site.rooms.channel(&draft.channel_id).await?.ok_or_else(Refusal::forbidden)?;
        let channel = self.may_read_channel(Some(&author), &row).await?;
        if !is_admin(&author) && self.site.rooms.channel_member(&row.id, actor).await?.is_none() {
            return Err(Refusal::forbidden().into());
        }
        self.check_root(&draft).await?;
        let now = self.env.now_ms();
        let post = Post {
            id: self.env.id()?,
            create_at: now,
            update_at: now,
            user_id: actor.to_owned(),
            channel_id: draft.channel_id,
            root_id: draft.root_id,
            message: draft.message,
            kind: draft.kind,
            props: Some(props(draft.props, author.is_bot)?),
            pending_post_id: draft.pending_post_id,
            metadata: Some(no_metadata()?),
            ..Post::default()
        };
        let row = PostRow {
            id: post.id.clone(),
            channel: post.channel_id.clone(),
            root: post.root_id.clone(),
            create_at: now,
            doc: encode("post", &post)?,
            replies: 0,
            last_reply_at: 0,
        };
        self.site.posts.add(row).await?;
        self.tell_posted(&post, &channel, &author.username).await?;
        Ok(post)
    }

    async fn check_root(&self, draft: &Draft) -> Result<(), Error> {
        if draft.root_id.is_empty() {
            return Ok(());
        }
        let root = self.site.posts.get(&draft.root_id).await?;
        let root = root.filter(|root| root.root.is_empty()).ok_or_else(Refusal::bad_root)?;
        if root.channel != draft.channel_id {
            return Err(Refusal::root_elsewhere().into());
        }
        Ok(())
    }

    async fn tell_posted(&self, post: &Post, channel: &Channel, username: &str) -> Result<(), Error> {
        let text = |text: &str| Value::String(text.to_owned());
        let data = Map::from_iter(
            [
                ("channel_display_name", text(&channel.display_name)),
                ("channel_name", text(&channel.name)),
                ("channel_type", text(&channel.kind)),
                ("post", Value::String(encode("post", post)?)),
                ("sender_name", Value::String(format!("@{username}"))),
                ("set_online", Value::Bool(true)),
                ("team_id", text(&channel.team_id)),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        let members = self.site.rooms.users_in_channel(&channel.id).await?;
        let place = Place { channel_id: channel.id.clone(), ..Place::default() };
        self.hub.to_members("posted", data, place, members);
        Ok(())
    }
}

/// The properties as sent, if they are an object; a bot's say that they are a bot's.
fn props(sent: Option<RawJson>, bot: bool) -> Result<RawJson, Error> {
    use std::collections::BTreeMap;
    let mut members: BTreeMap<String, RawJson> = match sent {
        Some(sent) if !sent.is_null() => sent.to().map_err(|_| Refusal::bad_body("post.props"))?,
        _ => BTreeMap::new(),
    };
    let damaged =
        |error: &dyn std::fmt::Display| platform::Error::Damaged { what: "post", reason: error.to_string() };
    members.remove("from_bot");
    if bot {
        members.insert("from_bot".to_owned(), RawJson::from_value("true").map_err(|error| damaged(&error))?);
    }
    Ok(RawJson::from_value(&members).map_err(|error| damaged(&error))?)
}
