//! Where an App may send a browser (OS-08).

use tessera_types::AppId;
use url::{Host, Url};

use super::{Connect, Error, OriginRule, Visitor};
use crate::audit;
use crate::grants::Act;

impl Connect {
    /// Checks the URL that an App answered: absolute http(s), without user-info, fragment or control characters,
    /// with our state once, and an origin that is known or may become so.
    pub(super) async fn check_url(
        &self,
        app: &AppId,
        visitor: &Visitor<'_>,
        text: &str,
        state: &str,
    ) -> Result<(), Error> {
        let url = check_form(text, state, self.settings.development)
            .map_err(|why| Error::BadUrl { app: app.clone(), why })?;
        let origin = url.origin().ascii_serialization();
        if self.is_known(app, visitor, &origin).await? {
            return Ok(());
        }
        match self.settings.origins {
            OriginRule::Strict => Err(Error::UnknownOrigin { app: app.clone(), origin }),
            OriginRule::Notice => {
                if self.origins.see(app.as_str(), &origin, self.env.now_ms()).await? {
                    tracing::warn!(%app, %origin, "an App leads to an origin not seen before");
                    self.note(audit::Act::OriginSeen, app, visitor, &origin).await?;
                }
                Ok(())
            }
        }
    }

    /// Where the App has led browsers that nobody declared, each with its first time (Unix ms): for administrators.
    pub async fn origins(&self, app: &AppId) -> Result<Vec<(String, i64)>, Error> {
        let seen = self.origins.list(app.as_str()).await?;
        Ok(seen.into_iter().map(|row| (row.origin, row.first_seen)).collect())
    }

    /// Declared by an administrator: in the settings, or as the `remote_root_url` that a person stored.
    async fn is_known(&self, app: &AppId, visitor: &Visitor<'_>, origin: &str) -> Result<bool, Error> {
        let same =
            |known: &str| Url::parse(known).is_ok_and(|url| url.origin().ascii_serialization() == origin);
        if self.settings.known_origins.iter().any(|known| same(known)) {
            return Ok(true);
        }
        let act =
            Act { actor: &visitor.identity.user_id, app, request: visitor.request, reason: "origin check" };
        Ok(self.grants.declared_root(&act).await?.is_some_and(|root| same(&root)))
    }
}

fn check_form(text: &str, state: &str, development: bool) -> Result<Url, &'static str> {
    if text.chars().any(char::is_control) || text.trim() != text {
        return Err("it contains control characters or white space at its ends");
    }
    let lower = text.get(..8).unwrap_or(text).to_ascii_lowercase();
    if !lower.starts_with("http://") && !lower.starts_with("https://") {
        return Err("it is not an absolute http or https URL");
    }
    let url = Url::parse(text).map_err(|_| "it is not a URL")?;
    if !url.username().is_empty() || url.password().is_some() || authority(text).contains('@') {
        return Err("it contains a user name or password");
    }
    if url.fragment().is_some() {
        return Err("it contains a fragment");
    }
    if url.scheme() == "http" && !development && !is_loopback(&url) {
        return Err("it is plain http: a provider must be reached by https");
    }
    match url.query_pairs().filter(|(name, _)| name == "state").map(|(_, value)| value).collect::<Vec<_>>() {
        found if found.len() == 1 && found[0] == state => Ok(url),
        found if found.is_empty() => Err("it does not carry the state that the App was given"),
        found if found.len() > 1 => Err("it carries more than one state"),
        _ => Err("it carries another state than the App was given"),
    }
}

/// Between `//` and the path: also where parsing would forgive a stray `@`.
fn authority(text: &str) -> &str {
    let rest = text.split_once("//").map_or("", |(_, rest)| rest);
    rest.split(['/', '?', '#', '\\']).next().unwrap_or_default()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_08_only_plain_absolute_urls_with_our_state_once_are_followed() {
        for good in [
            "https://idp.example.net/auth?state=S.u&x=1",
            "HTTPS://idp.example.net/?state=S.u",
            "http://127.0.0.1:9/a?state=S.u",
            "http://localhost/?state=S.u",
        ] {
            assert!(check_form(good, "S.u", false).is_ok(), "{good}");
        }
        for bad in [
            "javascript:alert(1)?state=S.u",
            "//idp.example.net/?state=S.u",
            "/auth?state=S.u",
            "https://a@idp.example.net/?state=S.u",
            "https://@idp.example.net/?state=S.u",
            "https://idp.example.net/?state=S.u#frag",
            "https://idp.example.net/\r\nX: y?state=S.u",
            " https://idp.example.net/?state=S.u",
            "https://idp.example.net/?x=1",
            "https://idp.example.net/?state=S.u&state=S.u",
            "https://idp.example.net/?state=other",
            "http://idp.example.net/?state=S.u",
            "ftp://idp.example.net/?state=S.u",
            "https:idp.example.net?state=S.u",
            "https:\\\\idp.example.net\\?state=S.u",
            "data:text/html,?state=S.u",
            "",
        ] {
            assert!(check_form(bad, "S.u", false).is_err(), "{bad}");
        }
        assert!(check_form("http://idp.example.net/?state=S.u", "S.u", true).is_ok());
    }

    #[test]
    fn os_08_a_look_alike_name_is_another_origin() {
        let honest = check_form("https://example.net/?state=s", "s", false).unwrap();
        let alike = check_form("https://ex\u{430}mple.net/?state=s", "s", false).unwrap();
        assert_ne!(honest.origin(), alike.origin());
        assert!(alike.origin().ascii_serialization().contains("xn--"));
    }
}
