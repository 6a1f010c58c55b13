//! What the log says of a row of the store: where it lies, which version it is, and a keyed fingerprint of all of it.

use serde::{Deserialize, Serialize};

use super::chain::{Chain, chain, link};
use crate::store::{ConnectionRow, CredentialRow};

/// A table whose rows the log follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// Users' records, by App and user.
    Connections,
    /// Apps' clients, by App; their user is empty.
    Credentials,
}

/// Where a row lies.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct RowPlace {
    /// In which table.
    pub table: Table,
    /// Of which App.
    pub app: String,
    /// Of which user; empty for an App's client.
    pub user: String,
}

impl std::fmt::Display for RowPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.table {
            Table::Connections => write!(f, "the connection of user {} with App {}", self.user, self.app),
            Table::Credentials => write!(f, "the client of App {}", self.app),
        }
    }
}

/// The version of a row that an entry is about. Its App is the entry's.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct RowMark<'a> {
    /// In which table.
    pub table: Table,
    /// Of which user; empty for an App's client.
    pub user: &'a str,
    /// The row's generation: the one written, or the one removed.
    pub generation: i64,
    /// Of what was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub print: Option<&'a str>,
}

/// Makes fingerprints of rows: equal for equal rows, and nothing to learn without the key. Every column counts, those
/// in clear too, which no seal binds, but for those that change without a new version.
pub struct Prints(Chain);

impl Prints {
    /// Under the key of the log, or rather one derived from it: no line of a log begins like this.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(chain(&link(&chain(key), &[0; 32], "tessera/row/v1")))
    }

    /// Of a connection.
    pub fn connection(&self, row: &ConnectionRow) -> String {
        let ConnectionRow { app, user, kind, generation, sealed, created_at, updated_at, managed } = row;
        let mut numbers = vec![*kind, *generation, *created_at, *updated_at];
        let mut parts: Vec<&[u8]> = vec![app.as_bytes(), user.as_bytes(), sealed];
        if let Some(managed) = managed {
            // What comes and goes without a new version, such as a lease, is left out.
            numbers.extend([managed.expires_at.unwrap_or(-1), managed.issued_at, managed.answered]);
            parts.extend([managed.held.as_slice(), managed.client.as_bytes(), managed.about.as_bytes()]);
        }
        self.of(Table::Connections, &parts, &numbers)
    }

    /// Of an App's client.
    pub fn credential(&self, row: &CredentialRow) -> String {
        let CredentialRow { app, generation, sealed, updated_at, updated_by } = row;
        let parts = [app.as_bytes(), updated_by.as_bytes(), sealed];
        self.of(Table::Credentials, &parts, &[*generation, *updated_at])
    }

    fn of(&self, table: Table, parts: &[&[u8]], numbers: &[i64]) -> String {
        use hmac::Mac as _;
        let mut mac = self.0.clone();
        mac.update(&[table as u8]);
        for number in numbers {
            mac.update(&number.to_be_bytes());
        }
        for part in parts {
            // Behind its length, so that no two lists of parts share an encoding.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let bytes = mac.finalize().into_bytes();
        bytes[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
