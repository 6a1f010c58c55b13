//! A simulator, a clock that tests turn, and a client that sends token requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;
use tessera_simulator::{Builder, PASSWORD, Running, Simulator};

use crate::browser::{Browser, Page, http_client};

pub(crate) const CLIENT: &str = "hello";
pub(crate) const SECRET: &str = "s3cret";
/// Nobody listens there: no test follows this redirect.
pub(crate) const REDIRECT: &str = "http://localhost:8065/complete?app=hello";
pub(crate) const CALENDAR: &str = "https://www.googleapis.com/auth/calendar";
/// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(crate) struct Stage {
    pub(crate) simulator: Running,
    pub(crate) browser: Browser,
    http: reqwest::Client,
    clock: Arc<AtomicI64>,
}

/// How a token request says who the client is.
pub(crate) enum As {
    Basic(&'static str, &'static str),
    Body(&'static str, &'static str),
    Both,
    Nobody,
}

pub(crate) const HELLO: As = As::Basic(CLIENT, SECRET);

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    pub(crate) async fn with(build: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = Arc::new(AtomicI64::new(1_800_000_000));
        let read = Arc::clone(&clock);
        let builder = Simulator::builder()
            .client(CLIENT, SECRET, [REDIRECT])
            .client("other", "other-secret", [REDIRECT])
            .clock(Arc::new(move || read.load(Ordering::SeqCst)));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let simulator = build(builder).build().start(listener).unwrap();
        let browser = Browser::new(simulator.url());
        Self { simulator, browser, http: http_client(), clock }
    }

    /// Sets switches as they are typed.
    pub(crate) fn set(&self, switches: &[&str]) {
        self.simulator.change_behaviour(|behaviour| {
            for switch in switches {
                behaviour.set(switch).unwrap();
            }
        });
    }

    /// One with these switches from the start.
    pub(crate) async fn set_up(switches: &[&str]) -> Self {
        let stage = Self::new().await;
        stage.set(switches);
        stage
    }

    /// Posts a refresh, and does not ask that a reply comes.
    pub(crate) async fn try_refresh(&self, token: &str) -> reqwest::Result<reqwest::Response> {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let request = self.http.post(format!("{}/token", self.simulator.url()));
        request.basic_auth(CLIENT, Some(SECRET)).form(&fields).send().await
    }

    pub(crate) fn later(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    /// The path of an ordinary request; `change` says which parameters differ (an empty value: absent).
    pub(crate) fn authorize_path(change: &[(&str, &str)]) -> String {
        let ordinary = [
            ("response_type", "code"),
            ("client_id", CLIENT),
            ("redirect_uri", REDIRECT),
            ("scope", CALENDAR),
            ("state", "a state/&="),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let kept = ordinary.iter().filter(|(name, _)| !change.iter().any(|(changed, _)| changed == name));
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(kept.chain(change.iter().filter(|(_, value)| !value.is_empty())));
        format!("/authorize?{}", query.finish())
    }

    /// From the request to the consent page, as `name`.
    pub(crate) async fn consent_page(&self, name: &str, change: &[(&str, &str)]) -> Page {
        let page = self.browser.get(&Self::authorize_path(change)).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        // The browser may be signed in, perhaps as somebody else.
        let again = format!("/sign-in?request={}", page.fields()["request"]);
        self.browser.sign_in(&self.browser.get(&again).await, name, PASSWORD).await
    }

    /// A code for `name`, as the redirect brings it.
    pub(crate) async fn code(&self, name: &str, change: &[(&str, &str)]) -> String {
        let consent = self.consent_page(name, change).await;
        let back = self.browser.submit(&consent, &[("decision", "approve")]).await;
        assert_eq!(back.status, StatusCode::SEE_OTHER, "{}", back.body);
        back.answer()["code"].clone()
    }

    /// Posts a form to the token or revocation endpoint.
    pub(crate) async fn post(
        &self,
        path: &str,
        who: As,
        fields: &[(&str, &str)],
    ) -> (StatusCode, Value, Page) {
        let mut fields = fields.to_vec();
        let mut request = self.http.post(format!("{}{path}", self.simulator.url()));
        match who {
            As::Basic(id, secret) => request = request.basic_auth(id, Some(secret)),
            As::Body(id, secret) => fields.extend([("client_id", id), ("client_secret", secret)]),
            As::Both => {
                request = request.basic_auth(CLIENT, Some(SECRET));
                fields.extend([("client_id", CLIENT), ("client_secret", SECRET)]);
            }
            As::Nobody => {}
        }
        let page = Self::answer(request.form(&fields)).await;
        (page.status, serde_json::from_str(&page.body).unwrap_or_default(), page)
    }

    pub(crate) async fn exchange(&self, who: As, code: &str, verifier: &str) -> (StatusCode, Value) {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", verifier),
        ];
        let (status, json, _) = self.post("/token", who, &fields).await;
        (status, json)
    }

    pub(crate) async fn refresh(&self, who: As, token: &str) -> (StatusCode, Value) {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let (status, json, _) = self.post("/token", who, &fields).await;
        (status, json)
    }

    /// Tokens for `name`: the whole way, once.
    pub(crate) async fn tokens(&self, name: &str, change: &[(&str, &str)]) -> Value {
        let code = self.code(name, change).await;
        let (status, tokens) = self.exchange(HELLO, &code, VERIFIER).await;
        assert_eq!(status, StatusCode::OK, "{tokens}");
        tokens
    }

    pub(crate) async fn read(&self, path: &str, token: &str) -> (StatusCode, Value, Page) {
        let mut request = self.http.get(format!("{}{path}", self.simulator.url()));
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        let page = Self::answer(request).await;
        (page.status, serde_json::from_str(&page.body).unwrap_or_default(), page)
    }

    pub(crate) async fn calendars(&self, token: &str) -> (StatusCode, Value) {
        let (status, json, _) = self.read("/calendar/v3/users/me/calendarList", token).await;
        (status, json)
    }

    async fn answer(request: RequestBuilder) -> Page {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Page { status, headers, body: response.text().await.unwrap() }
    }
}

/// A member of a reply that must be a string.
pub(crate) fn text<'a>(reply: &'a Value, member: &str) -> &'a str {
    reply[member].as_str().unwrap_or_else(|| panic!("no {member} in {reply}"))
}
