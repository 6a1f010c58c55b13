//! One call to an App over HTTP: where it goes, with what proof, and what its answer means
//! (apps-framework.md sections 7.1 to 7.7).

mod error;
mod jwt;
mod target;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use tessera_types::{CallRequest, CallResponse, json, path};
use tokio::time::Instant;
use url::Url;

use crate::egress::{self, Audience, Egress, Reason};
use crate::env::Env;

pub use error::{Error, PingFailed};
pub use target::{NoUpstream, Target};

/// The longest a call may take, whatever its initiator grants (section 7.3).
const LONGEST: Duration = Duration::from_secs(30);
/// The longest a ping may take (section 7.3).
const PING: Duration = Duration::from_secs(2);
/// The largest answer that is read (B-46).
const CAP: usize = 10 << 20;
/// Where the JWT stands (section 7.2).
const AUTHORIZATION: HeaderName = HeaderName::from_static("mattermost-app-authorization");

/// Calls Apps.
pub struct Upstream {
    egress: Arc<Egress>,
    env: Env,
}

impl Upstream {
    /// An upstream over the outgoing client.
    pub fn new(egress: Arc<Egress>, env: Env) -> Self {
        Self { egress, env }
    }

    /// Calls an App and waits for its answer, at most until `deadline`. The JWT names `acting_user`.
    ///
    /// The request is taken by value: nobody should hold on to an expanded context.
    ///
    /// # Errors
    /// Whatever is not a 200 with a JSON object (section 7.5).
    pub async fn post(
        &self,
        target: &Target,
        request: CallRequest,
        acting_user: Option<&str>,
        deadline: Instant,
    ) -> Result<CallResponse, Error> {
        let total = deadline.saturating_duration_since(Instant::now()).min(LONGEST);
        self.exchange(target, &request, acting_user, total).await
    }

    /// Whether an App is there: it answers `/ping` with anything decodable, or with 404 (section 7.7).
    ///
    /// # Errors
    /// When it is not.
    pub async fn ping(&self, target: &Target) -> Result<(), PingFailed> {
        let request = CallRequest { path: "/ping".to_owned(), ..CallRequest::default() };
        match self.exchange(target, &request, None, PING).await {
            Ok(_) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(PingFailed(error)),
        }
    }

    async fn exchange(
        &self,
        target: &Target,
        request: &CallRequest,
        acting_user: Option<&str>,
        total: Duration,
    ) -> Result<CallResponse, Error> {
        let address = path::call_url(target.root_url(), &request.path).map_err(|why| Error::Url(why.to_string()))?;
        let url = Url::parse(&address).map_err(|why| Error::Url(format!("parse {address:?}: {why}")))?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static("Mattermost-Bot/1.1"));
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
