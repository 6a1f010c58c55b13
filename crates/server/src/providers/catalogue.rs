//! The providers that come along, and those that an administrator added or described anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use url::Url;

use super::{Descriptor, Error, Provider};

/// What comes along.
const BUNDLED: &[&str] = &[
    include_str!("../../presets/asana.toml"),
    include_str!("../../presets/atlassian.toml"),
    include_str!("../../presets/bitbucket.toml"),
    include_str!("../../presets/box.toml"),
    include_str!("../../presets/clickup.toml"),
    include_str!("../../presets/discord.toml"),
    include_str!("../../presets/dropbox.toml"),
    include_str!("../../presets/figma.toml"),
    include_str!("../../presets/github-app.toml"),
    include_str!("../../presets/github.toml"),
    include_str!("../../presets/gitlab.toml"),
    include_str!("../../presets/google.toml"),
    include_str!("../../presets/hubspot.toml"),
    include_str!("../../presets/linear.toml"),
    include_str!("../../presets/microsoft.toml"),
    include_str!("../../presets/miro.toml"),
    include_str!("../../presets/monday.toml"),
    include_str!("../../presets/notion.toml"),
    include_str!("../../presets/oidc.toml"),
    include_str!("../../presets/pagerduty.toml"),
    include_str!("../../presets/salesforce.toml"),
    include_str!("../../presets/servicenow.toml"),
    include_str!("../../presets/slack.toml"),
    include_str!("../../presets/webex.toml"),
    include_str!("../../presets/zendesk.toml"),
    include_str!("../../presets/zoom.toml"),
];

/// Every provider that there is, by name, each with the text that describes it.
#[derive(Debug, Clone, Default)]
pub struct Catalogue(BTreeMap<String, (Arc<Descriptor>, Arc<str>)>);

/// A descriptor that is wrong, and where it is.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", place.display())]
pub struct BadFile {
    /// The file.
    pub place: PathBuf,
    /// What is wrong.
    pub error: Error,
}

impl Catalogue {
    /// Those that come along.
    ///
    /// # Errors
    /// When one of them is wrong.
    pub fn bundled() -> Result<Self, Error> {
        let mut all = BTreeMap::new();
        for text in BUNDLED {
            let descriptor = Descriptor::read(text)?;
            if let Some(twice) = all.insert(descriptor.name.clone(), (Arc::new(descriptor), (*text).into())) {
                return Err(Error::Twice(twice.0.name.clone()));
            }
        }
        Ok(Self(all))
    }

    /// Where people see and end what they granted, at providers to whose `origin` an App sends them: each with its name.
    /// Several where products share one.
    pub fn permission_pages(&self, origin: &str) -> Vec<(String, Url)> {
        let page = |(descriptor, _): &(Arc<Descriptor>, Arc<str>)| {
            // One with something to fill in is nobody's in particular.
            let provider = Provider::new(Arc::clone(descriptor), &BTreeMap::new(), None).ok()?;
            let page = provider.permissions_url().filter(|_| provider.asks_at(origin))?;
            Some((descriptor.display_name.clone(), page.clone()))
        };
        self.0.values().filter_map(page).collect()
    }

    /// Adds what an administrator wrote; one of a name that is there takes its place.
    ///
    /// # Errors
    /// When one of them is wrong, or two have one name.
    pub fn with_files<'a>(
        mut self,
        files: impl IntoIterator<Item = (&'a Path, &'a str)>,
    ) -> Result<Self, BadFile> {
        let mut added = BTreeMap::new();
        for (place, text) in files {
            let bad = |error| BadFile { place: place.to_owned(), error };
            let descriptor = Descriptor::read(text).map_err(bad)?;
            if let Some(twice) = added.insert(descriptor.name.clone(), (Arc::new(descriptor), text.into())) {
                return Err(bad(Error::Twice(twice.0.name.clone())));
            }
        }
        self.0.extend(added);
        Ok(self)
    }

    /// One of them.
    ///
    /// # Errors
    /// When there is none of that name; the error lists those that there are.
    pub fn get(&self, name: &str) -> Result<Arc<Descriptor>, Error> {
        self.find(name).map(|(descriptor, _)| Arc::clone(descriptor))
    }

    /// The text of one of them, to be kept where it must not change with the next version.
    ///
    /// # Errors
    /// As [`Catalogue::get`].
    pub fn text(&self, name: &str) -> Result<Arc<str>, Error> {
        self.find(name).map(|(_, text)| Arc::clone(text))
    }

    fn find(&self, name: &str) -> Result<&(Arc<Descriptor>, Arc<str>), Error> {
        let known = || self.0.keys().cloned().collect::<Vec<_>>().join(", ");
        self.0.get(name).ok_or_else(|| Error::Unknown(name.to_owned(), format!("choose one of {}", known())))
    }

    /// All of them, by name.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Descriptor>> {
        self.0.values().map(|(descriptor, _)| descriptor)
    }
}
