//! A browser without script: it keeps one site's cookies, reads forms and posts them. It follows no redirect by
//! itself, so that tests see each step.

use std::collections::BTreeMap;
use std::sync::Mutex;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Method, StatusCode, redirect};

pub(crate) struct Browser {
    site: String,
    http: reqwest::Client,
    cookies: Mutex<BTreeMap<String, String>>,
}

#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

pub(crate) fn http_client() -> reqwest::Client {
    // Err means that another test was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().redirect(redirect::Policy::none()).no_proxy().build().unwrap()
}

impl Browser {
    pub(crate) fn new(site: &str) -> Self {
        Self { site: site.to_owned(), http: http_client(), cookies: Mutex::default() }
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        self.send(Method::GET, path, &[]).await
    }

    /// Fills the page's form and posts it, hidden fields included.
    pub(crate) async fn submit(&self, page: &Page, filled: &[(&str, &str)]) -> Page {
        let mut fields = page.fields();
        fields.extend(filled.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.send(Method::POST, &page.action(), &fields).await
    }

    pub(crate) async fn sign_in(&self, page: &Page, name: &str, password: &str) -> Page {
        let answer = self.submit(page, &[("username", name), ("password", password)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        self.get(answer.location()).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, form: &[(&str, &str)]) -> Page {
        let cookies: Vec<_> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.site));
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        if method == Method::POST {
            request = request.form(form);
        }
        let response = request.send().await.unwrap();
        for set in response.headers().get_all(SET_COOKIE) {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
        }
        let (status, headers) = (response.status(), response.headers().clone());
        Page { status, headers, body: response.text().await.unwrap() }
    }
}

impl Page {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> &str {
        self.header(LOCATION.as_str())
    }

    /// The query of the redirect, by name.
    pub(crate) fn answer(&self) -> BTreeMap<String, String> {
        url::Url::parse(self.location()).unwrap().query_pairs().into_owned().collect()
    }

    pub(crate) fn action(&self) -> String {
        attribute(self.tags("form").next().unwrap_or_else(|| panic!("no form in {}", self.body)), "action")
    }

    pub(crate) fn fields(&self) -> BTreeMap<String, String> {
        self.tags("input").map(|tag| (attribute(tag, "name"), attribute(tag, "value"))).collect()
    }

    fn tags<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.body.split('<').filter(move |tag| tag.split([' ', '>']).next() == Some(name))
    }
}

fn attribute(tag: &str, name: &str) -> String {
    let start = format!(" {name}=\"");
    let value =
        tag.split_once(&start).and_then(|(_, rest)| rest.split_once('"')).map_or("", |(value, _)| value);
    value.replace("&#38;", "&")
}
