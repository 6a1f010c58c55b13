//! One JSON value as the text that was sent.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::json;

/// One valid JSON value, kept as it was sent: numbers, order and escapes are not touched.
#[derive(Clone)]
pub struct RawJson(Box<RawValue>);

impl RawJson {
    /// Checks that the bytes are one JSON value, and keeps them.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, json::Error> {
        json::from_slice_strict(bytes)
    }

    /// The encoding of a value.
    pub fn from_value<T: Serialize + ?Sized>(value: &T) -> Result<Self, json::Error> {
        Self::from_slice(&json::to_vec(value)?)
    }

    /// The text.
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        self.get() == "null"
    }

    /// Decodes it.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, json::Error> {
        json::from_slice_strict(self.get().as_bytes())
    }
}

impl Default for RawJson {
    fn default() -> Self {
        Self(RawValue::NULL.to_owned())
    }
}

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl std::fmt::Debug for RawJson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RawJson({} bytes)", self.get().len())
    }
}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self)
    }
}
