//! The page on which people see who holds a token of theirs, and take it back.

use askama::Template;

use super::gone::Gone;
use super::health::{Health, Renewal};
use super::moments::Moment;
use super::{Page, STYLE};

/// A connection as it is shown.
#[derive(Debug)]
pub struct Account<'a> {
    /// The App's id.
    pub app_id: &'a str,
    /// The App's display name.
    pub app_name: &'a str,
    /// Since when.
    pub since: Moment,
    /// When the token was last used, and by which call; `None` for the call when the App asked by itself.
    pub used: Option<(Moment, Option<&'a str>)>,
    /// Origins of the other service, as far as they are known, where the App keeps the connection itself.
    pub providers: &'a [String],
    /// Where people end what they granted there, where that is known: name and address of each.
    pub pages: &'a [(String, String)],
    /// What the service knows where it keeps the connection.
    pub managed: Option<Managed<'a>>,
}

/// What is shown of a managed connection besides.
#[derive(Debug)]
pub struct Managed<'a> {
    /// Which account: `somebody@example.com at Google`.
    pub account: String,
    /// The provider's name.
    pub provider: &'a str,
    /// Whether how it is spoken to was tried against its own documents.
    pub verified: bool,
    /// How it stands.
    pub health: Health,
    /// When its token is renewed by itself.
    pub renewal: Option<Renewal>,
    /// What it may do.
    pub scopes: &'a [String],
    /// What it was asked to be allowed to do, and is not.
    pub missing: &'a [String],
    /// Where the person agrees anew.
    pub connect_url: String,
    /// Where the person sees and ends it at the provider.
    pub permissions_url: Option<&'a str>,
}

impl Account<'_> {
    /// Decoration: the first letter of the name.
    fn initial(&self) -> String {
        let first = self.app_name.chars().find(|character| character.is_alphanumeric());
        first.map_or_else(|| "?".to_owned(), |first| first.to_uppercase().collect())
    }
}

/// An App that was disconnected just now.
#[derive(Debug)]
pub struct Ended<'a> {
    /// Its display name.
    pub app_name: &'a str,
    /// Origins of the other service, as far as they are known.
    pub providers: &'a [String],
    /// Where people end what they granted there, where that is known: name and address of each.
    pub pages: &'a [(String, String)],
    /// What became of it at its provider, where the service was who kept it.
    pub gone: Option<&'a Gone<'a>>,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "accounts.html")]
pub struct Accounts<'a> {
    style: &'static str,
    username: &'a str,
    accounts: &'a [Account<'a>],
    ended: Option<Ended<'a>>,
    gone: &'a [Gone<'a>],
    token: &'a str,
    site_url: &'a str,
}

/// What is on the page.
#[derive(Debug)]
pub struct Shown<'a> {
    /// What is connected.
    pub accounts: &'a [Account<'a>],
    /// What was disconnected just now.
    pub ended: Option<Ended<'a>>,
    /// What ended lately.
    pub gone: &'a [Gone<'a>],
}

impl<'a> Accounts<'a> {
    /// The page for a person; `token` is for its forms.
    pub fn page(username: &'a str, shown: Shown<'a>, token: &'a str, site_url: &'a str) -> Page {
        let Shown { accounts, ended, gone } = shown;
        let page = Self { style: STYLE, username, accounts, ended, gone, token, site_url };
        super::page_with(&page, "'self'", "")
    }

    fn any_managed(&self) -> bool {
        self.accounts.iter().any(|account| account.managed.is_some())
    }

    fn any_of_apps(&self) -> bool {
        self.accounts.iter().any(|account| account.managed.is_none())
    }

    fn any_unverified(&self) -> bool {
        let mut managed = self.accounts.iter().filter_map(|account| account.managed.as_ref());
        managed.any(|managed| !managed.verified)
    }
}
