//! Where a browser has arrived, and by which way.

use axum::http::{HeaderMap, StatusCode, header};
use url::{Origin, Url};

use super::form::Form;
use super::{html, wire};

/// How much of a page is told when something is wrong with it, in characters.
const QUOTED: usize = 300;

/// A page in a browser.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) url: Url,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
    /// The redirects on the way here, in order.
    pub(super) hops: Vec<Hop>,
}

/// One redirect.
#[derive(Debug)]
pub(super) struct Hop {
    pub(super) status: StatusCode,
    pub(super) from: Url,
    pub(super) to: Url,
}

impl Page {
    /// The words on it.
    pub(super) fn words(&self) -> String {
        html::words(&self.body)
    }

    /// The form that asks for a password, if it is a sign-in page.
    pub(super) fn sign_in_form(&self) -> Option<Form> {
        Form::all(&self.body).into_iter().find(Form::asks_for_password)
    }

    /// The form with a button that says `words`.
    pub(super) fn form_with(&self, words: &str) -> Option<Form> {
        Form::all(&self.body).into_iter().find(|form| form.buttons().contains(&words))
    }

    /// The page in one line, for those who expected another. Addresses are told without their query.
    pub(super) fn seen(&self) -> String {
        let words: String = self.words().chars().take(QUOTED).collect();
        let way: String = self
            .hops
            .iter()
            .map(|hop| format!("{} from {}, ", hop.status.as_u16(), wire::place(&hop.from)))
            .collect();
        format!("{way}status {} at {}: {words}", self.status.as_u16(), wire::place(&self.url))
    }

    /// What a form of this page names as its `Origin` when it is sent to `target` (Fetch, "append a request Origin
    /// header": a page that wants no referrer gets `null`, also towards its own server).
    pub(super) fn origin_for(&self, target: &Url) -> String {
        let policy = self.headers.get(header::REFERRER_POLICY).and_then(|policy| policy.to_str().ok());
        match policy {
            Some("no-referrer") => "null".into(),
            Some("same-origin") if self.url.origin() != target.origin() => "null".into(),
            _ => self.url.origin().ascii_serialization(),
        }
    }

    /// Whether the page's content security policy lets a form go, or be led, to `target`. Chromium asks at each
    /// redirect, too.
    pub(super) fn lets_forms_go_to(&self, target: &Url) -> bool {
        let policies = self.headers.get_all(header::CONTENT_SECURITY_POLICY);
        policies.iter().filter_map(|policy| policy.to_str().ok()).all(|policy| {
            let sources = policy.split(';').find_map(|part| part.trim().strip_prefix("form-action"));
            sources.is_none_or(|sources| sources.split_whitespace().any(|source| self.allows(source, target)))
        })
    }

    fn allows(&self, source: &str, target: &Url) -> bool {
        match source {
            "'self'" => self.url.origin() == target.origin(),
            "*" => true,
            scheme if scheme.ends_with(':') => target.scheme() == scheme.trim_end_matches(':'),
            source => Url::parse(source).is_ok_and(|source| match source.origin() {
                known @ Origin::Tuple(..) => known == target.origin(),
                Origin::Opaque(_) => false,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(headers: &[(header::HeaderName, &str)]) -> Page {
        Page {
            url: Url::parse("http://localhost:1/a").unwrap(),
            status: StatusCode::OK,
            headers: headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect(),
            body: String::new(),
            hops: Vec::new(),
        }
    }

    #[test]
    fn a_form_goes_where_the_policy_lets_it() {
        let (own, other) =
            (Url::parse("http://localhost:1/b").unwrap(), Url::parse("http://127.0.0.1:2/").unwrap());
        let verdicts = |policy: &str| {
            let page = page(&[(header::CONTENT_SECURITY_POLICY, policy)]);
            (page.lets_forms_go_to(&own), page.lets_forms_go_to(&other))
        };
        assert_eq!(verdicts("default-src 'none'; form-action 'self'"), (true, false));
        assert_eq!(verdicts("form-action 'self' http://127.0.0.1:2; base-uri 'none'"), (true, true));
        assert_eq!(verdicts("form-action 'self' https: http:"), (true, true));
        assert_eq!(verdicts("form-action 'none'"), (false, false));
        assert_eq!(verdicts("default-src 'none'"), (true, true));
    }

    #[test]
    fn the_referrer_policy_decides_about_the_origin() {
        let (own, other) =
            (Url::parse("http://localhost:1/b").unwrap(), Url::parse("http://127.0.0.1:2/").unwrap());
        let origins = |policy: &str| {
            let page = page(&[(header::REFERRER_POLICY, policy)]);
            (page.origin_for(&own), page.origin_for(&other))
        };
        let (mine, none) = ("http://localhost:1".to_owned(), "null".to_owned());
        assert_eq!(origins("no-referrer"), (none.clone(), none.clone()));
        assert_eq!(origins("same-origin"), (mine.clone(), none));
        assert_eq!(origins("strict-origin"), (mine.clone(), mine));
    }
}
