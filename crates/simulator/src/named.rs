//! Switches by name: for command lines, forms and JSON.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::behaviour::{Behaviour, SWITCHES, Switch};

/// The longest access token that switch 28 makes, in bytes.
const LONGEST_TOKEN: u32 = 1_000_000;

/// Why a switch was not set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SwitchError {
    /// No switch has this name.
    #[error("there is no switch {0:?}; there are: {names}", names = names())]
    Unknown(String),
    /// The value does not fit.
    #[error("{name}: {why} (values: {values}, or off{counted})")]
    Value {
        /// The switch.
        name: String,
        /// What is wrong.
        why: String,
        /// Which values there are.
        values: &'static str,
        /// How to count, where the switch can be counted.
        counted: &'static str,
    },
    /// What came was no object of switches.
    #[error("expected a JSON object of switches, such as {{\"no-ttl\": true}}")]
    NoObject,
}

fn names() -> String {
    SWITCHES.iter().map(|switch| switch.name).collect::<Vec<_>>().join(", ")
}

impl Behaviour {
    /// Every switch by number, after the settings that every provider has (number 0).
    #[must_use]
    pub const fn switches() -> &'static [Switch] {
        SWITCHES
    }

    /// Sets one switch as it is typed: `NAME`, `NAME=VALUE`, `NAME=off`, and for those that can be counted `NAME*2` or
    /// `NAME=VALUE*2`, for the next two times.
    ///
    /// # Errors
    ///
    /// When there is no such switch, or no such value; nothing is changed then.
    pub fn set(&mut self, typed: &str) -> Result<(), SwitchError> {
        let (name, value) = match typed.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (typed, None),
        };
        let (name, value, times) = match (name.split_once('*'), value) {
            (Some((name, times)), None) => (name, None, Some(times)),
            (_, Some(value)) => match value.rsplit_once('*') {
                Some((value, times)) => (name, Some(value), Some(times)),
                None => (name, Some(value), None),
            },
            _ => (name, None, None),
        };
        let switch = find(name.trim())?;
        let text = value.unwrap_or(switch.on).trim();
        if text == "off" {
            return self.merge(switch, Value::Null);
        }
        let counted = |value: Value| match times {
            None => value,
            Some(times) => {
                let times = times.trim().parse::<u32>().map_or_else(|_| Value::from(times), Value::from);
                serde_json::json!({ "value": value, "times": times })
            }
        };
        // What looks like a number or like true is one, unless the switch wants text.
        let as_json = serde_json::from_str(text).ok().filter(|value: &Value| !value.is_string());
        let Some(as_json) = as_json else { return self.merge(switch, counted(text.into())) };
        self.merge(switch, counted(as_json))
            .or_else(|error| self.merge(switch, counted(text.into())).map_err(|_| error))
    }

    /// Sets the switches that a JSON object names, and leaves the others as they are. `null` turns one off.
    ///
    /// # Errors
    ///
    /// When one of them is wrong; nothing is changed then.
    pub fn set_json(&mut self, object: &Value) -> Result<(), SwitchError> {
        let mut changed = self.clone();
        for (name, value) in object.as_object().ok_or(SwitchError::NoObject)? {
            changed.merge(find(name)?, value.clone())?;
        }
        *self = changed;
        Ok(())
    }

    /// The switches that are not off, and the settings that are not as they were, with their positions.
    #[must_use]
    pub fn in_force(&self) -> Map<String, Value> {
        let (mut now, then) = (self.members(), Self::default().members());
        now.retain(|name, value| then.get(name) != Some(value));
        now
    }

    /// The same as it is typed, by name.
    #[must_use]
    pub fn in_force_as_typed(&self) -> Vec<(String, String)> {
        self.in_force().iter().map(|(name, position)| (name.clone(), typed(position))).collect()
    }

    /// Every switch with its position.
    pub(crate) fn members(&self) -> Map<String, Value> {
        // It is a struct with text for names: it cannot be anything but an object.
        match serde_json::to_value(self) {
            Ok(Value::Object(members)) => members,
            _ => Map::new(),
        }
    }

    fn merge(&mut self, switch: &'static Switch, value: Value) -> Result<(), SwitchError> {
        let mut members = self.members();
        let off = Self::default().members().remove(switch.name).unwrap_or_default();
        members.insert(switch.name.to_owned(), if value.is_null() { off } else { value });
        let bad = |why: String| SwitchError::Value {
            name: switch.name.to_owned(),
            why,
            values: switch.values,
            counted: if switch.counted { ", each with *N for the next N times" } else { "" },
        };
        let changed: Self =
            serde_json::from_value(Value::Object(members)).map_err(|error| bad(error.to_string()))?;
        if *changed.long_token.value() > LONGEST_TOKEN {
            return Err(bad(format!("more than {LONGEST_TOKEN} bytes")));
        }
        *self = changed;
        Ok(())
    }
}

fn find(name: &str) -> Result<&'static Switch, SwitchError> {
    let found = SWITCHES.iter().find(|switch| switch.name == name);
    found.ok_or_else(|| SwitchError::Unknown(name.to_owned()))
}

/// A position as it is typed.
fn typed(position: &Value) -> String {
    match position {
        Value::String(text) => text.clone(),
        Value::Object(counted) => {
            let value = counted.get("value").map(typed).unwrap_or_default();
            format!("{value}*{}", counted.get("times").unwrap_or(&Value::Null))
        }
        other => other.to_string(),
    }
}

impl Switch {
    /// What it does, as one line of plain text.
    #[must_use]
    pub fn described(&self) -> String {
        self.about.trim().replace('`', "")
    }

    /// The list of all switches as a table in Markdown.
    #[must_use]
    pub fn table() -> String {
        let mut table = "| | switch | values | what it does |\n|---|---|---|---|\n".to_owned();
        for switch in SWITCHES {
            let number = if switch.number == 0 { String::new() } else { switch.number.to_string() };
            let counted = if switch.counted { "; `*N`" } else { "" };
            // Writing to a String cannot fail.
            let _ = writeln!(
                table,
                "| {number} | `{}` | {}{counted} | {} |",
                switch.name,
                switch.values,
                switch.about.trim()
            );
        }
        table
    }
}
