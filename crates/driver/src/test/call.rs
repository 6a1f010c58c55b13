//! Call requests as the server sends them.

use http::{Method, Request, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value};
use tessera_types::{
    AccessToken, AppId, CallRequest, CallResponse, Context, JwtSecret, OAuth2App, OAuth2Context, RawJson,
    User, json, routes,
};
use tower::ServiceExt as _;

use super::FakeService;
use crate::JWT_HEADER;

/// How long the server's JWTs are valid, in seconds.
const JWT_LIFE: i64 = 15 * 60;

/// Begins a call to this path; who calls and what is expanded comes with the methods of [`TestCall`].
pub fn call(path: &str) -> TestCall {
    TestCall {
        path: path.to_owned(),
        user: None,
        service: None,
        app: None,
        oauth2_user: None,
        values: Map::new(),
        secret: None,
        expires_in: JWT_LIFE,
    }
}

/// A call request in the making.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use tessera_driver::{App, CallRequest, CallRequestExt, JwtSecret, manifest, test};
///
/// let secret = JwtSecret::new("the App's secret");
/// let app = App::new(manifest("hello", "Hello")).jwt_secret(secret.clone()).call(
///     "/greet",
///     async |creq: CallRequest| format!("Hello, {}!", creq.value_str("name").unwrap_or_default()),
/// );
/// let call = test::call("/greet").acting_user("user-1").value("name", "Ann").sign(&secret);
/// let response = call.send(app.into_router()).await.unwrap();
/// assert_eq!(response.text, "Hello, Ann!");
/// # });
/// ```
#[derive(Clone)]
pub struct TestCall {
    path: String,
    user: Option<String>,
    service: Option<FakeService>,
    app: Option<OAuth2App>,
    oauth2_user: Option<Value>,
    values: Map<String, Value>,
    secret: Option<JwtSecret>,
    expires_in: i64,
}

/// The App did not answer 200 with a call response.
#[derive(Debug, thiserror::Error)]
#[error("the App answered {status}: {text}")]
pub struct Unanswered {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body, trimmed.
    pub text: String,
}

impl TestCall {
    /// Who calls; `acting_user` and `acting_user_access_token` are expanded.
    #[must_use]
    pub fn acting_user(mut self, user_id: &str) -> Self {
        self.user = Some(user_id.to_owned());
        self
    }

    /// Where the App's [`Client`](crate::Client) will reach a server: site URL, tokens and records come
    /// from the fake.
    #[must_use]
    pub fn service(mut self, service: &FakeService) -> Self {
        self.service = Some(service.clone());
        self
    }

    /// What `oauth2_app` expands to.
    #[must_use]
    pub fn oauth2_app(mut self, app: OAuth2App) -> Self {
        self.app = Some(app);
        self
    }

    /// What `oauth2_user` expands to. A value that cannot be written as JSON counts as `null`.
    #[must_use]
    pub fn oauth2_user(mut self, value: &impl Serialize) -> Self {
        self.oauth2_user = Some(serde_json::to_value(value).unwrap_or_default());
        self
    }

    /// One of the call's values. One that cannot be written as JSON counts as `null`.
    #[must_use]
    pub fn value(mut self, name: &str, value: impl Serialize) -> Self {
        self.values.insert(name.to_owned(), serde_json::to_value(value).unwrap_or_default());
        self
    }

    /// Signs the request as the server does for an App with `use_jwt`.
    #[must_use]
    pub fn sign(mut self, secret: &JwtSecret) -> Self {
        self.secret = Some(secret.clone());
        self
    }

    /// Lets the JWT end so many seconds from now; negative: it has expired.
    #[must_use]
    pub fn jwt_expires_in(mut self, seconds: i64) -> Self {
        self.expires_in = seconds;
        self
    }

    /// The call request as the App's handler gets it.
    pub fn call_request(&self) -> CallRequest {
        let user_id = self.user.as_deref().unwrap_or_default();
        let mut context = match &self.service {
            Some(service) if self.user.is_some() => service.context_of(user_id),
            Some(service) => service.context_without_user(),
            None => offline_context(user_id),
        };
        if let Some(app) = &self.app {
            let OAuth2App { remote_root_url, client_id, client_secret, data } = app.clone();
            let from = context.oauth2;
            context.oauth2 = OAuth2Context { remote_root_url, client_id, client_secret, data, ..from };
        }
        if let Some(value) = &self.oauth2_user {
            context.oauth2.user = raw(value);
        }
        let values =
            self.values.iter().filter_map(|(name, value)| Some((name.clone(), raw(value)?))).collect();
        CallRequest { path: self.path.clone(), values, context, ..CallRequest::default() }
    }

    /// The HTTP request, with the headers that the server sends.
    pub fn request(&self) -> Request<Vec<u8>> {
        let body = json::to_vec(&self.call_request()).unwrap_or_default();
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.path.parse().unwrap_or_default();
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, header::HeaderValue::from_static("Mattermost-Bot/1.1"));
        if let Some(jwt) =
            self.jwt().and_then(|jwt| header::HeaderValue::try_from(format!("Bearer {jwt}")).ok())
        {
            headers.insert(JWT_HEADER, jwt);
        }
        request
    }

    /// Calls the App in process, without a socket.
    ///
    /// # Errors
    ///
    /// When it answers with another status than 200 or without a call response.
    pub async fn send(&self, app: axum::Router) -> Result<CallResponse, Unanswered> {
        let request = self.request().map(axum::body::Body::from);
        let response = match app.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap_or_default();
        let unanswered = |text: String| Unanswered { status, text: text.trim().to_owned() };
        if status != StatusCode::OK {
            return Err(unanswered(String::from_utf8_lossy(&body).into_owned()));
        }
        json::from_slice_stream(&body).map_err(|error| unanswered(error.to_string()))
    }

    fn jwt(&self) -> Option<String> {
        #[derive(Serialize)]
        struct Claims<'a> {
            exp: u64,
            #[serde(skip_serializing_if = "Option::is_none")]
            acting_user_id: Option<&'a str>,
        }
        let secret = self.secret.as_ref()?;
        let exp = jsonwebtoken::get_current_timestamp().saturating_add_signed(self.expires_in);
        let claims = Claims { exp, acting_user_id: self.user.as_deref() };
        let key = jsonwebtoken::EncodingKey::from_secret(secret.expose().as_bytes());
        jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).ok()
    }
}

/// A context without a server behind it: clients made from it reach nothing.
fn offline_context(user_id: &str) -> Context {
    let app = AppId::unchecked("test-app");
    let site = "http://mattermost.invalid";
    let mut context = Context {
        mattermost_site_url: site.into(),
        app_path: routes::app_path(&app),
        bot_user_id: "test-app-bot".into(),
        bot_access_token: AccessToken::new("bot-token"),
        ..Context::default()
    };
    context.oauth2.connect_url = routes::connect_url(site, &app);
    context.oauth2.complete_url = routes::complete_url(site, &app);
    if !user_id.is_empty() {
        context.acting_user = Some(User { id: user_id.into(), username: user_id.into(), ..User::default() });
        context.acting_user_access_token = AccessToken::new(format!("token-of-{user_id}"));
    }
    context
}

fn raw(value: &Value) -> Option<RawJson> {
    RawJson::from_value(value).ok()
}
