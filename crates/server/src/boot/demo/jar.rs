//! A browser's cookies (RFC 6265bis): by host, not by port, as browsers keep them.

use axum::http::{HeaderMap, header};
use cookie::{Cookie, SameSite};
use url::Url;

/// The cookies of one browser.
#[derive(Debug, Default)]
pub(super) struct Jar(Vec<Kept>);

#[derive(Debug)]
struct Kept {
    host: String,
    path: String,
    same_site: SameSite,
    name: String,
    value: String,
}

impl Jar {
    /// Keeps what an answer from `url` sets, and forgets what it ends. `Secure` cookies are not taken: everything
    /// here is plain http.
    pub(super) fn keep(&mut self, url: &Url, headers: &HeaderMap) {
        for line in headers.get_all(header::SET_COOKIE).iter().filter_map(|line| line.to_str().ok()) {
            let Ok(cookie) = Cookie::parse(line.to_owned()) else { continue };
            if cookie.secure() == Some(true) || cookie.name().starts_with("__Host-") {
                continue;
            }
            let kept = Kept {
                host: url.host_str().unwrap_or_default().to_owned(),
                path: cookie.path().filter(|path| path.starts_with('/')).unwrap_or(folder(url)).to_owned(),
                same_site: cookie.same_site().unwrap_or(SameSite::Lax),
                name: cookie.name().to_owned(),
                value: cookie.value().to_owned(),
            };
            self.0.retain(|old| (&old.name, &old.host, &old.path) != (&kept.name, &kept.host, &kept.path));
            if cookie.max_age().is_none_or(|age| age.is_positive()) {
                self.0.push(kept);
            }
        }
    }

    /// The `Cookie` header for a navigation to `url`. One that another site began carries no `Strict` cookie, and
    /// a form that another site sent carries no `Lax` one either.
    pub(super) fn header(&self, url: &Url, cross_site: bool, post: bool) -> Option<String> {
        let host = url.host_str().unwrap_or_default();
        let fits = |cookie: &&Kept| {
            let goes_along = match cookie.same_site {
                SameSite::None => true,
                SameSite::Lax => !(cross_site && post),
                SameSite::Strict => !cross_site,
            };
            goes_along && cookie.host == host && is_below(url.path(), &cookie.path)
        };
        let pairs: Vec<String> =
            self.0.iter().filter(fits).map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

/// What a cookie without a path belongs to.
fn folder(url: &Url) -> &str {
    url.path().rsplit_once('/').map_or("/", |(folder, _)| if folder.is_empty() { "/" } else { folder })
}

/// Section 5.1.4.
fn is_below(path: &str, cookie_path: &str) -> bool {
    path.strip_prefix(cookie_path)
        .is_some_and(|rest| rest.is_empty() || cookie_path.ends_with('/') || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_go_where_they_belong() {
        let url = |text: &str| Url::parse(text).unwrap();
        let set = |lines: &[&str]| -> HeaderMap {
            lines.iter().map(|line| (header::SET_COOKIE, line.parse().unwrap())).collect()
        };
        let mut jar = Jar::default();
        let site = url("http://localhost:1/sign-in");
        jar.keep(
            &site,
            &set(&["a=1; Path=/", "b=2; Path=/chat; SameSite=Strict", "c=3; Secure", "__Host-d=4; Path=/"]),
        );
        assert_eq!(jar.header(&url("http://localhost:2/x"), false, false).unwrap(), "a=1");
        assert_eq!(jar.header(&url("http://localhost:1/chat/x"), false, true).unwrap(), "a=1; b=2");
        assert_eq!(jar.header(&url("http://localhost:1/chat"), true, false).unwrap(), "a=1");
        assert_eq!(jar.header(&url("http://localhost:1/chatter"), true, true), None);
        assert_eq!(jar.header(&url("http://127.0.0.1:1/"), false, false), None);
        jar.keep(&site, &set(&["a=; Path=/; Max-Age=0", "b=5; Path=/chat"]));
        assert_eq!(jar.header(&url("http://localhost:1/chat"), true, false).unwrap(), "b=5");
    }
}
