//! Pages that people see: templates and their view models. Routes are the `http` room's business, but for the two of
//! the sign-in page, which the standalone platform alone has.
//!
//! A page is self-contained: its style and its script are inline, named by hash in its own content security policy.
//! Nothing is fetched, nothing may frame it, and it works without script (OS-16).

pub mod accounts;
pub mod console;
pub mod gone;
pub mod health;
pub mod markdown;
pub mod moments;
pub mod sign_in;

use std::sync::LazyLock;

use askama::Template;
use base64::Engine as _;
use sha2::{Digest as _, Sha256};

const STYLE: &str = include_str!("../../templates/style.css");
/// What closes the window of a flow that ended, as the original's page does.
const CLOSE: &str = "window.close();";

static STYLE_HASH: LazyLock<String> = LazyLock::new(|| hash(STYLE));
static CLOSE_HASH: LazyLock<String> = LazyLock::new(|| hash(CLOSE));

/// A page ready to be sent.
#[derive(Debug)]
pub struct Page {
    /// The document.
    pub html: String,
    /// Its `Content-Security-Policy`.
    pub policy: String,
}

/// Before a first connection: who connects what (OS-17).
#[derive(Debug, Template)]
#[template(path = "confirm.html")]
pub struct Confirm<'a> {
    style: &'static str,
    asked: Asked<'a>,
    site_url: &'a str,
}

/// What is about to be connected, and by whom.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The App's display name.
    pub app_name: &'a str,
    /// Its id.
    pub app_id: &'a str,
    /// Who is signed in.
    pub username: &'a str,
    /// Where the App leads, by name or host, as far as that is known before it is asked.
    pub providers: &'a [String],
    /// The form's token.
    pub token: &'a str,
    /// Where somebody goes who is somebody else.
    pub sign_out: &'a str,
    /// The token of the form that leads there.
    pub leaving: &'a str,
}

impl<'a> Confirm<'a> {
    /// The page for a person about to connect an account with an App.
    pub fn page(asked: Asked<'a>, site_url: &'a str) -> Page {
        page(&Self { style: STYLE, asked, site_url }, "")
    }
}

/// In a window of another program: where to go on.
#[derive(Debug, Template)]
#[template(path = "outside.html")]
pub struct Outside<'a> {
    style: &'static str,
    address: &'a str,
    opens: bool,
    site_url: &'a str,
}

impl<'a> Outside<'a> {
    /// The page with the address to open in a browser; `opens` says whether such windows open links there by themselves.
    pub fn page(address: &'a str, opens: bool, site_url: &'a str) -> Page {
        page_with(&Self { style: STYLE, address, opens, site_url }, "'none'", "")
    }
}

/// After a connection: the window closes itself where it can, unless there is something to read.
#[derive(Debug, Template)]
#[template(path = "connected.html")]
pub struct Connected<'a> {
    style: &'static str,
    script: &'static str,
    app_name: &'a str,
    connection: Connection<'a>,
    accounts: &'a str,
    site_url: &'a str,
}

/// What there is to say of a connection.
#[derive(Debug, Clone, Copy, Default)]
pub struct Connection<'a> {
    /// What the page says instead, where nobody was connected; empty otherwise.
    pub heading: &'a str,
    /// Which account: `somebody@example.com at Google`; empty where only the App knows.
    pub account: &'a str,
    /// Whether what was connected before stays as it is.
    pub kept: bool,
    /// What the App said, where it was not content; empty otherwise.
    pub note: &'a str,
}

impl<'a> Connected<'a> {
    /// The page at the end of a flow. Nothing of the flow is on it. `accounts` is the address of the page of all
    /// connections.
    pub fn page(app_name: &'a str, connection: Connection<'a>, accounts: &'a str, site_url: &'a str) -> Page {
        if connection.kept || !connection.note.is_empty() || !connection.heading.is_empty() {
            return page(&Self { style: STYLE, script: "", app_name, connection, accounts, site_url }, "");
        }
        let script = format!("; script-src '{}'", *CLOSE_HASH);
        page(&Self { style: STYLE, script: CLOSE, app_name, connection, accounts, site_url }, &script)
    }
}

/// Who came back with another account than the one that is connected is asked which it shall be.
#[derive(Debug, Template)]
#[template(path = "choice.html")]
pub struct Chosen<'a> {
    style: &'static str,
    asked: Which<'a>,
    site_url: &'a str,
}

/// Two accounts, and what answers.
#[derive(Debug, Clone, Copy)]
pub struct Which<'a> {
    /// The App's display name.
    pub app_name: &'a str,
    /// The account that is connected.
    pub before: &'a str,
    /// The new one.
    pub after: &'a str,
    /// What takes the new one, or ends it.
    pub ticket: &'a str,
    /// The form's token.
    pub token: &'a str,
    /// Where the form goes.
    pub action: &'a str,
}

impl<'a> Chosen<'a> {
    /// The page.
    pub fn page(asked: Which<'a>, site_url: &'a str) -> Page {
        page_with(&Self { style: STYLE, asked, site_url }, "'self'", "")
    }
}

/// After a refusal of the provider, which the App took note of (OS-13). It stays open: it has something to say.
#[derive(Debug, Template)]
#[template(path = "declined.html")]
pub struct Declined<'a> {
    style: &'static str,
    app_name: &'a str,
    code: &'a str,
    said: &'a str,
    site_url: &'a str,
}

impl<'a> Declined<'a> {
    /// The page for a fixed `code`; what the provider wrote beside it is not shown, but what the App `said` of it is.
    pub fn page(app_name: &'a str, code: &'static str, said: &'a str, site_url: &'a str) -> Page {
        page(&Self { style: STYLE, app_name, code, said, site_url }, "")
    }
}

/// The front page of a development site, for who is not signed in.
#[derive(Debug, Template)]
#[template(path = "home.html")]
pub struct Home<'a> {
    style: &'static str,
    sign_in: &'a str,
}

impl<'a> Home<'a> {
    /// The page that leads to the sign-in page.
    pub fn page(sign_in: &'a str) -> Page {
        page(&Self { style: STYLE, sign_in }, "")
    }
}

/// Where to sign in on a site that is not ours. It looks again by itself.
#[derive(Debug, Template)]
#[template(path = "elsewhere.html")]
pub struct Elsewhere<'a> {
    style: &'static str,
    login: &'a str,
    site_url: &'a str,
}

impl<'a> Elsewhere<'a> {
    /// The page that leads to the site's own sign-in page.
    pub fn page(login: &'a str, site_url: &'a str) -> Page {
        page(&Self { style: STYLE, login, site_url }, "")
    }
}

/// After signing out of a service that has a host name of its own: Mattermost has a session of its own still.
#[derive(Debug, Template)]
#[template(path = "signed_out.html")]
pub struct SignedOut<'a> {
    style: &'static str,
    site: &'a str,
    again: &'a str,
}

impl<'a> SignedOut<'a> {
    /// The page; `site` is where Mattermost is, `again` where one goes on.
    pub fn page(site: &'a str, again: &'a str) -> Page {
        page_with(&Self { style: STYLE, site, again }, "'none'", "")
    }
}

/// What went wrong, in words, and what to do about it.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub struct Failed<'a> {
    style: &'static str,
    title: &'a str,
    text: &'a str,
    advice: &'a str,
    code: u16,
    request: &'a str,
    site_url: &'a str,
}

impl<'a> Failed<'a> {
    /// The page for a browser; programs get the text alone.
    pub fn page(status: u16, text: &'a str, advice: &'a str, request: &'a str, site_url: &'a str) -> Page {
        let title = match status {
            400 => "This link is not right",
            401 => "Not possible for you",
            403 => "Refused",
            404 => "Not found",
            429 => "Too much at once",
            502 => "The App answered something unsafe",
            _ => "That did not work",
        };
        page(&Self { style: STYLE, title, text, advice, code: status, request, site_url }, "")
    }
}

/// A page whose form may lead to a provider.
fn page(template: &impl Template, more: &str) -> Page {
    page_with(template, "'self' https: http:", more)
}

/// A page whose forms lead to `forms` alone, and `more` directives.
fn page_with(template: &impl Template, forms: &str, more: &str) -> Page {
    let html = template.render().unwrap_or_else(|error| {
        // Rendering into memory fails only when a field's own display does, and ours are texts.
        tracing::error!(%error, "a page could not be rendered");
        "This page could not be rendered.".to_owned()
    });
    let policy = format!(
        "default-src 'none'; style-src '{}'; form-action {forms}; base-uri 'none'; \
         frame-ancestors 'none'{more}",
        *STYLE_HASH
    );
    Page { html, policy }
}

fn hash(text: &str) -> String {
    format!("sha256-{}", base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_16_what_is_shown_is_escaped_and_nothing_is_fetched() {
        let page = Failed::page(403, "<script>alert(1)</script>", "", "req", "https://mm.example.com");
        assert!(!page.html.contains("<script>"), "{}", page.html);
        assert!(page.html.contains("&#60;script&#62;") || page.html.contains("&lt;script&gt;"));
        assert!(page.policy.contains("default-src 'none'") && page.policy.contains("frame-ancestors 'none'"));
        assert!(!page.policy.contains("script-src"));
        let page = Connected::page(
            "Hello & co",
            Connection::default(),
            "https://mm.example.com/a",
            "https://mm.example.com",
        );
        assert!(page.html.contains("Completed connecting your account. Please close this window."));
        assert!(page.policy.contains("script-src 'sha256-"));
        assert!(!page.html.contains(" src=") && !page.html.contains("http-equiv"));
    }
}
