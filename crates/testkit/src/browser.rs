//! A browser that takes one step at a time: it keeps cookies, says where it comes from as Chromium does, and follows
//! nothing by itself.

use std::collections::BTreeMap;

use crate::site::Site;
use crate::wire::{Answer, Ask};

const DETOUR: &str = "tessera-signed-in";

/// What made the browser go somewhere: `Sec-Fetch-Site`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// An address typed, or a bookmark.
    Nowhere,
    /// A link or a redirect of another site.
    Elsewhere,
    /// A link on a page of this site.
    Here,
}

impl From {
    fn word(self) -> &'static str {
        match self {
            Self::Nowhere => "none",
            Self::Elsewhere => "cross-site",
            Self::Here => "same-origin",
        }
    }
}

/// One browser profile.
#[derive(Debug, Clone)]
pub struct Browser {
    site: Site,
    /// Scheme and authority, as its address bar shows it.
    origin: String,
    /// Name and value; what has expired is gone.
    pub jar: BTreeMap<String, String>,
}

impl Browser {
    /// A browser without cookies.
    pub fn new(site: Site) -> Self {
        Self::at(site, &format!("http://localhost:{}", site.address.port()))
    }

    /// A browser that reaches the site under another address, as through a proxy.
    pub fn at(site: Site, origin: &str) -> Self {
        Self { site, origin: origin.to_owned(), jar: BTreeMap::new() }
    }

    /// A browser in which somebody signed in a while ago.
    pub async fn signed_in(site: Site, name: &str) -> Self {
        let mut browser = Self::new(site);
        let answer = browser.sign_in(name, "/").await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        browser.forget(DETOUR);
        browser
    }

    /// Fills in the sign-in page.
    pub async fn sign_in(&mut self, name: &str, return_to: &str) -> Answer {
        let fields = [("login_id", name), ("password", "tessera-dev"), ("return_to", return_to)];
        self.submit("/login", &fields).await
    }

    /// Drops a cookie, which must be there.
    pub fn forget(&mut self, name: &str) {
        assert!(self.jar.remove(name).is_some(), "no cookie {name} in {:?}", self.jar.keys());
    }

    /// The `Cookie` header.
    pub fn cookies(&self) -> String {
        let pairs = self.jar.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    /// A navigation of the whole window.
    pub fn navigation(&self, target: &str, from: From) -> Ask {
        let ask = self.dress(Ask::get(target), from);
        ask.with("Sec-Fetch-Mode", "navigate").with("Sec-Fetch-Dest", "document").with("Sec-Fetch-User", "?1")
    }

    /// Goes to a place of the site, and keeps the cookies that come back.
    pub async fn open(&mut self, target: &str, from: From) -> Answer {
        let ask = self.navigation(target, from);
        self.send(&ask).await
    }

    /// Sends a form of one of the site's own pages.
    pub async fn submit(&mut self, target: &str, fields: &[(&str, &str)]) -> Answer {
        let ask = self.form(target, fields, From::Here).with("Origin", self.origin.clone());
        self.send(&ask).await
    }

    /// A form, still without its `Origin`.
    pub fn form(&self, target: &str, fields: &[(&str, &str)], from: From) -> Ask {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let ask = self.dress(Ask::post(target, body), from);
        ask.with("Content-Type", "application/x-www-form-urlencoded")
            .with("Sec-Fetch-Mode", "navigate")
            .with("Sec-Fetch-Dest", "document")
    }

    /// What every request of a browser says.
    pub fn dress(&self, ask: Ask, from: From) -> Ask {
        let host = self.origin.split_once("://").unwrap().1;
        let ask = ask
            .with("Host", host)
            .with("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
            .with("Sec-Fetch-Site", from.word());
        if self.jar.is_empty() { ask } else { ask.with("Cookie", self.cookies()) }
    }

    /// Sends, and keeps the cookies that come back.
    pub async fn send(&mut self, ask: &Ask) -> Answer {
        let answer = self.site.send(ask).await;
        self.keep(&answer);
        answer
    }

    fn keep(&mut self, answer: &Answer) {
        for cookie in set_cookies(answer) {
            let (pair, attributes) = cookie.split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.split("; ").any(|attribute| attribute == "Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// The path that an answer leads to, which must be on this site.
    pub fn place(&self, answer: &Answer) -> String {
        let location = answer.header("location").unwrap();
        let path = location.strip_prefix(&self.origin).unwrap_or(location);
        assert!(path.starts_with('/') && !path.starts_with("//"), "{location} is elsewhere");
        path.to_owned()
    }

    /// The names of the cookies of flows that are open.
    pub fn flows(&self) -> Vec<&str> {
        self.jar.keys().map(String::as_str).filter(|name| name.contains("tessera-flow-")).collect()
    }
}

/// All `Set-Cookie` headers.
pub fn set_cookies(answer: &Answer) -> Vec<&str> {
    let headers = answer.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    headers.map(|(_, value)| value.as_str()).collect()
}

/// The value of the confirm page's hidden field.
pub fn form_token(page: &Answer) -> String {
    let text = page.text();
    let (_, rest) = text.split_once("name=\"token\" value=\"").unwrap_or_else(|| panic!("no form: {text}"));
    rest.split('"').next().unwrap().to_owned()
}
