//! Connections: one user's record with one App.

use std::sync::Arc;
use std::time::Duration;

use tessera_types::SecretBytes;

use super::managed::{APP_MANAGED, MANAGED, Want, fault};
use super::standing::Standing;
use super::{ATTEMPTS, Act, Change, Error, Grants, Use};
use crate::audit::{self, Table};
use crate::store::{ConnectionRow, OutboxRow};
use crate::vault::{self, Place, Purpose, Sealed};

/// What Apps store to disconnect: `null` or `{}`. The record is there and is given back, the connection is not.
pub(super) const RESET: i64 = 2;
/// A connection whose removal has begun: its key may be gone already, so it is none any more, and may be written over.
pub(super) const LEAVING: i64 = 3;

/// How long a store waits, time and again, for a disconnect that is under way: milliseconds.
const DISCONNECTING: [u64; 5] = [1, 4, 16, 64, 256];

/// A record that is released, and how its connection stands.
#[derive(Debug)]
pub struct Released {
    /// The record; None where there is none to be given.
    pub record: Option<SecretBytes>,
    /// How it stands.
    pub standing: Standing,
}

impl Released {
    fn none(standing: Standing) -> Self {
        Self { record: None, standing }
    }
}

impl Grants {
    /// Releases the acting user's record to the App: byte for byte as it was stored, or, of a managed connection, a
    /// token with as much life left as is wanted. `to` is remembered as the connection's last use.
    ///
    /// # Errors
    /// Also [`Error::Unavailable`] and [`Error::TooShort`], where there is no such token to be had.
    pub async fn record(&self, act: &Act<'_>, to: Use<'_>, want: Want) -> Result<Released, Error> {
        self.permitted(act.app).await?;
        let row = match self.connections.get(act.app.as_str(), act.actor).await? {
            Some(row) => row,
            // On the heap, as it is rare and large: every read's future would carry it.
            None => match Box::pin(self.own_connection(act)).await? {
                Some(row) => row,
                None => return Ok(Released::none(Standing::NotConnected)),
            },
        };
        self.release(act, row, to, want).await
    }

    /// Releases what a row holds, or what it holds once it is fresh enough.
    pub(super) async fn release(
        &self,
        act: &Act<'_>,
        row: Arc<ConnectionRow>,
        to: Use<'_>,
        want: Want,
    ) -> Result<Released, Error> {
        let (row, standing) = match row.kind {
            LEAVING => return Ok(Released::none(Standing::NotConnected)),
            MANAGED => match self.managed.at_once(&row, want) {
                Some(standing) => (row, standing),
                None => match Box::pin(self.managed.live(act, row, want)).await? {
                    (None, standing) => return Ok(Released::none(standing)),
                    (Some(row), standing) => (row, standing),
                },
            },
            RESET => (row, Standing::NotConnected),
            _ => (row, Standing::Connected),
        };
        self.note(audit::Act::ConnectionReleased, act, act.reason).await?;
        let record = self.open_connection(act, &row).await?;
        if row.kind != RESET {
            self.uses.note(act.app.as_str(), act.actor, self.env.now_ms(), to);
        }
        Ok(Released { record: Some(record), standing })
    }

    /// The bot of a managed App may have a token of the client's own, made when it is first asked for.
    async fn own_connection(&self, act: &Act<'_>) -> Result<Option<Arc<ConnectionRow>>, Error> {
        if self.apps.installed(act.app).await?.bot_user_id != act.actor || !self.managed.own(act).await? {
            return Ok(None);
        }
        Ok(self.connections.get(act.app.as_str(), act.actor).await?)
    }

    /// Keeps the acting user's record in place of the one before. `bytes` must be one JSON value.
    ///
    /// # Errors
    /// Also when the one before does not open: its key may come back, so it is not written over (OS-45). Who wants it
    /// gone disconnects.
    pub async fn put_record(&self, act: &Act<'_>, bytes: &[u8]) -> Result<Change, Error> {
        self.permitted(act.app).await?;
        let there = self.connections.get(act.app.as_str(), act.actor).await?;
        if self.managed.refuses_store(act.app.as_str(), there.map(|row| row.kind)).await? {
            // decisions.md section 2: what Apps store to disconnect does so, and nothing else is theirs to store.
            return match kind_of(bytes) {
                RESET => {
                    let gone = Box::pin(self.disconnect(act)).await?;
                    Ok(if gone { Change::Made } else { Change::None })
                }
                _ => Err(Error::ManagedStore(act.app.clone())),
            };
        }
        let _turn = self.versions.turn(act.app.as_str(), act.actor).await;
        let (mut waited, mut ours) = (0, None);
        for _ in 0..ATTEMPTS {
            let row = self.connections.get(act.app.as_str(), act.actor).await?;
            let kind = row.as_ref().map(|row| row.kind);
            if kind == Some(MANAGED) && self.managed.refuses_store(act.app.as_str(), kind).await? {
                // Its person connected it while we waited for our turn.
                return Err(Error::ManagedStore(act.app.clone()));
            }
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
                managed: None,
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
            Some(row) => self.remove(act, act.actor, &row).await,
        }
    }

    /// The same by the person whose connection it is, whatever the App may do now. False when there was none.
    pub async fn end(&self, act: &Act<'_>) -> Result<bool, Error> {
        self.end_of(act, act.actor).await
    }

    /// The same of somebody else's connection: the log names who acted as the actor, and `user` with the row.
    pub async fn end_of(&self, act: &Act<'_>, user: &str) -> Result<bool, Error> {
        let (by, act) = (act.actor, &Act { actor: user, ..*act });
        let _turn = self.versions.turn(act.app.as_str(), user).await;
        let row = self.connections.get(act.app.as_str(), user).await?;
        match row.filter(|row| row.kind != RESET) {
            None => Ok(false),
            Some(row) => self.remove(act, by, &row).await,
        }
    }

    /// `act` says whose it is, `by` who ends it.
    async fn remove(&self, act: &Act<'_>, by: &str, row: &ConnectionRow) -> Result<bool, Error> {
        match row.kind {
            MANAGED => self.remove_managed(act, by).await,
            _ => self.remove_row(act, by, row, None).await,
        }
    }

    /// What must follow at the provider is in the outbox before the key goes. A refresh may write the row meanwhile: then
    /// it is read anew.
    async fn remove_managed(&self, act: &Act<'_>, by: &str) -> Result<bool, Error> {
        for _ in 0..ATTEMPTS {
            let Some(row) = self.connections.read(act.app.as_str(), act.actor).await? else {
                return Ok(false);
            };
            let then = self.managed.farewell(act, &row).await?;
            if row.kind != MANAGED {
                return self.remove_row(act, by, &row, None).await;
            }
            match self.remove_row(act, by, &row, Some(then)).await {
                Err(Error::Contended) => {}
                removed => {
                    self.managed.bell.notify_one();
                    return removed;
                }
            }
        }
        Err(Error::Contended)
    }

    /// Every managed connection of an App leaves, as its own removal is under way.
    pub(super) async fn end_all(&self, act: &Act<'_>) -> Result<(), Error> {
        loop {
            let rows = self.connections.managed_of(act.app.as_str(), "", 256).await?;
            if rows.is_empty() {
                self.managed.bell.notify_one();
                return Ok(());
            }
            for row in rows {
                let act = Act { actor: &row.user, ..*act };
                if let Some(then) = self.managed.farewell(&act, &row).await? {
                    self.connections.leave((&row.app, &row.user), row.generation, LEAVING, then).await?;
                } else {
                    self.connections.mark(&row.app, &row.user, row.generation, LEAVING).await?;
                }
            }
        }
    }

    /// `then` is what must follow at the provider of a managed one.
    async fn remove_row(
        &self,
        act: &Act<'_>,
        by: &str,
        row: &ConnectionRow,
        then: Option<Option<OutboxRow>>,
    ) -> Result<bool, Error> {
        let (mark, told) = (mark(act.actor, row.generation), Act { actor: by, ..*act });
        self.note_row(audit::Act::ConnectionRemoved, &told, act.reason, mark).await?;
        // Where the rest fails, or never comes, the row itself says that its key may be gone on purpose.
        let place = (act.app.as_str(), act.actor);
        match then {
            Some(Some(then)) => {
                if !self.connections.leave(place, row.generation, LEAVING, then).await? {
                    return Err(Error::Contended);
                }
                fault::point("leaving");
            }
            Some(None) => {
                if !self.connections.mark(place.0, place.1, row.generation, LEAVING).await? {
                    return Err(Error::Contended);
                }
            }
            None => {
                self.connections.mark(place.0, place.1, row.generation, LEAVING).await?;
            }
        }
        // The key first: a writer who sealed with it then finds it gone, however the two interleave.
        if let Err(failed) = self.vault.shred(act.app.as_str(), act.actor).await {
            // Nothing was destroyed, so nothing is leaving, but for a grant that will be ended at its provider by now.
            // Should this fail too, what was asked for is half done.
            if row.kind != MANAGED {
                let _ = self.connections.mark(act.app.as_str(), act.actor, row.generation, row.kind).await;
            }
            return Err(failed.into());
        }
        let removed = self.connections.delete(act.app.as_str(), act.actor).await?;
        self.uses.forget(act.app.as_str(), act.actor);
        if let Some(generation) = removed {
            self.versions.removed(generation);
            self.confirm_removed(&told, audit::RowMark { generation, ..mark });
        }
        Ok(removed.is_some())
    }

    /// Whether the user has a connection with the App. Nothing is opened.
    pub async fn is_connected(&self, act: &Act<'_>) -> Result<bool, Error> {
        let row = self.connections.get(act.app.as_str(), act.actor).await?;
        Ok(row.is_some_and(|row| is_one(&row)))
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
pub(super) fn is_one(row: &ConnectionRow) -> bool {
    !matches!(row.kind, RESET | LEAVING)
}

pub(super) fn mark(user: &str, generation: i64) -> audit::RowMark<'_> {
    audit::RowMark { table: Table::Connections, user, generation, print: None }
}

fn place<'a>(act: &Act<'a>, generation: i64) -> Place<'a> {
    Place { purpose: Purpose::Connection, app: act.app.as_str(), user: act.actor, generation }
}
