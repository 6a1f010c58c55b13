//! What a person is told of a connection: the App's name, and where its accounts are.

use std::collections::BTreeSet;

use tessera_types::{App, AppId};
use url::Url;

use super::{Connect, Error, Visitor};
use crate::grants::{Act, Connection, Revocation};

/// For how long people are told what became of a connection that ended, ms.
const LATELY: i64 = 30 * 24 * 3_600_000;

/// Of how many origins one can still be told that the account is at one of them.
const MOST: usize = 3;

/// An App as a person knows it.
#[derive(Debug, Clone)]
pub struct About {
    /// Its display name; its id where it has none, or is not installed.
    pub name: String,
    /// Whether it is installed.
    pub installed: bool,
    /// Origins of the other service: what a person declared with the App's client, and where the App has sent
    /// browsers otherwise. Empty when neither is known, or when they are so many that they say nothing.
    pub providers: Vec<String>,
    /// Where people end what they granted there, as far as the catalogue of providers knows: name and address of each.
    pub pages: Vec<(String, String)>,
}

impl Connect {
    /// The visitor's connections, in the order of the Apps' ids.
    pub async fn accounts(&self, visitor: &Visitor<'_>) -> Result<Vec<(Connection, About)>, Error> {
        let mut accounts = Vec::new();
        for connection in self.grants.of_user(&visitor.identity.user_id).await? {
            let about = self.about(&AppId::unchecked(connection.app.as_str()), visitor).await?;
            accounts.push((connection, about));
        }
        Ok(accounts)
    }

    /// What became of the visitor's connections that ended lately, newest first, each with its App's name.
    pub async fn ended_lately(&self, visitor: &Visitor<'_>) -> Result<Vec<(Revocation, String)>, Error> {
        let since = self.env.now_ms() - LATELY;
        let mut ended = Vec::new();
        for revocation in self.grants.revocations(&visitor.identity.user_id, since).await? {
            let app = AppId::unchecked(revocation.app.as_str());
            let name = name_of(self.apps.get(&app).await?.as_deref(), &app);
            ended.push((revocation, name));
        }
        Ok(ended)
    }

    /// What is known of an App.
    pub async fn about(&self, app: &AppId, visitor: &Visitor<'_>) -> Result<About, Error> {
        let record = self.apps.get(app).await?;
        let name = name_of(record.as_deref(), app);
        let installed = record.is_some();
        let mut providers: BTreeSet<String> = BTreeSet::new();
        if installed {
            let seen = self.origins.list(app.as_str()).await?;
            providers.extend(seen.into_iter().map(|row| row.origin));
            providers.extend(self.declared(app, visitor).await);
        }
        if providers.len() > MOST {
            providers.clear();
        }
        let pages = providers.iter().flat_map(|origin| self.grants.permission_pages(origin));
        let pages = pages.map(|(name, page)| (name, page.to_string())).collect();
        Ok(About { name, installed, providers: providers.into_iter().collect(), pages })
    }

    /// Where an App leads its people, as far as that is known before it is asked: the name of its provider, or hosts.
    pub async fn leads_to(&self, app: &AppId, visitor: &Visitor<'_>) -> Result<Vec<String>, Error> {
        if let Some(name) = self.grants.provider_name(app).await? {
            return Ok(vec![name]);
        }
        let origins = self.about(app, visitor).await?.providers;
        let host = |origin: String| Url::parse(&origin).ok()?.host_str().map(str::to_owned);
        Ok(origins.into_iter().filter_map(host).collect())
    }

    /// That the App's client does not open keeps nobody from seeing, or ending, a connection.
    async fn declared(&self, app: &AppId, visitor: &Visitor<'_>) -> Option<String> {
        let act = Act { actor: &visitor.identity.user_id, app, request: visitor.request, reason: "accounts" };
        let root = self.grants.declared_root(&act).await.unwrap_or_else(|error| {
            tracing::warn!(%app, %error, "where the accounts of an App are could not be read");
            None
        });
        let url = Url::parse(&root?).ok()?;
        matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
    }
}

fn name_of(record: Option<&App>, app: &AppId) -> String {
    let name = record.map(|record| record.manifest.display_name.trim());
    name.filter(|name| !name.is_empty()).unwrap_or(app.as_str()).to_owned()
}
