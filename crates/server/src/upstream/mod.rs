//! One call to an App over HTTP: where it goes, with what proof, and what its answer means
//! (apps-framework.md sections 7.1 to 7.7).

mod error;
mod jwt;
mod meters;
mod target;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use prometheus_client::registry::Registry;
use tessera_types::{CallRequest, CallResponse, json, path};
use tokio::time::Instant;
use url::Url;

use crate::egress::{self, Audience, Egress, Reason};
use crate::env::Env;
use crate::trail::{self, SpanId, Trail};

pub use error::Error;
use meters::Meters;
pub use target::{NoUpstream, Target};

/// The longest a call may take, whatever its initiator grants (section 7.3).
const LONGEST: Duration = Duration::from_secs(30);
/// The longest a ping may take (section 7.3).
const PING: Duration = Duration::from_secs(2);
/// The largest answer that is read (B-46).
const CAP: usize = 10 << 20;
/// Where the JWT stands (section 7.2).
const AUTHORIZATION: HeaderName = HeaderName::from_static("mattermost-app-authorization");

/// Which request of ours this belongs to: for the App's own log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Which trace it belongs to (W3C Trace Context).
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// How we introduce ourselves: as the original's host does.
const AGENT: HeaderValue = HeaderValue::from_static("Mattermost-Bot/1.1");

/// A static asset of an App.
#[derive(Debug, Clone)]
pub struct Asset {
    /// The App's status.
    pub status: StatusCode,
    /// The App's content type, if it named one.
    pub content_type: Option<HeaderValue>,
    /// The asset.
    pub body: Bytes,
}

/// Calls Apps.
pub struct Upstream {
    egress: Arc<Egress>,
    env: Env,
    meters: Meters,
}

impl Upstream {
    /// An upstream over the outgoing client.
    pub fn new(egress: Arc<Egress>, env: Env) -> Self {
        Self { egress, env, meters: Meters::default() }
    }

    /// Announces what is counted.
    pub fn announce(&self, registry: &mut Registry) {
        self.meters.announce(registry);
    }

    /// Calls an App and waits for its answer, at most until `deadline`. The JWT names `acting_user`; `kind` is a word
    /// on why, for log and metrics.
    ///
    /// The request is taken by value: nobody should hold on to an expanded context.
    ///
    /// # Errors
    /// Whatever is not a 200 with a JSON object (section 7.5).
    pub async fn post(
        &self,
        target: &Target,
        kind: &'static str,
        request: CallRequest,
        acting_user: Option<&str>,
        deadline: Instant,
    ) -> Result<CallResponse, Error> {
        let story = self.story();
        let total = left(deadline).min(LONGEST);
        let work = self.exchange(target, story.headers(), &request, acting_user, total);
        self.tell(story, target, kind, meters::of_call, work).await
    }

    /// Whether an App is there: it answers `/ping` with anything decodable, or with 404 (section 7.7).
    ///
    /// # Errors
    /// When it is not.
    pub async fn ping(&self, target: &Target, deadline: Instant) -> Result<(), Error> {
        let request = CallRequest { path: "/ping".to_owned(), ..CallRequest::default() };
        let story = self.story();
        let work = self.exchange(target, story.headers(), &request, None, left(deadline).min(PING));
        match self.tell(story, target, "ping", meters::of_call, work).await {
            Ok(_) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(Error::Ping(Box::new(error))),
        }
    }

    /// A static asset, whatever the status (section 7.6). The name is a cleaned one.
    ///
    /// # Errors
    /// When there is no reply, or the name leads out of the static folder.
    pub async fn static_asset(&self, target: &Target, name: &str, deadline: Instant) -> Result<Asset, Error> {
        let story = self.story();
        let work = self.fetch(target, story.headers(), name, deadline);
        self.tell(story, target, "static", meters::of_asset, work).await
    }

    async fn fetch(
        &self,
        target: &Target,
        headers: HeaderMap,
        name: &str,
        deadline: Instant,
    ) -> Result<Asset, Error> {
        let (shown, url) = address(target, &format!("static/{name}"))?;
        let (_, folder) = address(target, "/static")?;
        // A name is a URL reference and may have a host, `..` among them: only the whole URL tells (B-58).
        let inside = url.path().strip_prefix(folder.path()).is_some_and(|rest| rest.starts_with('/'));
        if !inside || url.origin() != folder.origin() {
            return Err(Error::OutsideStatic { name: name.to_owned() });
        }
        let sent = egress::Request {
            method: Method::GET,
            url,
            headers,
            body: None,
            total: left(deadline).min(LONGEST),
            cap_bytes: CAP,
            audience: Audience::App,
        };
        let failed = |error| Error::Fetch { url: shown, error };
        let mut reply = self.egress.send(sent).await.map_err(failed)?;
        let content_type = reply.headers.remove(CONTENT_TYPE);
        Ok(Asset { status: reply.status, content_type, body: reply.body })
    }

    /// Whose story the next request belongs to. What no request of ours caused has a story of its own.
    fn story(&self) -> Story {
        // Without randomness the ids say nothing, and all that matters fails by itself.
        let drawn = self.env.drawn().unwrap_or_default();
        let span = drawn.span();
        Story { trail: trail::current().unwrap_or_else(|| Trail::begin(drawn, None, None, true)), span }
    }

    /// Waits for a request to an App; counts it, and has a line in the log.
    async fn tell<T>(
        &self,
        story: Story,
        target: &Target,
        kind: &'static str,
        class: fn(&Result<T, Error>) -> &'static str,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let Story { trail, span } = story;
        let telling = async {
            let began = Instant::now();
            let result = work.await;
            self.meters.count(target.app(), kind, class(&result), began.elapsed(), span);
            result
        };
        Box::pin(trail::follow(trail, telling)).await
    }

    async fn exchange(
        &self,
        target: &Target,
        mut headers: HeaderMap,
        request: &CallRequest,
        acting_user: Option<&str>,
        total: Duration,
    ) -> Result<CallResponse, Error> {
        let (address, url) = address(target, &request.path)?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(secret) = target.jwt_secret() {
            headers.insert(AUTHORIZATION, jwt::bearer(secret, acting_user, self.env.now_ms())?);
        }
        let body = Bytes::from(json::to_vec(request).map_err(Error::Encode)?);
        let sent = egress::Request {
            method: Method::POST,
            url,
            headers,
            body: Some(body),
            total,
            cap_bytes: CAP,
            audience: Audience::App,
        };
        match self.egress.send(sent).await {
            Ok(reply) => understand(address, &reply),
            Err(error) => Err(match error.reason {
                Reason::TooLarge { status: StatusCode::NOT_FOUND, .. } => Error::NotFound { url: address },
                _ => Error::Egress(error),
            }),
        }
    }
}

/// Which request of ours, and which part of its trace, a request to an App is.
struct Story {
    trail: Trail,
    span: SpanId,
}

impl Story {
    /// What every request to an App carries: who we are, and whose story it belongs to.
    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::from_iter([(USER_AGENT, AGENT)]);
        let traceparent = self.trail.traceparent(self.span);
        for (name, value) in [(REQUEST_ID, &**self.trail.request()), (TRACEPARENT, &traceparent)] {
            // Both are plain characters.
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        }
        headers
    }
}

/// How long until a deadline.
fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// Where a path of an App is: as errors show it, and as it is called.
fn address(target: &Target, path: &str) -> Result<(String, Url), Error> {
    let shown = path::call_url(target.root_url(), path).map_err(|why| Error::Url(why.to_string()))?;
    match Url::parse(&shown) {
        Ok(url) => Ok((shown, url)),
        Err(why) => Err(Error::Url(format!("parse {shown:?}: {why}"))),
    }
}

/// The response table of section 7.5.
fn understand(url: String, reply: &egress::Reply) -> Result<CallResponse, Error> {
    match reply.status {
        StatusCode::OK => json::from_slice_stream(&reply.body).map_err(Error::Json),
        StatusCode::NOT_FOUND => Err(Error::NotFound { url }),
        status if is_redirect(status) => Err(Error::Redirect { url, status }),
        status if reply.body.is_empty() => Err(Error::Status(status.to_string())),
        _ => Err(Error::Status(String::from_utf8_lossy(&reply.body).into_owned())),
    }
}

/// The statuses with which the original would have gone elsewhere (decisions.md section 1.5).
fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}
