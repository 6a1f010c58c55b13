//! The registry: an installed App, its manifest, what it was granted. Owner of the tables `manifests` and `apps`.
//!
//! An App's own secrets (JWT key, webhook secret, Mattermost OAuth client) lie sealed beside its record.

mod record;

use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::unsync::Cache;
use tessera_types::error::Kind;
use tessera_types::{App, AppId, Manifest, json};

use crate::env::Env;
use crate::store::{self, AppRow};
use crate::vault::{self, Vault};

/// What the registry answers when an App is not there as wanted. The texts are the wire's (section 0.7, EN).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such App.
    #[error("app {0} is not installed: not found")]
    NotInstalled(AppId),
    /// An administrator disabled it.
    #[error("app is disabled by the administrator: {0}: forbidden")]
    Disabled(AppId),
    /// Its listing was removed.
    #[error("app is no longer listed: {0}: forbidden")]
    NotListed(AppId),
    /// Someone else changed the record again and again while we tried to.
    #[error("the record of app {0} is being changed by others: try again")]
    Contended(AppId),
    /// A stored record does not decode.
    #[error("the stored record of app {app} is damaged: {reason}")]
    Damaged {
        /// Whose record.
        app: AppId,
        /// What the decoder said.
        reason: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A secret of the record could not be sealed or opened.
    #[error(transparent)]
    Vault(#[from] vault::Error),
}

impl Error {
    /// The kind in the wire's error model (section 12.1).
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotInstalled(_) => Kind::NotFound,
            Self::Disabled(_) | Self::NotListed(_) => Kind::Forbidden,
            _ => Kind::Other,
        }
    }
}

/// How many decoded records stay in memory.
const HELD: usize = 1_024;
/// How often a change is tried again when others get in between.
const ATTEMPTS: usize = 16;

/// Listed manifests and installed Apps.
pub struct Registry {
    rows: store::Apps,
    vault: Arc<Vault>,
    env: Env,
    decoded: Mutex<Cache<String, (i64, Arc<App>)>>,
}

impl Registry {
    /// A registry over the store.
    pub fn new(rows: store::Apps, vault: Arc<Vault>, env: Env) -> Self {
        Self { rows, vault, env, decoded: Mutex::new(Cache::new(HELD)) }
    }

    /// The manifest under which an App is listed.
    pub async fn manifest(&self, id: &AppId) -> Result<Option<Manifest>, Error> {
        let Some(text) = self.rows.manifest(id.as_str()).await? else { return Ok(None) };
        json::from_slice_strict(text.as_bytes()).map(Some).map_err(|error| damaged(id, &error))
    }

    /// Lists a manifest, in place of the one before.
    pub async fn list_manifest(&self, id: &AppId, manifest: &Manifest) -> Result<(), Error> {
        let text = String::from_utf8_lossy(&encode(id, manifest)?).into_owned();
        Ok(self.rows.put_manifest(id.as_str(), &text, self.env.now_ms()).await?)
    }

    /// Every listed manifest.
    pub async fn manifests(&self) -> Result<Vec<Manifest>, Error> {
        let listed = self.rows.manifests().await?;
        listed
            .iter()
            .map(|(app, text)| {
                json::from_slice_strict(text.as_bytes())
                    .map_err(|error| damaged(&AppId::unchecked(app.as_str()), &error))
            })
            .collect()
    }

    /// An installed App, enabled or not.
    pub async fn get(&self, id: &AppId) -> Result<Option<Arc<App>>, Error> {
        Ok(self.load(id).await?.map(|(app, _)| app))
    }

    /// An installed App, or the error that says it is not.
    pub async fn installed(&self, id: &AppId) -> Result<Arc<App>, Error> {
        self.get(id).await?.ok_or_else(|| Error::NotInstalled(id.clone()))
    }

    /// An App that may be called: installed, enabled and still listed (section 0.7, EN).
    pub async fn callable(&self, id: &AppId) -> Result<Arc<App>, Error> {
        let app = self.installed(id).await?;
        if app.disabled {
            return Err(Error::Disabled(id.clone()));
        }
        if self.rows.manifest(id.as_str()).await?.is_none() {
            return Err(Error::NotListed(id.clone()));
        }
        Ok(app)
    }

    /// Every installed App.
    pub async fn all(&self) -> Result<Vec<Arc<App>>, Error> {
        let mut apps = Vec::new();
        for row in self.rows.list().await? {
            apps.push(self.decode(&AppId::unchecked(row.app.as_str()), &row).await?);
        }
        Ok(apps)
    }

    /// Changes a record, or makes one from nothing: `change` gets what is there now and gives what shall be.
    /// It may run several times, as others may change the same record at the same moment.
    pub async fn change(
        &self,
        id: &AppId,
        change: impl Fn(Option<&App>) -> Result<App, Error> + Send,
    ) -> Result<Arc<App>, Error> {
        for _ in 0..ATTEMPTS {
            let now = self.load(id).await?;
            let next = change(now.as_ref().map(|(app, _)| app.as_ref()))?;
            let before = now.map(|(_, generation)| generation);
            // A fresh record starts at the time, so that no generation is ever used twice for one place.
            let generation = before.map_or(self.env.now_ms(), |generation| generation + 1);
            let row = self.encode(id, &next, generation).await?;
            if self.rows.put(row, before).await? {
                return self.installed(id).await;
            }
        }
        Err(Error::Contended(id.clone()))
    }

    /// Removes an installed App's record; its listing stays.
    pub async fn remove(&self, id: &AppId) -> Result<(), Error> {
        self.rows.delete(id.as_str()).await?;
        self.held().remove(id.as_str());
        Ok(())
    }

    async fn load(&self, id: &AppId) -> Result<Option<(Arc<App>, i64)>, Error> {
        let Some(row) = self.rows.get(id.as_str()).await? else { return Ok(None) };
        Ok(Some((self.decode(id, &row).await?, row.generation)))
    }

    async fn decode(&self, id: &AppId, row: &AppRow) -> Result<Arc<App>, Error> {
        if let Some((generation, app)) = self.held().get(id.as_str())
            && *generation == row.generation
        {
            return Ok(Arc::clone(app));
        }
        let app = Arc::new(self.decode_row(id, row).await?);
        self.held().insert(id.as_str().to_owned(), (row.generation, Arc::clone(&app)));
        Ok(app)
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Cache<String, (i64, Arc<App>)>> {
        self.decoded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn encode<T: serde::Serialize>(id: &AppId, value: &T) -> Result<Vec<u8>, Error> {
    json::to_vec(value).map_err(|error| damaged(id, &error))
}

fn damaged(id: &AppId, reason: &dyn std::fmt::Display) -> Error {
    Error::Damaged { app: id.clone(), reason: reason.to_string() }
}
