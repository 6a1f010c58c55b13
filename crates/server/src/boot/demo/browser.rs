//! A browser that a person could have: cookies, redirects, forms, and the headers that Chromium sends when it
//! navigates. No script runs in it, so every page has to work without.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use url::Url;

use super::form::Form;
use super::jar::Jar;
use super::page::{Hop, Page};
use super::wire::{self, Answer};

/// Chromium gives up at the same number.
const MOST_REDIRECTS: usize = 20;

/// One person's browser.
#[derive(Debug, Default)]
pub(super) struct Browser {
    jar: Jar,
}

/// Why a navigation did not arrive at a page.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Wire(#[from] wire::Error),
    #[error("more than {MOST_REDIRECTS} redirects, the last from {0}")]
    TooManyRedirects(String),
    #[error("{0} redirects, but not to an address")]
    NoLocation(String),
    #[error("the content security policy of {page} does not let a form go to {target}")]
    FormBlocked { page: String, target: String },
    #[error("the page has no button {0:?}")]
    NoButton(String),
    #[error("a header of {0} cannot be sent")]
    Header(String),
}

/// A request on its way to a page.
struct Navigation<'a> {
    url: Url,
    post: bool,
    body: String,
    /// The page whose form or link it is; `None` when the address was typed.
    from: Option<&'a Page>,
    is_form: bool,
    hops: Vec<Hop>,
    /// A POST that was led from one origin to another has no origin any more.
    tainted: bool,
}

impl Browser {
    /// Goes to an address that was typed, or clicked on in another program.
    pub(super) async fn open(&mut self, url: Url) -> Result<Page, Error> {
        let (body, hops) = (String::new(), Vec::new());
        self.navigate(Navigation { url, post: false, body, from: None, is_form: false, hops, tainted: false })
            .await
    }

    /// Presses the button with these words on a filled-in form of a page.
    pub(super) async fn press(&mut self, page: &Page, form: &Form, words: &str) -> Result<Page, Error> {
        let filled = form.press(words).ok_or_else(|| Error::NoButton(words.to_owned()))?;
        let mut url = form.target(&page.url).ok_or_else(|| Error::NoLocation(wire::place(&page.url)))?;
        let body = match form.post {
            true => filled,
            false => {
                url.set_query(Some(&filled));
                String::new()
            }
        };
        let (from, hops) = (Some(page), Vec::new());
        self.navigate(Navigation { url, post: form.post, body, from, is_form: true, hops, tainted: false })
            .await
    }

    async fn navigate(&mut self, mut going: Navigation<'_>) -> Result<Page, Error> {
        while going.hops.len() <= MOST_REDIRECTS {
            going.may_go()?;
            let (cross_site, post) = (going.site() == "cross-site", going.post);
            let cookies = self.jar.header(&going.url, cross_site, post);
            let method = if post { "POST" } else { "GET" };
            let headers = going.headers(cookies)?;
            let Answer { status, headers, body } =
                wire::send(method, &going.url, headers, going.body.clone()).await?;
            self.jar.keep(&going.url, &headers);
            if !is_redirect(status) {
                return Ok(Page { url: going.url, status, headers, body, hops: going.hops });
            }
            going = going.led_on(status, &headers)?;
        }
        Err(Error::TooManyRedirects(wire::place(&going.url)))
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

impl Navigation<'_> {
    fn may_go(&self) -> Result<(), Error> {
        match self.from {
            Some(page) if self.is_form && !page.lets_forms_go_to(&self.url) => {
                Err(Error::FormBlocked { page: wire::place(&page.url), target: wire::place(&self.url) })
            }
            _ => Ok(()),
        }
    }

    fn led_on(mut self, status: StatusCode, headers: &HeaderMap) -> Result<Self, Error> {
        let location = headers.get(header::LOCATION).and_then(|location| location.to_str().ok());
        let to = location.and_then(|location| self.url.join(location).ok());
        let to = to.ok_or_else(|| Error::NoLocation(wire::place(&self.url)))?;
        // 307 and 308 keep the method; after the others a browser asks with GET (Fetch, "HTTP-redirect fetch").
        if !matches!(status.as_u16(), 307 | 308) {
            self.post = false;
            self.body.clear();
        }
        self.tainted |= self.url.origin() != to.origin();
        self.hops.push(Hop { status, from: self.url, to: to.clone() });
        Ok(Self { url: to, ..self })
    }

    /// `Sec-Fetch-Site`: how the page that this began on is related to every address on the way (Fetch Metadata,
    /// section 2.3).
    fn site(&self) -> &'static str {
        let Some(page) = self.from else { return "none" };
        let all = |related: fn(&Url, &Url) -> bool| {
            let mut way = self.hops.iter().map(|hop| &hop.from).chain([&self.url]);
            way.all(|url| related(&page.url, url))
        };
        if all(|one, other| one.origin() == other.origin()) {
            "same-origin"
        } else if all(|one, other| one.scheme() == other.scheme() && one.host() == other.host()) {
            "same-site"
        } else {
            "cross-site"
        }
    }

    fn headers(&self, cookies: Option<String>) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        let fixed = [
            (
                header::ACCEPT,
                "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
            ),
            (header::ACCEPT_LANGUAGE, "en-US,en;q=0.9"),
            (header::UPGRADE_INSECURE_REQUESTS, "1"),
            (
                header::USER_AGENT,
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) tessera-demo",
            ),
            (HeaderName::from_static("sec-fetch-site"), self.site()),
            (HeaderName::from_static("sec-fetch-mode"), "navigate"),
            (HeaderName::from_static("sec-fetch-user"), "?1"),
            (HeaderName::from_static("sec-fetch-dest"), "document"),
        ];
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let text =
            |text: &str| HeaderValue::from_str(text).map_err(|_| Error::Header(wire::place(&self.url)));
        if let (true, Some(page)) = (self.post, self.from) {
            let origin = if self.tainted { "null".to_owned() } else { page.origin_for(&self.url) };
            headers.insert(header::ORIGIN, text(&origin)?);
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            headers.insert(header::CONTENT_TYPE, form);
        }
        if let Some(cookies) = cookies {
            headers.insert(header::COOKIE, text(&cookies)?);
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests;
