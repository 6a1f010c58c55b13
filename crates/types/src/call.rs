//! Calls: what to invoke on an App, and with how much context (apps-framework.md sections 5.1 and 6).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::shorthand::string_or_struct;
use crate::{Context, RawJson, is_default};

/// What to invoke on an App. On the wire a plain string means a call of that path.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Call {
    /// Starts with `/`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// What the App wants to see in the context.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expand: Option<Expand>,
    /// The App's own, passed back to it untouched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<RawJson>,
}

impl Call {
    /// A call of a path, with nothing expanded.
    pub fn new(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    /// The same call with something expanded.
    pub fn with_expand(self, expand: Expand) -> Self {
        Self { expand: Some(expand), ..self }
    }

    /// The same call with a state.
    pub fn with_state(self, state: RawJson) -> Self {
        Self { state: Some(state), ..self }
    }

    /// This call where it says something, `default` where it does not (section 8.1).
    pub fn or_default(self, default: Self) -> Self {
        Self {
            path: if self.path.is_empty() { default.path } else { self.path },
            expand: self.expand.or(default.expand),
            state: self.state.or(default.state),
        }
    }
}

impl<'de> Deserialize<'de> for Call {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(default, rename = "Call")]
        struct Object {
            path: String,
            expand: Option<Expand>,
            state: Option<RawJson>,
        }
        let from_str = |path: &str| Object { path: path.to_owned(), ..Object::default() };
        let Object { path, expand, state } = string_or_struct(deserializer, from_str)?;
        Ok(Self { path, expand, state: state.filter(|state| !state.is_null()) })
    }
}

/// How much of each entity an App wants to see: a level for each member (section 6.1), empty for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each member expands the context's member of its name (section 6.2)")]
pub struct Expand {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub app: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub acting_user: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub acting_user_access_token: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub locale: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub channel: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub channel_member: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub team: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub team_member: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub post: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub root_post: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub oauth2_app: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub oauth2_user: String,
}

/// How much of an entity (section 6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExpandLevel {
    /// Nothing.
    #[default]
    None,
    /// Its ids.
    Id,
    /// What is needed to name it.
    Summary,
    /// All that the reader may see.
    All,
}

/// Reads a level: what it is, and whether the call fails without it (`+`). Besides the original's levels, `none`
/// and an optional `-` are understood, as its documentation promises (B-04).
pub fn parse_level(text: &str) -> Result<(ExpandLevel, bool), String> {
    let (required, level) = match text.as_bytes().first() {
        Some(b'+') => (true, &text[1..]),
        Some(b'-') => (false, &text[1..]),
        _ => (false, text),
    };
    let level = match level {
        "" | "none" => return Ok((ExpandLevel::None, false)),
        "id" => ExpandLevel::Id,
        "summary" => ExpandLevel::Summary,
        "all" => ExpandLevel::All,
        unknown => return Err(format!("\"{unknown}\" is not a known expand level")),
    };
    Ok((level, required))
}

/// The body that is posted to an App, and that a user agent posts to have an App called.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallRequest {
    /// As in [`Call`].
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// As in [`Call`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expand: Option<Expand>,
    /// As in [`Call`].
    #[serde(skip_serializing_if = "is_null_or_absent")]
    pub state: Option<RawJson>,
    /// What a form or command was filled with; select fields are `{"label":…,"value":…}`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, RawJson>,
    /// Who, where, with which secrets.
    pub context: Context,
    /// What was typed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub raw_command: String,
    /// For form refresh and lookup.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub selected_field: String,
    /// For lookup.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub query: String,
}

fn is_null_or_absent(state: &Option<RawJson>) -> bool {
    state.as_ref().is_none_or(RawJson::is_null)
}

impl CallRequest {
    /// A value that is a text, or a select field's `value`.
    pub fn value_str(&self, name: &str) -> Option<String> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Select {
            value: String,
        }
        let raw = self.values.get(name).filter(|value| !value.is_null())?;
        raw.to::<String>().or_else(|_| raw.to::<Select>().map(|select| select.value)).ok()
    }

    /// The text of a value, or the default when it is missing or empty (section 13.4, `GetValue`).
    pub fn value_or(&self, name: &str, default: &str) -> String {
        self.value_str(name).filter(|value| !value.is_empty()).unwrap_or_else(|| default.to_owned())
    }

    /// A value that is a boolean, or `"true"` or `"false"`, also inside a select field.
    pub fn bool_value(&self, name: &str) -> Option<bool> {
        #[derive(Deserialize)]
        struct Select {
            value: bool,
        }
        let raw = self.values.get(name).filter(|value| !value.is_null())?;
        let plain = raw.to::<bool>().ok().or_else(|| Some(raw.to::<Select>().ok()?.value));
        plain.or_else(|| match self.value_str(name)?.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        })
    }
}

/// What the server adds to a call's answer for the user agent (section 2.7).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AppMetadata {
    /// The App's bot.
    #[serde(skip_serializing_if = "is_default")]
    pub bot_user_id: String,
    /// The bot's user name.
    #[serde(skip_serializing_if = "is_default")]
    pub bot_username: String,
}
