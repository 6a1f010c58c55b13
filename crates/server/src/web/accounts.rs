//! The page on which people see who holds a token of theirs, and take it back.

use askama::Template;

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
    /// Origins of the other service, as far as they are known.
    pub providers: &'a [String],
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
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "accounts.html")]
pub struct Accounts<'a> {
    style: &'static str,
    username: &'a str,
    accounts: &'a [Account<'a>],
    ended: Option<Ended<'a>>,
    token: &'a str,
    site_url: &'a str,
}

impl<'a> Accounts<'a> {
    /// The page for a person; `token` is for its forms.
    pub fn page(
        username: &'a str,
        accounts: &'a [Account<'a>],
        ended: Option<Ended<'a>>,
        token: &'a str,
        site_url: &'a str,
    ) -> Page {
        let page = Self { style: STYLE, username, accounts, ended, token, site_url };
        super::page_with(&page, "'self'", "")
    }
}
