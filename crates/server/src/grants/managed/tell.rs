//! Words to people: that an account was connected, and that a grant ended. Once each, by the durable outbox.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::super::{Act, Error};
use super::Managed;
use super::grant::About;
use super::machine::Status;
use crate::store::OutboxRow;

/// A word to a person.
pub(super) const NOTICE: i64 = 1;

/// What a person is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "word", rename_all = "snake_case")]
pub enum Word {
    /// An account was connected.
    Connected {
        /// Which: `somebody@example.com at Google`; empty where the App alone knows.
        account: String,
    },
    /// A grant ended, or needs its person: they must connect again.
    Reconnect {
        /// Which; empty where the connection says it when the word is said.
        account: String,
        /// The provider's code, or a word of ours.
        code: String,
    },
}

/// Whoever can speak to people: a room above, joined by `boot`.
#[async_trait]
pub trait Messenger: Send + Sync {
    /// Tells a person something about their connection with an App, as the App's bot. That the person, or the App, is
    /// not there any more is no error.
    ///
    /// # Errors
    /// When it may work later.
    async fn tell(&self, app: &str, user: &str, word: &Word) -> Result<(), String>;
}

impl Managed {
    /// That a grant ended: told once for each incident, which the request that found out numbers.
    pub(super) fn news(
        &self,
        act: &Act<'_>,
        about: &About,
        fence: i64,
        generation: i64,
        code: &str,
    ) -> Result<OutboxRow, Error> {
        let word = Word::Reconnect { account: about.account(), code: code.to_owned() };
        self.notice(act, &word, format!("ended:{}:{}:{generation}:{fence}", act.app, act.actor))
    }

    /// That an account was connected.
    pub(super) fn welcome(&self, act: &Act<'_>, about: &About, generation: i64) -> Result<OutboxRow, Error> {
        let word = Word::Connected { account: about.account() };
        self.notice(act, &word, format!("connected:{}:{}:{generation}", act.app, act.actor))
    }

    /// The same of a connection that is its App's own, about which nothing is known here.
    pub(in crate::grants) async fn welcome_to_own(&self, act: &Act<'_>) -> Result<(), Error> {
        let word = Word::Connected { account: String::new() };
        // One request completes one flow, once.
        let row = self.notice(act, &word, format!("completed:{}:{}:{}", act.app, act.actor, act.request))?;
        self.outbox.add(row).await?;
        self.bell.notify_one();
        Ok(())
    }

    /// A word as it is said. None where it has nothing to say any more: the person connected again, or left.
    pub(super) async fn spoken(&self, row: &OutboxRow) -> Result<Option<Word>, Error> {
        let code = match serde_json::from_str(&row.about).ok() {
            Some(Word::Reconnect { account, code }) if account.is_empty() => code,
            word => return Ok(word),
        };
        let there = self.connections.read(&row.app, &row.user).await?;
        let ended =
            there.and_then(|row| row.managed).filter(|managed| Status::of(managed.status) == Status::Dead);
        Ok(ended.map(|managed| Word::Reconnect { account: About::read(&managed.about).account(), code }))
    }

    fn notice(&self, act: &Act<'_>, word: &Word, id: String) -> Result<OutboxRow, Error> {
        let now = self.env.now_ms();
        Ok(OutboxRow {
            id,
            kind: NOTICE,
            app: act.app.as_str().to_owned(),
            user: act.actor.to_owned(),
            about: serde_json::to_string(word).map_err(|_| Error::Damaged(act.app.clone()))?,
            sealed: None,
            due_at: Some(now),
            attempts: 0,
            outcome: String::new(),
            created_at: now,
            ended_at: None,
        })
    }
}
