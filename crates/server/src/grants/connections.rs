//! Connections: one user's record with one App.

use std::collections::HashMap;
use std::time::Duration;

use tessera_types::SecretBytes;

use super::uses::Used;
use super::{ATTEMPTS, Act, Change, Error, Grants, Use};
use crate::audit::{self, Table};
use crate::store::{ConnectionRow, UseRow};
use crate::vault::{self, Place, Purpose, Sealed};

/// A connection that the App keeps itself; managed ones (1) will come.
const APP_MANAGED: i64 = 0;
/// What Apps store to disconnect: `null` or `{}`. The record is there and is given back, the connection is not.
const RESET: i64 = 2;
/// A connection whose removal has begun: its key may be gone already, so it is none any more, and may be written over.
const LEAVING: i64 = 3;

/// How long a store waits, time and again, for a disconnect that is under way: milliseconds.
const DISCONNECTING: [u64; 5] = [1, 4, 16, 64, 256];

/// What may be told about a connection without opening it.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Connection {
    /// With which App.
    pub app: String,
    /// Whose.
    pub user: String,
    /// Since when, Unix milliseconds.
    pub connected_at: i64,
    /// Last written, Unix milliseconds.
    pub updated_at: i64,
    /// When its record was last released to the App, Unix milliseconds. With several nodes, what another one released
    /// in the last seconds may be missing.
    #[serde(default)]
    pub last_used_at: Option<i64>,
    /// To what it was: the path of a call, or [`USED_BY_API`](super::USED_BY_API).
    #[serde(default)]
    pub last_used_by: Option<String>,
}

impl Grants {
    /// Releases the acting user's record to the App, byte for byte as it was stored. `to` is remembered as the
    /// connection's last use.
    pub async fn record(&self, act: &Act<'_>, to: Use<'_>) -> Result<Option<SecretBytes>, Error> {
        self.permitted(act.app).await?;
        let Some(row) = self.connections.get(act.app.as_str(), act.actor).await? else { return Ok(None) };
        if row.kind == LEAVING {
            return Ok(None);
        }
        self.note(audit::Act::ConnectionReleased, act, act.reason).await?;
        let record = self.open_connection(act, &row).await?;
        if row.kind != RESET {
            self.uses.note(act.app.as_str(), act.actor, self.env.now_ms(), to);
        }
        Ok(Some(record))
    }

    /// Keeps the acting user's record in place of the one before. `bytes` must be one JSON value.
    ///
    /// # Errors
    /// Also when the one before does not open: its key may come back, so it is not written over (OS-45). Who wants it
    /// gone disconnects.
    pub async fn put_record(&self, act: &Act<'_>, bytes: &[u8]) -> Result<Change, Error> {
        self.permitted(act.app).await?;
        let _turn = self.versions.turn(act.app.as_str(), act.actor).await;
        let (mut waited, mut ours) = (0, None);
        for _ in 0..ATTEMPTS {
            let row = self.connections.get(act.app.as_str(), act.actor).await?;
            // One that we wrote a moment ago, under a key that a disconnect destroyed, is ours to replace; and one that
            // is being removed is anybody's.
            let replaceable = |row: &ConnectionRow| row.kind == LEAVING || Some(row.generation) == ours;
            if let Some(row) = row.as_ref().filter(|row| !replaceable(row)) {
                match self.open_connection(act, row).await {
                    Ok(now) if now.expose() == bytes => return Ok(Change::None),
                    Ok(_) => {}
                    // A disconnect destroys the key before the row: then the row is gone in a moment.
                    Err(Error::Vault(vault::Error::NoDataKey)) if waited < DISCONNECTING.len() => {
                        tokio::time::sleep(Duration::from_millis(DISCONNECTING[waited])).await;
                        waited += 1;
                        continue;
                    }
                    Err(error) => return Err(error),
                }
            }
            let now = self.env.now_ms();
            let before = row.as_ref().map(|row| row.generation);
            let generation = self.versions.after(before, now);
            let mark = mark(act.actor, generation);
            self.note_row(audit::Act::ConnectionStored, act, act.reason, mark).await?;
            let sealed = self.vault.seal(&place(act, generation), bytes).await?;
            let fresh = ConnectionRow {
                app: act.app.as_str().to_owned(),
                user: act.actor.to_owned(),
                kind: kind_of(bytes),
                generation,
                sealed: sealed.as_bytes().to_vec(),
                // Who disconnected and connects again is connected since now.
                created_at: row.as_ref().filter(|row| is_one(row)).map_or(now, |row| row.created_at),
                updated_at: now,
            };
            let print = self.audit.prints().connection(&fresh);
            if self.connections.put(fresh, before).await? {
                self.confirm_written(act, audit::RowMark { print: Some(&print), ..mark });
                if self.vault.is_live(&sealed).await? {
                    return Ok(Change::Made);
                }
                ours = Some(generation);
            }
            // Either another writer came first, or a disconnect destroyed the key we sealed with: once more.
        }
        Err(Error::Contended)
    }

    /// Removes the acting user's record and destroys its key. False when there was none.
    pub async fn disconnect(&self, act: &Act<'_>) -> Result<bool, Error> {
        self.permitted(act.app).await?;
        let _turn = self.versions.turn(act.app.as_str(), act.actor).await;
        match self.connections.get(act.app.as_str(), act.actor).await? {
            None => Ok(false),
            Some(row) => self.remove(act, &row).await,
        }
    }

    /// The same by the person whose connection it is, whatever the App may do now. False when there was none.
    pub async fn end(&self, act: &Act<'_>) -> Result<bool, Error> {
        let _turn = self.versions.turn(act.app.as_str(), act.actor).await;
        let row = self.connections.get(act.app.as_str(), act.actor).await?;
        match row.filter(|row| row.kind != RESET) {
            None => Ok(false),
            Some(row) => self.remove(act, &row).await,
        }
    }

    async fn remove(&self, act: &Act<'_>, row: &ConnectionRow) -> Result<bool, Error> {
        let mark = mark(act.actor, row.generation);
        self.note_row(audit::Act::ConnectionRemoved, act, act.reason, mark).await?;
        // Where the rest fails, or never comes, the row itself says that its key may be gone on purpose.
        self.connections.mark(act.app.as_str(), act.actor, row.generation, LEAVING).await?;
        // The key first: a writer who sealed with it then finds it gone, however the two interleave.
        if let Err(failed) = self.vault.shred(act.app.as_str(), act.actor).await {
            // Nothing was destroyed, so nothing is leaving. Should this fail too, what was asked for is half done.
            let _ = self.connections.mark(act.app.as_str(), act.actor, row.generation, row.kind).await;
            return Err(failed.into());
        }
        let removed = self.connections.delete(act.app.as_str(), act.actor).await?;
        self.uses.forget(act.app.as_str(), act.actor);
        if let Some(generation) = removed {
            self.versions.removed(generation);
            self.confirm_removed(act, audit::RowMark { generation, ..mark });
        }
        Ok(removed.is_some())
    }

    /// Whether the user has a connection with the App. Nothing is opened.
    pub async fn is_connected(&self, act: &Act<'_>) -> Result<bool, Error> {
        let row = self.connections.get(act.app.as_str(), act.actor).await?;
        Ok(row.is_some_and(|row| is_one(&row)))
    }

    /// A user's connections, without their contents.
    pub async fn of_user(&self, user: &str) -> Result<Vec<Connection>, Error> {
        let rows = self.connections.list_user(user).await?;
        let waiting = self.uses.of(&rows);
        Ok(told(rows, waiting, self.connections.uses_of(user).await?))
    }

    /// An App's connections, without their contents: up to `limit` of those after the user id `after`.
    pub async fn of_app(&self, app: &str, after: &str, limit: i64) -> Result<Vec<Connection>, Error> {
        let rows = self.connections.list_app(app, after, limit).await?;
        let waiting = self.uses.of(&rows);
        let Some(last) = rows.last().map(|row| row.user.clone()) else { return Ok(Vec::new()) };
        Ok(told(rows, waiting, self.connections.uses_of_app(app, after, &last).await?))
    }

    async fn open_connection(&self, act: &Act<'_>, row: &ConnectionRow) -> Result<SecretBytes, Error> {
        let sealed = Sealed::from_bytes(row.sealed.clone());
        Ok(self.vault.open_sealed(&place(act, row.generation), &sealed).await?)
    }
}

fn kind_of(bytes: &[u8]) -> i64 {
    match bytes.trim_ascii() {
        b"null" | b"{}" => RESET,
        _ => APP_MANAGED,
    }
}

/// Whether a row is a connection that people are told of.
fn is_one(row: &ConnectionRow) -> bool {
    !matches!(row.kind, RESET | LEAVING)
}

/// What may be told of each connection, with its last use: the later one of `waiting`, which is in the rows' order,
/// and `stored`.
fn told(rows: Vec<ConnectionRow>, waiting: Vec<Option<Used>>, stored: Vec<UseRow>) -> Vec<Connection> {
    let stored = stored.into_iter().map(|row| ((row.app, row.user), (row.used_at, row.used_by)));
    let mut stored: HashMap<_, _> = stored.collect();
    let mut told = Vec::with_capacity(rows.len());
    for (row, waiting) in rows.into_iter().zip(waiting) {
        if !is_one(&row) {
            continue;
        }
        let key = (row.app, row.user);
        let stored = stored.remove(&key);
        let waiting = waiting.map(|used| (used.at, used.by.into_owned()));
        let used = match (waiting, stored) {
            (Some(waiting), Some(stored)) if stored.0 > waiting.0 => Some(stored),
            (waiting, stored) => waiting.or(stored),
        };
        // A use by a request that was under way when this connection's predecessor ended is none of this one.
        let (at, by) = used.filter(|(at, _)| *at >= row.created_at).unzip();
        told.push(Connection {
            app: key.0,
            user: key.1,
            connected_at: row.created_at,
            updated_at: row.updated_at,
            last_used_at: at,
            last_used_by: by,
        });
    }
    told
}

pub(super) fn mark(user: &str, generation: i64) -> audit::RowMark<'_> {
    audit::RowMark { table: Table::Connections, user, generation, print: None }
}

fn place<'a>(act: &Act<'a>, generation: i64) -> Place<'a> {
    Place { purpose: Purpose::Connection, app: act.app.as_str(), user: act.actor, generation }
}
