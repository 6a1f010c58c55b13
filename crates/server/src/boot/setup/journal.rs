//! What was made, written down as it is made: an interrupted run can be undone as well.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::cli::Failure;
use crate::platform::mattermost::prepare::Done;

/// The file.
pub(super) const NAME: &str = "tessera-setup.json";

/// Something that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Entry {
    /// At Mattermost.
    Mattermost(Done),
    /// An App, at the service.
    App {
        /// Its id.
        id: String,
    },
}

#[derive(Default, Serialize, Deserialize)]
struct Written {
    url: String,
    made: Vec<Entry>,
    /// Ids of accounts that were made and deactivated again: Mattermost keeps them, and their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former: Vec<String>,
}

/// The file's content.
pub(super) struct Journal {
    path: PathBuf,
    written: Written,
}

impl Journal {
    /// What an earlier run left, if there was one.
    pub(super) fn open(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join(NAME);
        let written = match fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}", path.display()))?
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Written::default(),
            Err(error) => return Err(format!("{}: {error}", path.display()).into()),
        };
        Ok(Self { path, written })
    }

    /// Which Mattermost that was.
    pub(super) fn url(&self) -> Option<&str> {
        Some(self.written.url.as_str()).filter(|url| !url.is_empty())
    }

    /// Begins, or goes on with the same Mattermost: what was made at another cannot be told apart from this one's afterwards.
    pub(super) fn begin(&mut self, url: &str) -> Result<(), Failure> {
        if self.url().is_some_and(|known| known != url) && !self.is_empty() {
            return Err(format!(
                "{} is of {}: undo that first, or choose another --dir",
                self.path.display(),
                self.written.url
            )
            .into());
        }
        self.written.url = url.to_owned();
        if let Some(dir) = self.path.parent() {
            fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        }
        self.write()
    }

    pub(super) fn add(&mut self, entry: Entry) -> Result<(), Failure> {
        self.written.made.push(entry);
        self.write()
    }

    /// In place of the last: it came to less than was intended.
    pub(super) fn amend(&mut self, entry: Option<Entry>) -> Result<(), Failure> {
        self.written.made.pop();
        self.written.made.extend(entry);
        self.write()
    }

    /// Accounts that were made once, by their ids.
    pub(super) fn former(&self) -> &[String] {
        &self.written.former
    }

    /// An account is going to be deactivated.
    pub(super) fn remember(&mut self, account: &str) {
        if !self.written.former.iter().any(|one| one == account) {
            self.written.former.push(account.to_owned());
        }
    }

    pub(super) fn has_token(&self) -> bool {
        self.written.made.iter().any(|entry| matches!(entry, Entry::Mattermost(Done::Token { .. })))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.written.made.is_empty()
    }

    /// What was made, the last thing first.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.written.made.iter().rev()
    }

    pub(super) fn last(&self) -> Option<&Entry> {
        self.written.made.last()
    }

    /// That was taken back. The file goes with the last, unless there are accounts to be known again.
    pub(super) fn drop_last(&mut self) -> Result<(), Failure> {
        self.written.made.pop();
        match self.is_empty() && self.written.former.is_empty() {
            false => self.write(),
            true => fs::remove_file(&self.path)
                .map_err(|error| format!("{}: {error}", self.path.display()).into()),
        }
    }

    /// In one step: a file that is half written would undo nothing.
    fn write(&self) -> Result<(), Failure> {
        let failed = |error: std::io::Error| format!("{}: {error}", self.path.display());
        let beside = self.path.with_extension("json.new");
        fs::write(&beside, serde_json::to_vec_pretty(&self.written)?).map_err(failed)?;
        Ok(fs::rename(&beside, &self.path).map_err(failed)?)
    }
}
