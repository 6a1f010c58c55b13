//! The id of an App (apps-framework.md section 8.2).

use serde::{Deserialize, Serialize};

/// An App's id: 3 to 32 bytes of letters, numbers, `-`, `_` and `.`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AppId(String);

impl AppId {
    /// Checks the form.
    pub fn new(id: impl Into<String>) -> Result<Self, AppIdError> {
        let id = id.into();
        match crate::validate::app_id_problems(&id).first() {
            Some(problem) => Err(AppIdError(problem.clone())),
            None => Ok(Self(id)),
        }
    }

    /// Takes an id as a request or a stored record has it: one that is not well-formed names no App.
    pub fn unchecked(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for AppId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no App id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppIdError(String);

impl std::fmt::Display for AppIdError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for AppIdError {}
