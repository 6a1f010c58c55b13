//! The root key: 32 random bytes that wrap every data key and from which the look-up keys are derived.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use crate::env::Env;

const PREFIX: &str = "tessera-root-key-v1:";

/// A root key. Its text form is `tessera-root-key-v1:` and 43 characters of unpadded URL-safe base64.
pub struct RootKey {
    bytes: Zeroizing<[u8; 32]>,
}

/// Why a root key could not be had.
#[derive(Debug, thiserror::Error)]
pub enum RootKeyError {
    /// The text is not a root key; nothing of it is shown.
    #[error(
        "the root key is malformed: expected `{PREFIX}` followed by 43 base64url characters \
         (32 random bytes)"
    )]
    Malformed,
    /// The file cannot be read or written.
    #[error("root key file {path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others on this machine could read the file.
    #[error("root key file {path} can be read by others (mode {mode:03o}): run `chmod 600 {path}`")]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// No random bytes.
    #[error(transparent)]
    Rng(#[from] crate::env::RngError),
}

impl RootKey {
    /// A new key from the random source.
    pub fn generate(env: &Env) -> Result<Self, RootKeyError> {
        Ok(Self { bytes: Zeroizing::new(env.bytes()?) })
    }

    /// Reads the text form; surrounding white space is allowed.
    pub fn parse(text: &str) -> Result<Self, RootKeyError> {
        let encoded = text.trim().strip_prefix(PREFIX).ok_or(RootKeyError::Malformed)?;
        let decoded = Zeroizing::new(URL_SAFE_NO_PAD.decode(encoded).map_err(|_| RootKeyError::Malformed)?);
        let mut bytes = Zeroizing::new([0; 32]);
        if decoded.len() != bytes.len() {
            return Err(RootKeyError::Malformed);
        }
        bytes.copy_from_slice(&decoded);
        Ok(Self { bytes })
    }

    /// The text form, to be written to a file once.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + 43));
        text.push_str(PREFIX);
        URL_SAFE_NO_PAD.encode_string(&self.bytes[..], &mut text);
        text
    }

    /// Reads a key file, which only its owner may read.
    pub fn read(path: &Path) -> Result<Self, RootKeyError> {
        use std::os::unix::fs::PermissionsExt as _;
        let file = |source| RootKeyError::File { path: path.to_owned(), source };
        let mode = std::fs::metadata(path).map_err(file)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(RootKeyError::Exposed { path: path.to_owned(), mode });
        }
        Self::parse(&Zeroizing::new(std::fs::read_to_string(path).map_err(file)?))
    }

    /// Reads a key file, or makes one (mode 0600, synced) when there is none. The flag says whether it was made.
    pub fn read_or_create(path: &Path, env: &Env) -> Result<(Self, bool), RootKeyError> {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        let file = |source| RootKeyError::File { path: path.to_owned(), source };
        let mut options = std::fs::OpenOptions::new();
        match options.write(true).create_new(true).mode(0o600).open(path) {
            Ok(mut created) => {
                let key = Self::generate(env)?;
                created.write_all(key.to_text().as_bytes()).map_err(file)?;
                created.write_all(b"\n").map_err(file)?;
                created.sync_all().map_err(file)?;
                Ok((key, true))
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Self::read(path).map(|key| (key, false))
            }
            Err(error) => Err(file(error)),
        }
    }

    /// HMAC-SHA-256 keyed for one use.
    pub(super) fn hmac(&self, usage: &str) -> Hmac<Sha256> {
        // HMAC fills a short key up with zeros to the hash's block (RFC 2104 section 2).
        let mut block = Zeroizing::new([0; 64]);
        block[..32].copy_from_slice(&*self.derive::<32>(usage));
        Hmac::new(&(*block).into())
    }

    /// The key of the audit log's chain.
    pub fn audit_key(&self) -> Zeroizing<[u8; 32]> {
        self.derive("tessera/audit/v1")
    }

    /// A key of its own for each use, by HKDF-SHA-256 (RFC 5869) with the use as `info`.
    pub(super) fn derive<const N: usize>(&self, usage: &str) -> Zeroizing<[u8; N]> {
        let mut key = Zeroizing::new([0; N]);
        if Hkdf::<Sha256>::new(None, &self.bytes[..]).expand(usage.as_bytes(), &mut key[..]).is_err() {
            // Only an output over 255 × 32 bytes can fail, and N is at most 32.
            key.zeroize();
        }
        key
    }
}

impl std::fmt::Debug for RootKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RootKey([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_debug_hides_it() {
        let key = RootKey::generate(&Env::system()).unwrap();
        let text = key.to_text();
        let again = RootKey::parse(&format!(" {}\n", *text)).unwrap();
        assert_eq!(*key.derive::<8>("x"), *again.derive::<8>("x"));
        assert_eq!(format!("{key:?}"), "RootKey([redacted])");
        assert!(matches!(RootKey::parse("tessera-root-key-v1:short"), Err(RootKeyError::Malformed)));
    }

    #[test]
    fn a_key_file_is_private_and_made_once() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("root.key");
        let (first, made) = RootKey::read_or_create(&path, &Env::system()).unwrap();
        assert!(made);
        let (second, made) = RootKey::read_or_create(&path, &Env::system()).unwrap();
        assert!(!made);
        assert_eq!(*first.to_text(), *second.to_text());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let refused = RootKey::read(&path).unwrap_err().to_string();
        assert!(refused.contains("chmod 600"), "{refused}");
    }
}
