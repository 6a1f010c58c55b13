//! A switch that may hold for a number of times only.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};

/// The position of a switch, for good or for the next few times that it would matter; after those it is off.
///
/// Written as its value alone, or as `{"value": …, "times": 2}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted<T> {
    value: T,
    /// How many times are left; `None`: no end to them.
    left: Option<u32>,
}

impl<T> Counted<T> {
    /// In this position until somebody changes it.
    pub const fn always(value: T) -> Self {
        Self { value, left: None }
    }

    /// In this position for the next `times` times.
    #[must_use]
    pub fn times(value: T, times: u32) -> Self
    where
        T: Default,
    {
        if times == 0 { Self::default() } else { Self { value, left: Some(times) } }
    }

    /// The position it is in.
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// The position it is in, and one time less. One that is off is not counted.
    pub(crate) fn take(&mut self) -> T
    where
        T: Clone + Default,
    {
        let value = self.value.clone();
        match self.left {
            Some(0 | 1) => *self = Self::default(),
            Some(left) => self.left = Some(left - 1),
            None => {}
        }
        value
    }
}

impl<T> From<T> for Counted<T> {
    fn from(value: T) -> Self {
        Self::always(value)
    }
}

impl<T: Serialize> Serialize for Counted<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.left {
            None => self.value.serialize(serializer),
            Some(left) => {
                let value = serde_json::to_value(&self.value).map_err(serde::ser::Error::custom)?;
                json!({ "value": value, "times": left }).serialize(serializer)
            }
        }
    }
}

impl<'de, T: DeserializeOwned + Default> Deserialize<'de> for Counted<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut written = Value::deserialize(deserializer)?;
        let counted = |members: &mut Map<String, Value>| members.remove("times");
        let times = match written.as_object_mut().and_then(counted) {
            None => None,
            Some(times) => Some(
                times
                    .as_u64()
                    .and_then(|times| u32::try_from(times).ok())
                    .ok_or_else(|| D::Error::custom("`times` must be a whole number"))?,
            ),
        };
        let value = match written.as_object_mut().and_then(|members| members.remove("value")) {
            Some(value) => value,
            None => written,
        };
        let value = serde_json::from_value(value).map_err(D::Error::custom)?;
        Ok(match times {
            Some(times) => Self::times(value, times),
            None => Self::always(value),
        })
    }
}
