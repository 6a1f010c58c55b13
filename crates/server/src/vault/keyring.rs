//! Data keys: one per (App, user) or App record, wrapped by the root key, unwrapped copies held in memory.
//!
//! A wrapped key: algorithm byte, nonce, then ciphertext and tag. Associated data: a label, the root key's id,
//! the data key's id, tenant, App and user.

use std::sync::{Arc, Mutex, PoisonError};

use chacha20poly1305::XNonce;
use chacha20poly1305::aead::{Aead as _, Payload};
use quick_cache::unsync::Cache;
use zeroize::Zeroizing;

use super::sealed::{NONCE, XCHACHA20_POLY1305, push_part};
use super::{Error, RootKey, cipher, hex};
use crate::env::Env;
use crate::store::{DataKeyRow, Keys};

type DataKey = Arc<Zeroizing<[u8; 32]>>;
type KeyId = [u8; 16];

/// How many unwrapped keys stay in memory: 64 bytes each and the map around them.
const HELD: usize = 32_768;

pub(super) struct Keyring {
    root_id: [u8; 8],
    wrapping: Zeroizing<[u8; 32]>,
    tenant: String,
    keys: Keys,
    env: Env,
    held: Mutex<Cache<KeyId, Held>>,
}

/// An unwrapped key, and whose it is: a reference to another place's key is refused, cached or not.
struct Held {
    app: String,
    user: String,
    key: DataKey,
}

impl Keyring {
    pub(super) fn new(root: &RootKey, root_id: [u8; 8], tenant: String, keys: Keys, env: Env) -> Self {
        let wrapping = root.derive("tessera/wrap/v1");
        Self { root_id, wrapping, tenant, keys, env, held: Mutex::new(Cache::new(HELD)) }
    }

    /// The key that seals new values of this place.
    pub(super) async fn for_writing(&self, app: &str, user: &str) -> Result<(KeyId, DataKey), Error> {
        let row = match self.keys.get_for(app, user).await? {
            Some(row) => row,
            None => {
                let id = self.env.bytes()?;
                let fresh = Zeroizing::new(self.env.bytes::<32>()?);
                let row = DataKeyRow {
                    id,
                    app: app.to_owned(),
                    user: user.to_owned(),
                    wrapped: self.wrap(&id, app, user, &fresh)?,
                    root_key: hex(&self.root_id),
                    created_at: self.env.now_ms(),
                };
                // Two writers may race: both go on with the key of the one who won.
                self.keys.insert_if_absent(row).await?
            }
        };
        let key = match self.held(&row.id, app, user) {
            Some(key) => key,
            None => self.unwrap(&row)?,
        };
        Ok((row.id, key))
    }

    /// The key that a stored value names, if it is this place's.
    pub(super) async fn for_reading(&self, id: &KeyId, app: &str, user: &str) -> Result<DataKey, Error> {
        if let Some(key) = self.held(id, app, user) {
            return Ok(key);
        }
        let row = self.keys.get(id).await?.ok_or(Error::NoDataKey)?;
        if row.app != app || row.user != user {
            return Err(Error::Broken);
        }
        self.unwrap(&row)
    }

    pub(super) async fn exists(&self, id: &KeyId) -> Result<bool, Error> {
        Ok(self.keys.get(id).await?.is_some())
    }

    pub(super) async fn shred(&self, app: &str, user: &str) -> Result<(), Error> {
        self.keys.delete_for(app, user).await?;
        self.forget(|held| held.app == app && held.user == user);
        Ok(())
    }

    pub(super) async fn shred_app(&self, app: &str) -> Result<(), Error> {
        self.keys.delete_app(app).await?;
        self.forget(|held| held.app == app);
        Ok(())
    }

    fn held(&self, id: &KeyId, app: &str, user: &str) -> Option<DataKey> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(id).filter(|held| held.app == app && held.user == user).map(|held| Arc::clone(&held.key))
    }

    fn forget(&self, is_gone: impl Fn(&Held) -> bool) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, held| !is_gone(held));
    }

    fn associated_data(&self, id: &KeyId, app: &str, user: &str) -> Vec<u8> {
        let mut data = b"tessera-data-key-v1".to_vec();
        data.extend_from_slice(&self.root_id);
        data.extend_from_slice(id);
        for part in [self.tenant.as_str(), app, user] {
            push_part(&mut data, part);
        }
        data
    }

    fn wrap(&self, id: &KeyId, app: &str, user: &str, key: &[u8; 32]) -> Result<Vec<u8>, Error> {
        let nonce = self.env.bytes::<NONCE>()?;
        let payload = Payload { msg: &key[..], aad: &self.associated_data(id, app, user) };
        let ciphertext =
            cipher(&self.wrapping).encrypt(&XNonce::from(nonce), payload).map_err(|_| Error::Broken)?;
        Ok([&[XCHACHA20_POLY1305][..], &nonce, &ciphertext].concat())
    }

    fn unwrap(&self, row: &DataKeyRow) -> Result<DataKey, Error> {
        if row.root_key != hex(&self.root_id) {
            return Err(Error::OtherRootKey { found: row.root_key.clone(), expected: hex(&self.root_id) });
        }
        let rest = match row.wrapped.split_first() {
            Some((&XCHACHA20_POLY1305, rest)) => rest,
            Some((&algorithm, _)) => {
                return Err(Error::UnknownFormat { version: super::sealed::VERSION, algorithm });
            }
            None => return Err(Error::Malformed),
        };
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE>().ok_or(Error::Malformed)?;
        let payload = Payload { msg: ciphertext, aad: &self.associated_data(&row.id, &row.app, &row.user) };
        let plain = Zeroizing::new(
            cipher(&self.wrapping).decrypt(&XNonce::from(*nonce), payload).map_err(|_| Error::Broken)?,
        );
        let mut bytes = Zeroizing::new([0; 32]);
        if plain.len() != bytes.len() {
            return Err(Error::Malformed);
        }
        bytes.copy_from_slice(&plain);
        let key: DataKey = Arc::new(bytes);
        let held = Held { app: row.app.clone(), user: row.user.clone(), key: Arc::clone(&key) };
        self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(row.id, held);
        Ok(key)
    }
}
