//! REST v4, as it is spoken: one request, one answer, and errors as Mattermost writes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tessera_types::{AccessToken, json};
use url::Url;

use crate::egress::{Audience, Egress, Reply, Request};
use crate::env::Env;
use crate::platform::Error;
use crate::rate::Wait;

/// How long one request may take, everything included.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most that an answer may weigh.
const CAP: usize = 4 << 20;
/// A pause that Mattermost asks for is waited out up to here, and told to whoever asks beyond.
const WAITED_OUT_MS: i64 = 2_000;
/// The longest pause that it is believed.
const LONGEST_PAUSE_MS: i64 = 60_000;
const AGENT: HeaderValue = HeaderValue::from_static(concat!("tessera/", env!("CARGO_PKG_VERSION")));

/// In whose name.
#[derive(Clone, Copy)]
pub(super) enum As<'a> {
    /// Our own.
    Service,
    /// Whoever's token this is.
    Token(&'a AccessToken),
}

/// A Mattermost's REST API.
pub(super) struct Rest {
    egress: Arc<Egress>,
    env: Env,
    base: Url,
    token: AccessToken,
    /// Nothing is sent before this moment: Unix ms.
    paused_until: AtomicI64,
}

/// An error, as Mattermost writes one.
#[derive(Default, Deserialize)]
#[serde(default)]
struct AppError {
    id: String,
    message: String,
}

impl Rest {
    pub(super) fn new(egress: Arc<Egress>, env: Env, base: Url, token: AccessToken) -> Self {
        Self { egress, env, base, token, paused_until: AtomicI64::new(0) }
    }

    /// Reads something.
    pub(super) async fn get<T: DeserializeOwned>(&self, who: As<'_>, path: &str) -> Result<T, Error> {
        let reply = self.ask(Method::GET, who, path, None).await?;
        read(path, &reply)
    }

    /// Reads something that may not be there, or not for us.
    pub(super) async fn find<T: DeserializeOwned>(
        &self,
        who: As<'_>,
        path: &str,
    ) -> Result<Option<T>, Error> {
        match self.get(who, path).await {
            Ok(found) => Ok(Some(found)),
            Err(Error::Site { status: 403 | 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends something, and reads what comes back.
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        who: As<'_>,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        let body = json::to_vec(body).map_err(|error| unread(path, &error))?;
        let reply = self.ask(method, who, path, Some(body.into())).await?;
        read(path, &reply)
    }

    /// Sends something of which only the success matters.
    pub(super) async fn tell(
        &self,
        method: Method,
        who: As<'_>,
        path: &str,
        body: &impl Serialize,
    ) -> Result<(), Error> {
        let body = json::to_vec(body).map_err(|error| unread(path, &error))?;
        self.ask(method, who, path, Some(body.into())).await.map(drop)
    }

    async fn ask(
        &self,
        method: Method,
        who: As<'_>,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<Reply, Error> {
        let token = match who {
            As::Service => &self.token,
            As::Token(token) => token,
        };
        let mut headers = HeaderMap::new();
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
            .map_err(|_| Error::Unreachable("a token that no header can hold".to_owned()))?;
        bearer.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, bearer);
        let reply = self.exchange(method, path, headers, body).await?;
        match reply.status {
            status if status.is_success() => Ok(reply),
            StatusCode::UNAUTHORIZED if matches!(who, As::Service) => Err(Error::ServiceToken),
            status => Err(refusal(status, &reply)),
        }
    }

    /// One request with headers of its own, whatever is answered.
    pub(super) async fn exchange(
        &self,
        method: Method,
        path: &str,
        mut headers: HeaderMap,
        body: Option<Bytes>,
    ) -> Result<Reply, Error> {
        self.pass_the_gate().await?;
        headers.insert(header::USER_AGENT, AGENT);
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        if body.is_some() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let url = self.url(path)?;
        let (total, cap_bytes, audience) = (PATIENCE, CAP, Audience::Platform);
        let request = Request { method, url, headers, body, total, cap_bytes, audience };
        let reply = self.egress.send(request).await.map_err(|error| Error::Unreachable(error.to_string()))?;
        if reply.status == StatusCode::TOO_MANY_REQUESTS {
            let pause = pause_of(&reply.headers);
            self.paused_until.fetch_max(self.env.now_ms() + pause, Ordering::Relaxed);
            return Err(Error::Busy(Wait::of_ms(pause)));
        }
        Ok(reply)
    }

    /// Says something where a command's late answer goes. The address is ours to build: what a request names is not called.
    pub(super) async fn hook(&self, id: &str, body: &impl Serialize) -> Result<(), Error> {
        let base = self.base.as_str().trim_end_matches('/');
        let path = format!("{base}/hooks/commands/{id}");
        let body = json::to_vec(body).map_err(|error| unread(&path, &error))?;
        let url = Url::parse(&path).map_err(|error| Error::Unreachable(error.to_string()))?;
        let headers = HeaderMap::from_iter([
            (header::USER_AGENT, AGENT),
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        ]);
        let (total, cap_bytes, audience) = (PATIENCE, CAP, Audience::Platform);
        let request = Request {
            method: Method::POST,
            url,
            headers,
            body: Some(body.into()),
            total,
            cap_bytes,
            audience,
        };
        let reply = self.egress.send(request).await.map_err(|error| Error::Unreachable(error.to_string()))?;
        if reply.status.is_success() { Ok(()) } else { Err(refusal(reply.status, &reply)) }
    }

    /// What is at an address of the site that is not the API's: asked for as anybody would.
    pub(super) async fn fetch(&self, address: &str) -> Result<Reply, Error> {
        let url = Url::parse(address).map_err(|error| Error::Unreachable(error.to_string()))?;
        let (total, cap_bytes, audience) = (PATIENCE, CAP, Audience::Platform);
        let headers = HeaderMap::from_iter([(header::USER_AGENT, AGENT)]);
        let request = Request { method: Method::GET, url, headers, body: None, total, cap_bytes, audience };
        self.egress.send(request).await.map_err(|error| Error::Unreachable(error.to_string()))
    }

    /// While Mattermost wants quiet, short pauses are waited out and long ones are told.
    async fn pass_the_gate(&self) -> Result<(), Error> {
        let left = self.paused_until.load(Ordering::Relaxed) - self.env.now_ms();
        match left {
            ..=0 => Ok(()),
            1..=WAITED_OUT_MS => {
                tokio::time::sleep(Duration::from_millis(left.unsigned_abs())).await;
                Ok(())
            }
            left => Err(Error::Busy(Wait::of_ms(left))),
        }
    }

    fn url(&self, path: &str) -> Result<Url, Error> {
        let base = self.base.as_str().trim_end_matches('/');
        Url::parse(&format!("{base}/api/v4{path}")).map_err(|error| Error::Unreachable(error.to_string()))
    }
}

/// Seconds until there is room again, as Mattermost's limiter says it, or as everybody else does.
fn pause_of(headers: &HeaderMap) -> i64 {
    let seconds = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<i64>().ok();
    let seconds = seconds("x-ratelimit-reset").or_else(|| seconds("retry-after")).unwrap_or(1);
    seconds.saturating_mul(1_000).clamp(1_000, LONGEST_PAUSE_MS)
}

fn refusal(status: StatusCode, reply: &Reply) -> Error {
    let AppError { id, message } = json::from_slice_strict(&reply.body).unwrap_or_default();
    Error::Site { status: status.as_u16(), id, message }
}

fn read<T: DeserializeOwned>(path: &str, reply: &Reply) -> Result<T, Error> {
    json::from_slice_strict(&reply.body).map_err(|error| unread(path, &error))
}

fn unread(path: &str, error: &dyn std::fmt::Display) -> Error {
    Error::Unreachable(format!("{path} is not as it should be: {error}"))
}

/// An id as Mattermost makes them: 26 small letters and digits. Nothing else goes into a path.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == 26 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}
