//! An App's credentials at the remote service: client id, secret and what else it keeps there.

use tessera_types::{OAuth2App, json};
use zeroize::Zeroizing;

use super::{ATTEMPTS, Act, Change, Error, Grants};
use crate::audit::{self, Table};
use crate::store::CredentialRow;
use crate::vault::{Place, Purpose, Sealed};

impl Grants {
    /// Releases an App's credentials to the App. Empty when none were stored.
    pub async fn credentials(&self, act: &Act<'_>) -> Result<OAuth2App, Error> {
        self.permitted(act.app).await?;
        self.note(audit::Act::CredentialsReleased, act, act.reason).await?;
        let row = self.credentials.get(act.app.as_str()).await?;
        match row {
            Some(row) => self.open_credentials(act, &row).await,
            None => Ok(OAuth2App::default()),
        }
    }

    /// Replaces an App's credentials as a whole; empty ones clear them.
    pub async fn put_credentials(&self, act: &Act<'_>, fresh: &OAuth2App) -> Result<Change, Error> {
        self.permitted(act.app).await?;
        self.keep_credentials(act, fresh).await
    }

    pub(super) async fn keep_credentials(&self, act: &Act<'_>, fresh: &OAuth2App) -> Result<Change, Error> {
        let plain = Zeroizing::new(json::to_vec(fresh).map_err(|_| Error::Damaged(act.app.clone()))?);
        let fingerprint = self.vault.fingerprint(&plain);
        let _turn = self.versions.turn(act.app.as_str(), "").await;
        for _ in 0..ATTEMPTS {
            let row = self.credentials.get(act.app.as_str()).await?;
            let mut change = Change::Made;
            // Ones that do not open are not written over: their key may come back (OS-45).
            if let Some(row) = &row
                && let now = self.open_credentials(act, row).await?
                && json::to_vec(&now).is_ok_and(|now| Zeroizing::new(now) == plain)
            {
                change = Change::None;
                if row.updated_by == act.actor {
                    return Ok(change);
                }
                // The same, yet from another hand: whose word it is decides what it declares (OS-08).
            }
            if row.is_none() && fresh.is_empty() {
                return Ok(Change::None);
            }
            let before = row.as_ref().map(|row| row.generation);
            let generation = self.versions.after(before, self.env.now_ms());
            let mark = mark(generation);
            self.note_row(audit::Act::CredentialsStored, act, &fingerprint, mark).await?;
            let sealed = self.vault.seal(&place(act, generation), &plain).await?;
            let row = CredentialRow {
                app: act.app.as_str().to_owned(),
                generation,
                sealed: sealed.into_bytes(),
                updated_at: self.env.now_ms(),
                updated_by: act.actor.to_owned(),
            };
            let print = self.audit.prints().credential(&row);
            if self.credentials.put(row, before).await? {
                self.confirm_written(act, audit::RowMark { print: Some(&print), ..mark });
                self.managed.client_changed(act.app.as_str()).await?;
                return Ok(change);
            }
        }
        Err(Error::Contended)
    }

    /// The remote service's root that a person declared with the credentials. What a bot stored declares nothing
    /// (OS-08). Nothing is released to the App, so nothing is audited.
    pub async fn declared_root(&self, act: &Act<'_>) -> Result<Option<String>, Error> {
        let Some(row) = self.credentials.get(act.app.as_str()).await? else { return Ok(None) };
        let app = self.apps.installed(act.app).await?;
        if row.updated_by == app.bot_user_id {
            return Ok(None);
        }
        let root = self.open_credentials(act, &row).await?.remote_root_url;
        Ok(Some(root).filter(|root| !root.is_empty()))
    }

    async fn open_credentials(&self, act: &Act<'_>, row: &CredentialRow) -> Result<OAuth2App, Error> {
        let sealed = Sealed::from_bytes(row.sealed.clone());
        let plain = self.vault.open_sealed(&place(act, row.generation), &sealed).await?;
        json::from_slice_strict(plain.expose()).map_err(|_| Error::Damaged(act.app.clone()))
    }
}

pub(super) fn mark(generation: i64) -> audit::RowMark<'static> {
    audit::RowMark { table: Table::Credentials, user: "", generation, print: None }
}

fn place<'a>(act: &Act<'a>, generation: i64) -> Place<'a> {
    Place { purpose: Purpose::AppCredentials, app: act.app.as_str(), user: "", generation }
}
