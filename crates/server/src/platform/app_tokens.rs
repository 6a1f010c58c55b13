//! Tokens that Apps act with: their life-cycle, the same on every platform (apps-framework.md section 4).
//!
//! The row that is handed out again is the row that is looked up, so a token that was ended anywhere is never
//! handed to an App (B-48). Rows name their App in a column of its own: ending those of `foo` leaves those of
//! `foobar` and `foo_bar` alone (B-26, B-27), and takes effect at once (B-28).

use std::collections::BTreeMap;
use std::sync::Arc;

use tessera_types::{AccessToken, AppId};

use super::Error;
use crate::env::Env;
use crate::store::{self, AppTokenRow};
use crate::vault::{self, Domain, Place, Purpose, Sealed, Vault};

/// How long a token lives, from when it is made or extended.
pub const LIFE_MS: i64 = 10 * 60 * 1_000;
/// With more than this left a token is handed out again as it is.
pub const REUSE_MS: i64 = 5 * 60 * 1_000;
/// How often a hand-out is tried again when others get in between.
const ATTEMPTS: usize = 32;
/// How many expired rows one sweep removes.
const SWEEP: i64 = 1_000;

/// For whom a token is.
#[derive(Debug, Clone, Copy)]
pub struct Holder<'a> {
    /// The App that will hold it.
    pub app: &'a AppId,
    /// The person or bot it acts as, by id.
    pub user: &'a str,
    /// Their roles now.
    pub roles: &'a str,
    /// Id and name of the App's OAuth client at the platform, when it has one (section 4.2).
    pub client: Option<(&'a str, &'a str)>,
}

/// What is known of a token without opening it (section 4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppSession {
    /// The session's id: no secret.
    pub id: String,
    /// The App.
    pub app: AppId,
    /// The person or bot.
    pub user_id: String,
    /// Their roles when it was made.
    pub roles: String,
    /// Always true: these sessions are made for an OAuth client.
    pub is_oauth: bool,
    /// Unix ms.
    pub created_at: i64,
    /// Unix ms.
    pub expires_at: i64,
    /// `csrf`, `os`, `browser`, `mattermost_app_id`; `platform` and `oauth_app_id` where the App has a client.
    pub props: BTreeMap<String, String>,
}

/// Under which name a row says by which id the platform knows the token.
pub const TOKEN_ID: &str = "token_id";

/// A token that is handed out.
pub struct Kept {
    /// The token.
    pub token: AccessToken,
    /// Under which hash it is stored.
    pub digest: [u8; 32],
    /// Unix ms.
    pub made_at: i64,
}

/// The tokens of every App.
pub struct Tokens {
    rows: store::AppTokens,
    vault: Arc<Vault>,
    env: Env,
}

impl Tokens {
    /// Over the store.
    pub fn new(rows: store::AppTokens, vault: Arc<Vault>, env: Env) -> Self {
        Self { rows, vault, env }
    }

    /// A token with more than [`REUSE_MS`] left: the current one as it is, or extended, else a new one
    /// (section 4.3). Callers at one moment get the same.
    pub async fn hand_out(&self, holder: &Holder<'_>) -> Result<AccessToken, Error> {
        for _ in 0..ATTEMPTS {
            let now = self.env.now_ms();
            let current = self.rows.current(holder.app.as_str(), holder.user).await?;
            if let Some(row) = &current
                && row.expires_at > now
                && let Some(token) = self.open(row).await?
            {
                if row.expires_at - now > REUSE_MS
                    || self.rows.extend(&row.digest, now + LIFE_MS, now).await?
                {
                    return Ok(token);
                }
                // Ended, expired or extended by another at this moment: look again.
                continue;
            }
            let (token, row) = self.make(holder, now).await?;
            if self.rows.make_current(row, current.map(|row| row.digest)).await? {
                return Ok(token);
            }
        }
        Err(Error::Contended("the token of an app"))
    }

    /// The token that is handed out for this App and user, whatever its end; for platforms where somebody else says how long
    /// it lives.
    pub async fn kept(&self, app: &AppId, user: &str) -> Result<Option<Kept>, Error> {
        let Some(row) = self.rows.current(app.as_str(), user).await? else { return Ok(None) };
        let (digest, made_at) = (row.digest, row.created_at);
        Ok(self.open(&row).await?.map(|token| Kept { token, digest, made_at }))
    }

    /// The ids by which the platform knows tokens of this App, where it knows any.
    pub async fn token_ids(&self, app: &AppId) -> Result<Vec<String>, Error> {
        let rows = self.rows.of_app(app.as_str()).await?.into_iter();
        let ids = rows.map(|row| Ok(AppSession::try_from(row)?.props.remove(TOKEN_ID)));
        ids.filter_map(Result::transpose).collect()
    }

    /// Tokens that the platform knows by an id and that were replaced before a moment (Unix ms): their hashes and ids.
    pub async fn replaced(&self, before: i64) -> Result<Vec<([u8; 32], String)>, Error> {
        let rows = self.rows.replaced(before, SWEEP).await?.into_iter();
        let ids = rows.map(|row| {
            let digest = row.digest;
            Ok(AppSession::try_from(row)?.props.remove(TOKEN_ID).map(|id| (digest, id)))
        });
        ids.filter_map(Result::transpose).collect()
    }

    /// Forgets one, by its hash.
    pub async fn forget(&self, digest: &[u8; 32]) -> Result<bool, Error> {
        Ok(self.rows.delete(digest).await?)
    }

    /// Keeps a token that the platform gave, in place of the one `before`; false when another came first.
    pub async fn keep(
        &self,
        holder: &Holder<'_>,
        token: &AccessToken,
        until: i64,
        props: BTreeMap<String, String>,
        before: Option<[u8; 32]>,
    ) -> Result<bool, Error> {
        let now = self.env.now_ms();
        let place = place(holder.app.as_str(), holder.user, now);
        let row = AppTokenRow {
            digest: self.digest(token),
            id: self.env.id()?,
            app: holder.app.as_str().to_owned(),
            user: holder.user.to_owned(),
            generation: now,
            sealed: self.vault.seal(&place, token.expose().as_bytes()).await?.into_bytes(),
            roles: holder.roles.to_owned(),
            props: serde_json::to_string(&props).map_err(|error| damaged(&error))?,
            csrf: String::new(),
            created_at: now,
            expires_at: until,
        };
        Ok(self.rows.make_current(row, before).await?)
    }

    /// Whether this token is in memory, valid, and whose. Asks no database.
    pub fn cached(&self, token: &AccessToken) -> Option<Arc<AppTokenRow>> {
        self.rows.cached(&self.digest(token)).filter(|row| row.expires_at > self.env.now_ms())
    }

    /// The row of a valid token.
    pub async fn find(&self, token: &AccessToken) -> Result<Option<Arc<AppTokenRow>>, Error> {
        let row = self.rows.find(&self.digest(token)).await?;
        Ok(row.filter(|row| row.expires_at > self.env.now_ms()))
    }

    /// The sessions in which Apps act as this user, unexpired, in the order of their Apps.
    pub async fn of_user(&self, user: &str) -> Result<Vec<AppSession>, Error> {
        let rows = self.rows.of_user(user, self.env.now_ms()).await?;
        rows.into_iter().map(AppSession::try_from).collect()
    }

    /// Ends every token of exactly this App, at once.
    pub async fn revoke_app(&self, app: &AppId) -> Result<u64, Error> {
        Ok(self.rows.delete_app(app.as_str()).await?)
    }

    /// Ends every token that acts as this user, at once.
    pub async fn revoke_user(&self, user: &str) -> Result<u64, Error> {
        Ok(self.rows.delete_user(user).await?)
    }

    /// Ends one token; false when it was none of ours.
    pub async fn revoke(&self, token: &AccessToken) -> Result<bool, Error> {
        Ok(self.rows.delete(&self.digest(token)).await?)
    }

    /// Removes what has expired, a bounded number at a time; returns how many.
    pub async fn sweep(&self) -> Result<u64, Error> {
        Ok(self.rows.sweep(self.env.now_ms(), SWEEP).await?)
    }

    async fn make(&self, holder: &Holder<'_>, now: i64) -> Result<(AccessToken, AppTokenRow), Error> {
        let token = AccessToken::new(self.env.id()?);
        let csrf = self.env.id()?;
        let mut props = BTreeMap::from([
            ("browser", "OAuth2"),
            ("csrf", csrf.as_str()),
            ("mattermost_app_id", holder.app.as_str()),
            ("os", "OAuth2"),
        ]);
        if let Some((id, name)) = holder.client {
            props.extend([("oauth_app_id", id), ("platform", name)]);
        }
        let props = serde_json::to_string(&props).map_err(|error| damaged(&error))?;
        let place = place(holder.app.as_str(), holder.user, now);
        let sealed = self.vault.seal(&place, token.expose().as_bytes()).await?.into_bytes();
        let row = AppTokenRow {
            digest: self.digest(&token),
            id: self.env.id()?,
            app: holder.app.as_str().to_owned(),
            user: holder.user.to_owned(),
            generation: now,
            sealed,
            roles: holder.roles.to_owned(),
            props,
            csrf,
            created_at: now,
            expires_at: now + LIFE_MS,
        };
        Ok((token, row))
    }

    /// The token of a row; None when its key was destroyed, as a disconnect does: the token still works for
    /// whoever holds it, but can't be handed out again.
    async fn open(&self, row: &AppTokenRow) -> Result<Option<AccessToken>, Error> {
        let place = place(&row.app, &row.user, row.generation);
        let plain = match self.vault.open_sealed(&place, &Sealed::from_bytes(row.sealed.clone())).await {
            Ok(plain) => plain,
            Err(vault::Error::NoDataKey) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let text =
            String::from_utf8(plain.expose().to_vec()).map_err(|error| damaged(&error.utf8_error()))?;
        Ok(Some(AccessToken::new(text)))
    }

    fn digest(&self, token: &AccessToken) -> [u8; 32] {
        self.vault.digest(Domain::AppToken, token.expose().as_bytes())
    }
}

impl TryFrom<AppTokenRow> for AppSession {
    type Error = Error;

    fn try_from(row: AppTokenRow) -> Result<Self, Error> {
        Ok(Self {
            id: row.id,
            app: AppId::unchecked(row.app),
            user_id: row.user,
            roles: row.roles,
            is_oauth: true,
            created_at: row.created_at,
            expires_at: row.expires_at,
            props: serde_json::from_str(&row.props).map_err(|error| damaged(&error))?,
        })
    }
}

fn place<'a>(app: &'a str, user: &'a str, generation: i64) -> Place<'a> {
    Place { purpose: Purpose::AppToken, app, user, generation }
}

fn damaged(reason: &dyn std::fmt::Display) -> Error {
    Error::Damaged { what: "app token", reason: reason.to_string() }
}

#[cfg(test)]
mod tests;
