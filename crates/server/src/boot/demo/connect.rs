//! The step in the browser: from the connect link through sign-in, confirmation and consent, and back.

use url::Url;

use super::api::PASSWORD;
use super::browser::{self, Browser};
use super::page::Page;
use super::report::Failure;
use super::stage::SCOPES;
use super::steps::{Account, CLIENT_ID, expect};
use super::wire;

/// Who connects what with what.
pub(super) struct Connecting<'a> {
    /// The connect link.
    pub(super) link: &'a str,
    /// The App's redirect URI.
    pub(super) redirect_uri: &'a str,
    pub(super) app_name: &'a str,
    pub(super) username: &'a str,
    pub(super) account: Account,
    /// Where the provider is.
    pub(super) provider: &'a str,
}

impl Connecting<'_> {
    /// Walks the way in a browser that was never here before.
    pub(super) async fn walk(&self) -> Result<((), String), Failure> {
        let link = parse(self.link)?;
        let mut browser = Browser::default();
        let page = arrive("the connect link to lead to a page", browser.open(link.clone()).await)?;

        let form = page.sign_in_form().filter(|_| page.url.origin() == link.origin());
        let form = form.ok_or_else(|| Failure::new("the site's sign-in page", page.seen()))?;
        let form = form.sign_in(self.username, PASSWORD);
        let button = first_button(&form.buttons());
        let page = arrive("to be signed in at the site", browser.press(&page, &form, &button).await)?;

        let words = page.words();
        let asked =
            page.url.path() == link.path() && words.contains(self.app_name) && words.contains(self.username);
        let form = page.form_with("Continue").filter(|_| asked);
        let form = form.ok_or_else(|| {
            Failure::new(format!("a page that asks {} about {}", self.username, self.app_name), page.seen())
        })?;
        let page = arrive("the way to the provider", browser.press(&page, &form, "Continue").await)?;

        self.check_request(&page)?;
        let form = page.sign_in_form().filter(|_| self.is_provider(&page));
        let form = form.ok_or_else(|| Failure::new("the provider's sign-in page", page.seen()))?;
        let form = form.sign_in(self.account.name, self.account.password);
        let button = first_button(&form.buttons());
        let page = arrive("to be signed in at the provider", browser.press(&page, &form, &button).await)?;

        let words = page.words();
        let asked =
            self.is_provider(&page) && [CLIENT_ID, self.account.name].iter().all(|it| words.contains(it));
        let form = page.form_with("Allow").filter(|_| asked);
        let form = form.ok_or_else(|| Failure::new("the provider's consent page", page.seen()))?;
        let page = arrive("the way back from the provider", browser.press(&page, &form, "Allow").await)?;

        self.check_end(&page)?;
        let Account { name, .. } = self.account;
        Ok(((), format!("signed in, confirmed, consented as {name}, back with 200")))
    }

    fn is_provider(&self, page: &Page) -> bool {
        Url::parse(self.provider).is_ok_and(|provider| provider.origin() == page.url.origin())
    }

    /// The address that the App made for the provider: RFC 6749 section 4.1.1, RFC 7636 section 4.3.
    fn check_request(&self, page: &Page) -> Result<(), Failure> {
        let mut stations = page.hops.iter().map(|hop| &hop.to).chain([&page.url]);
        let request = stations.find(|url| url.path() == "/authorize");
        let request =
            request.ok_or_else(|| Failure::new("to be led to the provider's /authorize", page.seen()))?;
        let has =
            |name: &str, value: &str| request.query_pairs().any(|pair| pair == (name.into(), value.into()));
        let value = |name: &str| request.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value);
        let scope = SCOPES.join(" ");
        for (name, wanted) in [
            ("response_type", "code"),
            ("client_id", CLIENT_ID),
            ("redirect_uri", self.redirect_uri),
            ("scope", scope.as_str()),
            ("code_challenge_method", "S256"),
        ] {
            expect(has(name, wanted), format!("{name}={wanted} in the authorization request"), || {
                value(name).map_or_else(|| "nothing of that name".into(), |value| format!("{name}={value}"))
            })?;
        }
        // 32 random bytes in base64url are 43 characters; the user's id follows after a dot.
        let state = value("state")
            .is_some_and(|state| state.split_once('.').is_some_and(|(random, _)| random.len() == 43));
        expect(state, "a state of the site in the authorization request", || "none, or another".into())
    }

    fn check_end(&self, page: &Page) -> Result<(), Failure> {
        let back = page.hops.iter().map(|hop| &hop.to).any(|url| wire::place(url) == self.redirect_uri);
        expect(back, format!("to be led back to {}", self.redirect_uri), || page.seen())?;
        let words = page.words();
        let told = words.contains("Completed connecting your account") && words.contains(self.app_name);
        let ended = page.status.as_u16() == 200 && told;
        expect(ended, format!("200 and a page that says that {} is connected", self.app_name), || {
            page.seen()
        })?;
        let codes = page.hops.iter().flat_map(|hop| hop.to.query_pairs().into_owned().collect::<Vec<_>>());
        let leaked = codes
            .filter(|(name, _)| name == "code" || name == "state")
            .any(|(_, value)| page.body.contains(&value));
        expect(!leaked, "neither code nor state on that page", || "one of them".into())
    }
}

fn first_button(buttons: &[&str]) -> String {
    buttons.first().copied().unwrap_or_default().to_owned()
}

fn arrive(expected: &str, page: Result<Page, browser::Error>) -> Result<Page, Failure> {
    page.map_err(|error| Failure::new(expected, error))
}

fn parse(link: &str) -> Result<Url, Failure> {
    Url::parse(link).map_err(|error| Failure::new("an address to open", format!("{link:?}: {error}")))
}
