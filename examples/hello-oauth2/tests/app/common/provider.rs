//! A small OAuth2 provider: one client, codes made by the test, PKCE, refresh tokens used once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use hello_oauth2::{ProviderSettings, Settings};
use serde_json::{Value, json};
use sha2::Digest as _;
use tokio::net::TcpListener;

pub(crate) const CLIENT_ID: &str = "hello-client";
pub(crate) const CLIENT_SECRET: &str = "s3cr3t&<1>";

#[derive(Default)]
struct Known {
    /// Code to PKCE challenge.
    codes: HashMap<String, String>,
    access: Vec<String>,
    refresh: Vec<String>,
    issued: u32,
    expires_in: Option<i64>,
    form_posts: Vec<HashMap<String, String>>,
    calendar_status: Option<StatusCode>,
    calendars: Option<Value>,
    used: Vec<String>,
    revoked: Vec<HashMap<String, String>>,
    revocation_status: Option<StatusCode>,
}

#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) url: String,
    known: Arc<Mutex<Known>>,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let provider = Self { url, known: Arc::default() };
        let router = Router::new()
            .route("/token", post(token))
            .route("/revoke", post(revoke))
            .route("/moved", post(async || (StatusCode::TEMPORARY_REDIRECT, [("location", "/token")])))
            .route("/calendars", get(calendars))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    /// The user consents: a code for what the App's authorization URL asks for.
    pub(crate) fn consent(&self, authorize_url: &str) -> String {
        let url = url::Url::parse(authorize_url).unwrap();
        let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["client_id"], CLIENT_ID);
        assert_eq!(query["code_challenge_method"], "S256");
        let mut known = self.known.lock().unwrap();
        known.issued += 1;
        let code = format!("code-{}", known.issued);
        known.codes.insert(code.clone(), query["code_challenge"].clone());
        code
    }

    /// Tokens given from now on live so many seconds.
    pub(crate) fn expires_in(&self, seconds: i64) {
        self.known.lock().unwrap().expires_in = Some(seconds);
    }

    /// Forgets every token that was given, as after a revocation.
    pub(crate) fn revoke_all(&self) {
        let mut known = self.known.lock().unwrap();
        known.access.clear();
        known.refresh.clear();
    }

    /// The forms that the revocation endpoint got.
    pub(crate) fn revocations(&self) -> Vec<HashMap<String, String>> {
        self.known.lock().unwrap().revoked.clone()
    }

    /// What the revocation endpoint answers from now on.
    pub(crate) fn revocation_answers(&self, status: StatusCode) {
        self.known.lock().unwrap().revocation_status = Some(status);
    }

    /// How many tokens were refreshed, or asked to be.
    pub(crate) fn refreshes(&self) -> usize {
        self.token_requests().iter().filter(|form| form["grant_type"] == "refresh_token").count()
    }

    /// The forms that the token endpoint got.
    pub(crate) fn token_requests(&self) -> Vec<HashMap<String, String>> {
        self.known.lock().unwrap().form_posts.clone()
    }

    /// What the calendar list answers from now on.
    pub(crate) fn calendars(&self, status: StatusCode, body: Value) {
        let mut known = self.known.lock().unwrap();
        known.calendar_status = Some(status);
        known.calendars = Some(body);
    }

    pub(crate) fn settings(&self) -> Settings {
        let mut settings = Settings::from_env(|_| None).unwrap();
        let url = |path: &str| format!("{}{path}", self.url).parse().unwrap();
        settings.provider = ProviderSettings {
            name: "Testing".into(),
            authorize_url: url("/authorize"),
            token_url: url("/token"),
            calendar_url: url("/calendars"),
            ..settings.provider
        };
        settings
    }
}

impl Known {
    /// Takes a refresh token, once. Who brings one a second time may have stolen it: the whole grant ends, as with
    /// strict providers (RFC 9700 section 4.14.2).
    fn spend(&mut self, token: &str) -> bool {
        let before = self.refresh.len();
        self.refresh.retain(|known| known != token);
        if self.refresh.len() < before {
            self.used.push(token.to_owned());
            return true;
        }
        if self.used.iter().any(|used| used == token) {
            self.refresh.clear();
            self.access.clear();
        }
        false
    }

    fn issue(&mut self) -> Value {
        self.issued += 1;
        let (access, refresh) = (format!("at-{}", self.issued), format!("rt-{}", self.issued));
        self.access.push(access.clone());
        self.refresh.push(refresh.clone());
        let mut token = json!({"access_token": access, "token_type": "bearer", "refresh_token": refresh});
        if let Some(seconds) = self.expires_in {
            token["expires_in"] = seconds.into();
        }
        token
    }
}

async fn token(State(provider): State<Provider>, headers: HeaderMap, body: Bytes) -> Response {
    let form: HashMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let mut known = provider.known.lock().unwrap();
    known.form_posts.push(form.clone());
    if !authenticated(&headers, &form) {
        return refuse(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let granted = match form["grant_type"].as_str() {
        "authorization_code" => known.codes.remove(&form["code"]).is_some_and(|challenge| {
            let digest = sha2::Sha256::digest(form["code_verifier"].as_bytes());
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest) == challenge
        }),
        "refresh_token" => known.spend(&form["refresh_token"]),
        _ => false,
    };
    if granted {
        json_body(StatusCode::OK, &known.issue())
    } else {
        refuse(StatusCode::BAD_REQUEST, "invalid_grant")
    }
}

async fn revoke(State(provider): State<Provider>, headers: HeaderMap, body: Bytes) -> Response {
    let form: HashMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let mut known = provider.known.lock().unwrap();
    if !authenticated(&headers, &form) {
        return refuse(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    known.revoked.push(form);
    known.revocation_status.unwrap_or(StatusCode::OK).into_response()
}

fn authenticated(headers: &HeaderMap, form: &HashMap<String, String>) -> bool {
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic = format!("{}:{}", encode(CLIENT_ID), encode(CLIENT_SECRET));
    let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(basic));
    let posted = form.get("client_secret").is_some_and(|secret| secret == CLIENT_SECRET);
    posted || headers.get("authorization").is_some_and(|header| *header == *basic)
}

fn refuse(status: StatusCode, error: &str) -> Response {
    json_body(status, &json!({"error": error, "error_description": "the provider says no"}))
}

fn json_body(status: StatusCode, body: &Value) -> Response {
    (status, [("content-type", "application/json")], body.to_string()).into_response()
}

async fn calendars(State(provider): State<Provider>, headers: HeaderMap) -> Response {
    let known = provider.known.lock().unwrap();
    if let (Some(status), Some(body)) = (known.calendar_status, &known.calendars) {
        return json_body(status, body);
    }
    let token = headers.get("authorization").and_then(|header| header.to_str().ok()?.strip_prefix("Bearer "));
    match token {
        Some(token) if known.access.iter().any(|known| known == token) => json_body(
            StatusCode::OK,
            &json!({"items": [{"id": "1", "summary": "Work"}, {"id": "2", "summary": "*Home*"}]}),
        ),
        _ => StatusCode::UNAUTHORIZED.into_response(),
    }
}
