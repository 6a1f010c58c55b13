//! The sealed form of a secret, as it lies in every row.
//!
//! ```text
//! byte  0      version           1
//! byte  1      algorithm         1 = XChaCha20-Poly1305
//! bytes 2–9    root key id       which root key wraps the data key
//! bytes 10–25  data key id       which data key seals this value
//! bytes 26–49  nonce             192 random bits: no counting needed, no reuse to fear (OS-41)
//! bytes 50–    ciphertext, then the 16 bytes of the tag
//! ```
//!
//! Associated data: a label, bytes 0–25, then tenant, purpose, App and user, each behind its length as a
//! big-endian u32, then the generation as a big-endian i64. A row copied to another place does not open (OS-40).

use super::{Error, Place};

pub(super) const VERSION: u8 = 1;
pub(super) const XCHACHA20_POLY1305: u8 = 1;
pub(super) const NONCE: usize = 24;
pub(super) const TAG: usize = 16;
const HEADER: usize = 26;

/// A sealed secret: safe to store, copy and lose. Only the vault opens it.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// Takes what the store holds; it is looked at when it is opened.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// What the store keeps.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes themselves, for the store.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(super) fn assemble(header: &Header, nonce: &[u8; NONCE], ciphertext: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(HEADER + NONCE + ciphertext.len());
        bytes.extend_from_slice(&header.to_bytes());
        bytes.extend_from_slice(nonce);
        bytes.extend_from_slice(ciphertext);
        Self(bytes)
    }

    /// Header, nonce, ciphertext with tag.
    pub(super) fn parts(&self) -> Result<(Header, [u8; NONCE], &[u8]), Error> {
        let (header, rest) = self.0.split_at_checked(HEADER).ok_or(Error::Malformed)?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE>().ok_or(Error::Malformed)?;
        if ciphertext.len() < TAG {
            return Err(Error::Malformed);
        }
        Ok((Header::parse(header)?, *nonce, ciphertext))
    }
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// What stands before the nonce.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header {
    pub(super) root_key: [u8; 8],
    pub(super) data_key: [u8; 16],
}

impl Header {
    pub(super) fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[0] = VERSION;
        bytes[1] = XCHACHA20_POLY1305;
        bytes[2..10].copy_from_slice(&self.root_key);
        bytes[10..].copy_from_slice(&self.data_key);
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let [version, algorithm, rest @ ..] = bytes else { return Err(Error::Malformed) };
        if (*version, *algorithm) != (VERSION, XCHACHA20_POLY1305) {
            return Err(Error::UnknownFormat { version: *version, algorithm: *algorithm });
        }
        let (root_key, data_key) = rest.split_first_chunk::<8>().ok_or(Error::Malformed)?;
        Ok(Self { root_key: *root_key, data_key: data_key.try_into().map_err(|_| Error::Malformed)? })
    }

    pub(super) fn associated_data(self, tenant: &str, place: &Place<'_>) -> Vec<u8> {
        let mut data = Vec::with_capacity(128);
        data.extend_from_slice(b"tessera-sealed-v1");
        data.extend_from_slice(&self.to_bytes());
        for part in [tenant, place.purpose.name(), place.app, place.user] {
            push_part(&mut data, part);
        }
        data.extend_from_slice(&place.generation.to_be_bytes());
        data
    }
}

/// Behind its length, so that no two lists of parts share an encoding.
pub(super) fn push_part(data: &mut Vec<u8>, part: &str) {
    data.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
    data.extend_from_slice(part.as_bytes());
}
