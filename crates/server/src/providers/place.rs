//! Addresses with places to fill in: `https://{host}/oauth/token`.
//!
//! What is filled in comes from an administrator and must have the form that the descriptor states: never free text,
//! and never a word of a callback that is not on a list.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Error;

/// The place that no administrator fills in: the tenant that an id_token names itself (`tid`).
pub(super) const TENANT: &str = "tenantid";

/// An address, perhaps with names in braces.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Template(String);

/// What may stand in such a place.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placeholder {
    /// For the administrator who fills it in.
    pub about: String,
    /// What stands there unless another is given.
    #[serde(default)]
    pub default: Option<String>,
    /// Its form.
    pub form: Form,
    /// With the form `one_of`: what there is to choose from.
    #[serde(default)]
    pub choices: Vec<String>,
}

/// The form of what is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A host, perhaps with a port: `git.example.com:8443`.
    Host,
    /// A host, perhaps with a port and a path: for installations below a sub-path.
    HostAndPath,
    /// One part of a host name, or of a path: letters, digits, dashes.
    Label,
    /// One of `choices`.
    OneOf,
}

impl Placeholder {
    /// Whether a value may stand here; else why not.
    pub(super) fn accept(&self, value: &str) -> Result<(), String> {
        let label = |text: &str| {
            !text.is_empty()
                && text.len() <= 63
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        let host = |text: &str| {
            let (name, port) = text.split_once(':').unwrap_or((text, "443"));
            name.split('.').all(label) && port.parse::<u16>().is_ok()
        };
        let segment = |text: &str| {
            !text.is_empty()
                && text != "."
                && text != ".."
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b))
        };
        let (fits, form) = match self.form {
            Form::Host => (host(value), "a host name, perhaps with a port, such as id.example.com"),
            Form::HostAndPath => {
                let (name, path) = value.split_once('/').unwrap_or((value, "x"));
                let fits = host(name) && path.split('/').all(segment);
                (fits, "a host name, perhaps with a port and a path, such as example.com/gitlab")
            }
            Form::Label => (label(value), "letters, digits and dashes"),
            Form::OneOf => {
                let choices = self.choices.join(", ");
                return match self.choices.iter().any(|choice| choice == value) {
                    true => Ok(()),
                    false => Err(format!("{value:?} is none of {choices}")),
                };
            }
        };
        if fits { Ok(()) } else { Err(format!("{value:?} must be {form}")) }
    }
}

impl Template {
    /// The names in it.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
    }

    /// What stands before `://`, unless that is a place to fill in.
    pub(super) fn scheme(&self) -> Option<&str> {
        Some(self.0.split_once("://").map_or("", |(scheme, _)| scheme)).filter(|scheme| !scheme.contains('{'))
    }

    /// The address with everything filled in, but for a token's own tenant.
    pub(super) fn fill(&self, values: &Filled) -> Result<String, Error> {
        let mut text = String::new();
        let mut rest = self.0.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { break };
            text.push_str(before);
            match values.0.get(name) {
                Some(value) => text.push_str(value),
                None if name == TENANT => text.extend(["{", TENANT, "}"]),
                None => return Err(Error::Missing(name.to_owned())),
            }
            rest = after;
        }
        text.push_str(rest);
        Ok(text)
    }
}

/// What an administrator filled in, checked; defaults included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filled(BTreeMap<String, String>);

impl Filled {
    /// Checks what was given against what is asked for.
    ///
    /// # Errors
    /// When a value has not the form, or is for a place that there is not.
    pub fn new(
        places: &BTreeMap<String, Placeholder>,
        given: &BTreeMap<String, String>,
    ) -> Result<Self, Error> {
        if let Some(name) = given.keys().find(|name| !places.contains_key(*name)) {
            let known = places.keys().cloned().collect::<Vec<_>>().join(", ");
            let known = if known.is_empty() {
                "there is nothing to fill in".into()
            } else {
                format!("there is {known}")
            };
            return Err(Error::Field(name.clone(), format!("is not asked for: {known}")));
        }
        let mut filled = BTreeMap::new();
        for (name, place) in places {
            let Some(value) = given.get(name).or(place.default.as_ref()) else { continue };
            place.accept(value).map_err(|why| Error::Field(name.clone(), why))?;
            filled.insert(name.clone(), value.clone());
        }
        Ok(Self(filled))
    }
}
