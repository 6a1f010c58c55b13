//! An App as the marketplace lists it (section 2.9).

use serde::{Deserialize, Serialize};

use crate::Manifest;

/// A listed App.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ListedApp {
    /// As it is listed.
    pub manifest: Manifest,
    /// Whether it is installed.
    pub installed: bool,
    /// Whether it is installed and not disabled.
    pub enabled: bool,
    /// Where its icon is; empty when it has none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub icon_url: String,
    /// What a person should know at a glance.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Label>,
}

/// A short word about a listed App.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Label {
    /// The word.
    pub name: String,
    /// What it means.
    pub description: String,
    /// Where more is said; may be empty.
    pub url: String,
    /// A CSS colour; may be empty.
    pub color: String,
}
