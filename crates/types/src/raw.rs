//! One JSON value as the text that was sent.

use std::fmt;

use serde::de::{self, Deserialize, DeserializeOwned, Deserializer, Visitor};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::json;

/// One valid JSON value, kept as it was sent: numbers, order and escapes are not touched.
#[derive(Clone)]
pub struct RawJson(Box<RawValue>);

impl RawJson {
    /// Checks that the bytes are one JSON value, and keeps it (without white space around it).
    ///
    /// # Errors
    /// As [`json::from_slice_strict`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, json::Error> {
        json::from_slice_strict(bytes)
    }

    /// The encoding of a value.
    ///
    /// # Errors
    /// As [`json::to_vec`].
    pub fn from_value<T: Serialize + ?Sized>(value: &T) -> Result<Self, json::Error> {
        Self::from_slice(&json::to_vec(value)?)
    }

    /// The text, as it was sent.
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        self.get() == "null"
    }

    /// Decodes it.
    ///
    /// # Errors
    /// The value is not of type `T`.
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

/// The content may be a secret.
impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
        deserializer.deserialize_newtype_struct(json::RAW_TOKEN, Text)
    }
}

struct Text;

impl<'de> Visitor<'de> for Text {
    type Value = RawJson;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    /// Our own deserialiser, which knows the token, gives the text of the value.
    fn visit_str<E: de::Error>(self, text: &str) -> Result<RawJson, E> {
        RawValue::from_string(text.to_owned()).map(RawJson).map_err(E::custom)
    }

    /// A plain JSON library does not.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<RawJson, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(RawJson)
    }
}
