//! The console of a development site: a page and its modules, as they lie in the source tree. No build step, and
//! nothing comes from elsewhere.

use url::Url;

use super::Page;

/// What the page is made of: name, content type, text.
const FILES: &[(&str, &str, &str)] = &[
    ("console.css", CSS, include_str!("../../console/console.css")),
    ("api.js", SCRIPT, include_str!("../../console/api.js")),
    ("calls.js", SCRIPT, include_str!("../../console/calls.js")),
    ("commands.js", SCRIPT, include_str!("../../console/commands.js")),
    ("composer.js", SCRIPT, include_str!("../../console/composer.js")),
    ("dom.js", SCRIPT, include_str!("../../console/dom.js")),
    ("fields.js", SCRIPT, include_str!("../../console/fields.js")),
    ("forms.js", SCRIPT, include_str!("../../console/forms.js")),
    ("inspector.js", SCRIPT, include_str!("../../console/inspector.js")),
    ("main.js", SCRIPT, include_str!("../../console/main.js")),
    ("messages.js", SCRIPT, include_str!("../../console/messages.js")),
    ("provider_form.js", SCRIPT, include_str!("../../console/provider_form.js")),
    ("providers.js", SCRIPT, include_str!("../../console/providers.js")),
    ("socket.js", SCRIPT, include_str!("../../console/socket.js")),
];
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The page, for somebody who is signed in at this site.
///
/// Scripts and styles are the console's own, requests go to the site, and that is all. The site's whole origin would
/// be too much: Apps' static files are served from it.
pub fn page(site_url: &Url) -> Page {
    let own = format!("{}/console/", site_url.as_str().trim_end_matches('/'));
    let policy = format!(
        "default-src 'none'; script-src {own}; style-src {own}; connect-src 'self'; img-src 'self' data:; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    Page { html: include_str!("../../console/index.html").to_owned(), policy }
}

/// One of its files, with its content type.
pub fn file(name: &str) -> Option<(&'static str, &'static str)> {
    FILES.iter().find(|(known, ..)| *known == name).map(|(_, kind, text)| (*kind, *text))
}
