//! Root key, data keys, [`Sealed`]: seal and open with associated data (decisions.md section 5).
//!
//! Only this room opens a `Sealed`. A data key belongs to one (App, user) or one App record, is wrapped by the
//! root key and lies apart from the data, so that destroying it makes every copy of what it sealed unreadable.
//! Owner of the table `data_keys`.

mod keyring;
mod root;
mod sealed;

use std::sync::atomic::AtomicU64;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use sha2::Sha256;
use tessera_types::SecretBytes;

use crate::env::Env;
use crate::store::{Keys, Meta};
use keyring::Keyring;
pub use root::{RootKey, RootKeyError};
use sealed::Header;
pub use sealed::Sealed;

/// What a sealed value is. Part of its associated data: a value sealed for one purpose opens for no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// An App's OAuth2 record: client id, secret, data.
    AppCredentials,
    /// A user's OAuth2 record with an App.
    Connection,
    /// An App's own secrets: JWT, webhook, Mattermost OAuth client.
    AppSecrets,
    /// A token that an App acts with.
    AppToken,
    /// A callback's query, kept while its owner signs in.
    Parked,
    /// What a managed connection keeps from its App: a refresh token above all.
    Held,
    /// What a flow with a managed App keeps until it comes back: the proof key above all.
    Flow,
    /// What is needed to end a grant at its provider.
    Outbox,
    /// A call that waits for its person to agree.
    Asked,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::AppCredentials => "app-credentials",
            Self::Connection => "connection",
            Self::AppSecrets => "app-secrets",
            Self::AppToken => "app-token",
            Self::Parked => "parked",
            Self::Held => "held",
            Self::Flow => "flow",
            Self::Outbox => "outbox",
            Self::Asked => "asked",
        }
    }
}

/// Where a sealed value lies: all of it is bound into the seal.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// What it is.
    pub purpose: Purpose,
    /// Whose App's.
    pub app: &'a str,
    /// Which user's; empty for what belongs to the App as a whole.
    pub user: &'a str,
    /// The row's generation.
    pub generation: i64,
}

/// What a keyed look-up hash is of. Hashes of one domain say nothing in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// A person's session token.
    Session,
    /// A token that an App acts with.
    AppToken,
    /// An OAuth2 state.
    State,
    /// The cookie that binds a flow to a browser.
    Flow,
    /// The cookie of a parked callback.
    Parked,
    /// A secret's fingerprint in the audit log.
    Fingerprint,
    /// The token of a form that a page carries.
    Form,
    /// What a link carries for a call that waits.
    Asked,
}

impl Domain {
    fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::AppToken => "app-token",
            Self::State => "state",
            Self::Flow => "flow",
            Self::Parked => "parked",
            Self::Fingerprint => "fingerprint",
            Self::Form => "form",
            Self::Asked => "asked",
        }
    }
}

/// What can go wrong in the vault. No variant carries a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a sealed value.
    #[error("a stored secret is damaged: it has not the form of a sealed value")]
    Malformed,
    /// Sealed by a newer Tessera.
    #[error("a stored secret has format {version}.{algorithm}, which this version does not know")]
    UnknownFormat {
        /// The version byte.
        version: u8,
        /// The algorithm byte.
        algorithm: u8,
    },
    /// Sealed under another root key.
    #[error("a stored secret is sealed under root key {found}, and the one in use is {expected}")]
    OtherRootKey {
        /// The id in the value.
        found: String,
        /// The id of the key in use.
        expected: String,
    },
    /// The data key was destroyed, or the key store is not the one that belongs to the data.
    #[error("the data key of a stored secret is gone: it was destroyed, or the key store is another one")]
    NoDataKey,
    /// The seal does not fit: another place, another generation, or altered bytes.
    #[error("a stored secret does not open in its place: it was altered or moved")]
    Broken,
    /// The store was made with another root key.
    #[error(
        "this data was made with root key {expected}, and the configured one is {found}: \
         put the right key back (nothing was changed)"
    )]
    WrongRootKey {
        /// The id recorded with the data.
        expected: String,
        /// The id of the configured key.
        found: String,
    },
    /// No random bytes.
    #[error(transparent)]
    Rng(#[from] crate::env::RngError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] crate::store::Error),
}

/// Seals and opens; hashes for look-up.
pub struct Vault {
    tenant: String,
    env: Env,
    root_id: [u8; 8],
    /// Keyed once: what a digest needs of the key is then a copy.
    digester: Hmac<Sha256>,
    keyring: Keyring,
    opens: [Counter<u64, AtomicU64>; 2],
}

/// Under which name the data says which root key it was made with.
pub const ROOT_KEY_ID: &str = "root_key_id";

fn root_id(root: &RootKey) -> [u8; 8] {
    *root.derive::<8>("tessera/root-key-id/v1")
}

impl Vault {
    /// Opens the vault over the key store. Data made with another root key is refused and left as it is (OS-45).
    pub async fn open(root: &RootKey, keys: Keys, meta: &Meta, env: Env) -> Result<Self, Error> {
        let root_id = root_id(root);
        let recorded = meta.put_if_absent(ROOT_KEY_ID, &root_id).await?;
        if recorded != root_id {
            return Err(Error::WrongRootKey { expected: hex(&recorded), found: hex(&root_id) });
        }
        let tenant = hex(&meta.put_if_absent("tenant", &env.bytes::<16>()?).await?);
        let keyring = Keyring::new(root, root_id, tenant.clone(), keys, env.clone());
        let digester = root.hmac("tessera/digest/v1");
        Ok(Self { tenant, env, root_id, digester, keyring, opens: Default::default() })
    }

    /// Whether data was made with this root key; None where none was made yet.
    ///
    /// # Errors
    /// [`Error::WrongRootKey`] where it was made with another.
    pub async fn fits(root: &RootKey, meta: &Meta) -> Result<Option<()>, Error> {
        let Some(recorded) = meta.get(ROOT_KEY_ID).await? else { return Ok(None) };
        let root_id = root_id(root);
        match recorded == root_id {
            true => Ok(Some(())),
            false => Err(Error::WrongRootKey { expected: hex(&recorded), found: hex(&root_id) }),
        }
    }

    /// Announces what is counted.
    pub fn announce(&self, registry: &mut Registry) {
        let [opened, failed] = &self.opens;
        registry.register("sealed_opens", "Stored secrets that were opened", opened.clone());
        registry.register(
            "sealed_open_failures",
            "Stored secrets that did not open: damaged, moved, or without their key",
            failed.clone(),
        );
    }

    /// Seals a secret for its place, making the place's data key if there is none.
    pub async fn seal(&self, place: &Place<'_>, plain: &[u8]) -> Result<Sealed, Error> {
        let (id, key) = self.keyring.for_writing(place.app, place.user).await?;
        let header = Header { root_key: self.root_id, data_key: id };
        let nonce = self.env.bytes::<{ sealed::NONCE }>()?;
        let payload = Payload { msg: plain, aad: &header.associated_data(&self.tenant, place) };
        let ciphertext = cipher(&key).encrypt(&XNonce::from(nonce), payload).map_err(|_| Error::Broken)?;
        Ok(Sealed::assemble(&header, &nonce, &ciphertext))
    }

    /// Opens a secret in its place.
    pub async fn open_sealed(&self, place: &Place<'_>, sealed: &Sealed) -> Result<SecretBytes, Error> {
        let opened = self.open_in(place, sealed).await;
        self.opens[usize::from(opened.is_err())].inc();
        opened
    }

    async fn open_in(&self, place: &Place<'_>, sealed: &Sealed) -> Result<SecretBytes, Error> {
        let (header, nonce, ciphertext) = sealed.parts()?;
        if header.root_key != self.root_id {
            return Err(Error::OtherRootKey { found: hex(&header.root_key), expected: hex(&self.root_id) });
        }
        let key = self.keyring.for_reading(&header.data_key, place.app, place.user).await?;
        let payload = Payload { msg: ciphertext, aad: &header.associated_data(&self.tenant, place) };
        let plain = cipher(&key).decrypt(&XNonce::from(nonce), payload).map_err(|_| Error::Broken)?;
        Ok(SecretBytes::new(plain))
    }

    /// Whether the data key of a value still exists: one that was just sealed may have lost it to a disconnect.
    pub async fn is_live(&self, sealed: &Sealed) -> Result<bool, Error> {
        self.keyring.exists(&sealed.parts()?.0.data_key).await
    }

    /// Destroys the data key of one (App, user): what it sealed is unreadable from now on, in every backup too.
    pub async fn shred(&self, app: &str, user: &str) -> Result<(), Error> {
        self.keyring.shred(app, user).await
    }

    /// Destroys every data key of an App.
    pub async fn shred_app(&self, app: &str) -> Result<(), Error> {
        self.keyring.shred_app(app).await
    }

    /// A keyed hash under which a token is looked up: equal tokens, equal hashes, and nothing else to learn.
    pub fn digest(&self, domain: Domain, bytes: &[u8]) -> [u8; 32] {
        let mut mac = self.digester.clone();
        mac.update(domain.name().as_bytes());
        mac.update(&[0]);
        mac.update(bytes);
        mac.finalize().into_bytes().into()
    }

    /// A short keyed fingerprint for the audit log: tells whether two secrets were equal, and no part of them (OS-50).
    pub fn fingerprint(&self, secret: &[u8]) -> String {
        hex(&self.digest(Domain::Fingerprint, secret)[..8])
    }

    /// The id of the root key in use, in hexadecimal.
    pub fn root_key_id(&self) -> String {
        hex(&self.root_id)
    }
}

fn cipher(key: &[u8; 32]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.into())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
