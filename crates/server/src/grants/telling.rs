//! What people and administrators are told of connections, without opening one.

use std::collections::HashMap;

use super::connections::is_one;
use super::is_of_site;
use super::managed::{About, Described, MANAGED, account, machine, missing};
use super::standing::Standing;
use super::uses::Used;
use super::{Error, Grants};
use crate::store::{ConnectionRow, ManagedRow, UseRow};

/// What may be told about a connection without opening it.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Connection {
    /// With which App.
    pub app: String,
    /// Whose.
    pub user: String,
    /// Since when, Unix milliseconds.
    pub connected_at: i64,
    /// Last written, Unix milliseconds.
    pub updated_at: i64,
    /// When its record was last released to the App, Unix milliseconds. With several nodes, what another one released
    /// in the last seconds may be missing.
    #[serde(default)]
    pub last_used_at: Option<i64>,
    /// To what it was: the path of a call, or [`USED_BY_API`](super::USED_BY_API).
    #[serde(default)]
    pub last_used_by: Option<String>,
    /// What the service knows of one that it keeps itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed: Option<ManagedConnection>,
}

/// What is told of a managed connection: nothing secret.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct ManagedConnection {
    /// Its provider's name in the catalogue.
    pub provider: String,
    /// Its provider's name for people.
    pub provider_name: String,
    /// Whether its provider's descriptor was tried against the provider's own documents; if not, it is the community's
    /// or an administrator's.
    #[serde(default)]
    pub verified: bool,
    /// The account's own id at the provider; empty where it does not tell.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub account_id: String,
    /// What people know the account by; empty where the provider does not tell.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub account_name: String,
    /// How it stands.
    pub status: Standing,
    /// The provider's last refusal, as its code.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// Scopes that were granted.
    pub scopes: Vec<String>,
    /// Scopes that were asked for.
    pub asked_scopes: Vec<String>,
    /// Those of them that were not granted and that open something.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_scopes: Vec<String>,
    /// Whether its token can be refreshed.
    #[serde(default)]
    pub refreshable: bool,
    /// When its token was given, Unix milliseconds.
    pub issued_at: i64,
    /// When its token ends, Unix milliseconds; None when it does not, or nobody knows.
    pub expires_at: Option<i64>,
    /// When the service looks at it next by itself, Unix milliseconds.
    pub next_refresh_at: Option<i64>,
    /// Why the provider refuses the App's client, as its code: nothing is refreshed until an administrator looks.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub client_refused: String,
    /// Where the person can end it at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_url: Option<String>,
}

impl ManagedConnection {
    /// The account, as one says it: `somebody@example.com at Google`; an unverified provider is marked.
    pub fn account(&self) -> String {
        account((&self.account_name, &self.account_id), (&self.provider_name, self.verified))
    }

    /// With what only its provider's record says.
    fn describe(&mut self, described: &Described) {
        self.verified = described.is_verified();
        self.missing_scopes = missing(&self.asked_scopes, &self.scopes, described.offline_scope());
        self.client_refused = described.fault().to_owned();
        self.permissions_url = described.permissions_url();
    }
}

impl Grants {
    /// A user's connections, without their contents.
    pub async fn of_user(&self, user: &str) -> Result<Vec<Connection>, Error> {
        let mut rows = self.connections.list_user(user).await?;
        rows.retain(|row| !is_of_site(&row.app));
        let waiting = self.uses.of(&rows);
        let told = told(rows, waiting, self.connections.uses_of(user).await?, self.env.now_ms());
        self.described(told).await
    }

    /// An App's connections, without their contents: up to `limit` of those after the user id `after`.
    pub async fn of_app(&self, app: &str, after: &str, limit: i64) -> Result<Vec<Connection>, Error> {
        let rows = self.connections.list_app(app, after, limit).await?;
        let waiting = self.uses.of(&rows);
        let Some(last) = rows.last().map(|row| row.user.clone()) else { return Ok(Vec::new()) };
        let told =
            told(rows, waiting, self.connections.uses_of_app(app, after, &last).await?, self.env.now_ms());
        self.described(told).await
    }

    /// With what each provider's record says: whether its client is refused, and where people end what they granted.
    async fn described(&self, mut told: Vec<Connection>) -> Result<Vec<Connection>, Error> {
        for connection in &mut told {
            if let Some(managed) = &mut connection.managed {
                // That a record does not decode keeps nobody from seeing, or ending, a connection.
                if let Some(described) = self.managed.described(&connection.app).await.unwrap_or_default() {
                    managed.describe(&described);
                }
            }
        }
        Ok(told)
    }
}

/// What may be told of each connection, with its last use: the later one of `waiting`, which is in the rows' order,
/// and `stored`.
fn told(
    rows: Vec<ConnectionRow>,
    waiting: Vec<Option<Used>>,
    stored: Vec<UseRow>,
    now: i64,
) -> Vec<Connection> {
    let stored = stored.into_iter().map(|row| ((row.app, row.user), (row.used_at, row.used_by)));
    let mut stored: HashMap<_, _> = stored.collect();
    let mut told = Vec::with_capacity(rows.len());
    for (row, waiting) in rows.into_iter().zip(waiting) {
        if !is_one(&row) {
            continue;
        }
        let managed =
            row.managed.as_deref().filter(|_| row.kind == MANAGED).map(|row| told_managed(row, now));
        let key = (row.app, row.user);
        let stored = stored.remove(&key);
        let waiting = waiting.map(|used| (used.at, used.by.into_owned()));
        let used = match (waiting, stored) {
            (Some(waiting), Some(stored)) if stored.0 > waiting.0 => Some(stored),
            (waiting, stored) => waiting.or(stored),
        };
        // A use by a request that was under way when this connection's predecessor ended is none of this one.
        let (at, by) = used.filter(|(at, _)| *at >= row.created_at).unzip();
        told.push(Connection {
            app: key.0,
            user: key.1,
            connected_at: row.created_at,
            updated_at: row.updated_at,
            last_used_at: at,
            last_used_by: by,
            managed,
        });
    }
    told
}

fn told_managed(row: &ManagedRow, now: i64) -> ManagedConnection {
    let about = About::read(&row.about);
    ManagedConnection {
        provider: about.provider,
        provider_name: about.provider_name,
        verified: about.verified,
        account_id: about.account_id,
        account_name: about.account_name,
        status: machine::standing(row, now),
        code: row.code.clone(),
        scopes: about.granted,
        asked_scopes: about.asked,
        missing_scopes: Vec::new(),
        refreshable: about.refreshable,
        issued_at: row.issued_at,
        expires_at: row.expires_at,
        next_refresh_at: row.due_at.filter(|_| about.refreshable),
        client_refused: String::new(),
        permissions_url: None,
    }
}
