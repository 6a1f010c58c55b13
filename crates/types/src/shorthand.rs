//! Objects that may also be written as a string (apps-framework.md section 0.3: Call and Form shorthand).

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Deserializer, Error, Visitor};

/// The token under which the wire's own deserialiser tells string and object apart.
pub(crate) const TOKEN: &str = "$tessera::string_or_struct";

/// Reads an object `T`, or a string that `from_str` makes a `T` of.
pub(crate) fn string_or_struct<'de, T, D>(deserializer: D, from_str: fn(&str) -> T) -> Result<T, D::Error>
where
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    deserializer.deserialize_newtype_struct(TOKEN, Either { from_str, object: PhantomData })
}

struct Either<T> {
    from_str: fn(&str) -> T,
    object: PhantomData<T>,
}

impl<'de, T: DeserializeOwned> Visitor<'de> for Either<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        Ok((self.from_str)(text))
    }

    /// The wire's own deserialiser has seen that it is no string.
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(Any { from_str: self.from_str, object: PhantomData })
    }
}

/// For deserialisers that do not know the token: whatever comes.
struct Any<T> {
    from_str: fn(&str) -> T,
    object: PhantomData<T>,
}

impl<'de, T: DeserializeOwned> Visitor<'de> for Any<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        Ok((self.from_str)(text))
    }

    fn visit_map<M: serde::de::MapAccess<'de>>(self, map: M) -> Result<T, M::Error> {
        T::deserialize(serde::de::value::MapAccessDeserializer::new(map))
    }
}
