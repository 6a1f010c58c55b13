//! The only outgoing HTTP client (invariant 5): every request has rules about addresses, a deadline and a cap on
//! the reply; no redirect is followed, no proxy is taken from the environment, no cookie is kept.

mod error;
mod meters;
mod resolver;
mod rules;
mod stream;
mod tls;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode, Version, header};
use hyper_util::client::legacy::connect::HttpInfo;
use prometheus_client::registry::Registry;
use reqwest::Client;
use tokio::sync::Semaphore;
use url::{Host, Url};

pub use error::{BuildError, Error, Reason};
pub use resolver::{Lookup, SystemLookup};
pub use rules::{Allowed, Audience, NotAllowed, Rules, is_inside};
pub use stream::{Chunks, Streamed};

use error::Shown;
use meters::Meters;
use resolver::{Guarded, is_own};
use rules::Lane;

/// How long connecting may take, name look-up and TLS included (section 7.3).
const CONNECT: Duration = Duration::from_secs(3);
/// How long an idle connection is kept: shorter than what common servers grant, so that they rarely close first.
const IDLE: Duration = Duration::from_secs(15);
/// How many hosts' queues are remembered before empty ones are swept out.
const QUEUES: usize = 1_024;

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Headers, as they go out.
    pub headers: HeaderMap,
    /// The body; `None` sends no `Content-Length` either.
    pub body: Option<Bytes>,
    /// Time for everything: waiting for a turn, connecting, sending, the whole reply.
    pub total: Duration,
    /// Most bytes of the reply's body that are taken into memory.
    pub cap_bytes: usize,
    /// Who is spoken to.
    pub audience: Audience,
}

/// A whole reply, whatever its status.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, at most `cap_bytes` of it.
    pub body: Bytes,
    /// Our end of the connection that it came over, if the other side means to keep it: then another one the next time
    /// is most likely another process.
    pub over: Option<SocketAddr>,
}

/// The outgoing client. One per process.
pub struct Egress {
    rules: Arc<Rules>,
    tls: Client,
    plain_app: Client,
    plain_provider: Client,
    platform: Client,
    per_host: usize,
    queues: Mutex<HashMap<String, Arc<Semaphore>>>,
    meters: Meters,
}

impl Egress {
    /// A client under these rules, with the operating system's name resolution.
    pub fn new(rules: Rules) -> Result<Self, BuildError> {
        Self::with_lookup(rules, Arc::new(SystemLookup))
    }

    /// The same with another way to resolve names.
    pub fn with_lookup(rules: Rules, lookup: Arc<dyn Lookup>) -> Result<Self, BuildError> {
        let rules = Arc::new(rules);
        let config = tls::client_config(&rules.extra_ca)?;
        let client = |lane| {
            Client::builder()
                .tls_backend_preconfigured(config.clone())
                .dns_resolver(Guarded { lane, rules: Arc::clone(&rules), lookup: Arc::clone(&lookup) })
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .no_proxy()
                .connect_timeout(CONNECT)
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(16)
                .build()
        };
        Ok(Self {
            tls: client(Lane::Tls)?,
            plain_app: client(Lane::Plain(Audience::App))?,
            plain_provider: client(Lane::Plain(Audience::Provider))?,
            platform: client(Lane::Platform)?,
            per_host: if rules.per_host == 0 { Rules::PER_HOST } else { rules.per_host },
            queues: Mutex::default(),
            meters: Meters::default(),
            rules,
        })
    }

    /// Sends one request and takes in the whole reply.
    ///
    /// # Errors
    /// When there is no reply with a body within `cap_bytes` by the deadline; a status is never an error.
    pub async fn send(&self, request: Request) -> Result<Reply, Error> {
        let total = request.total;
        let shown = Shown::new(&request.method, &request.url, request.audience);
        // Boxed: the library's part of it is large, and callers are many.
        let exchange = Box::pin(self.exchange(request, &shown));
        let result = match tokio::time::timeout(total, exchange).await {
            Ok(result) => result,
            Err(_) => Err(Error::new(shown, Reason::Deadline)),
        };
        result.inspect_err(|error| self.meters.count(&error.reason))
    }

    /// Announces what is counted.
    pub fn announce(&self, registry: &mut Registry) {
        self.meters.announce(registry);
    }

    /// Sends one request and gives its reply as it comes, which may take as long as `total` and no longer, and weigh
    /// `cap_bytes`. It takes no host's turn: who passes requests on bounds how many there are.
    ///
    /// # Errors
    /// When there is no head of a reply by the deadline.
    pub async fn stream(&self, request: Request) -> Result<Streamed, Error> {
        let until = tokio::time::Instant::now() + request.total;
        let shown = Shown::new(&request.method, &request.url, request.audience);
        let cap = request.cap_bytes;
        let asked = Box::pin(self.ask(request, &shown));
        let result = match tokio::time::timeout_at(until, asked).await {
            Ok(result) => result,
            Err(_) => Err(Error::new(shown, Reason::Deadline)),
        };
        let reply = result.inspect_err(|error| self.meters.count(&error.reason))?;
        Ok(stream::of(reply, until, cap))
    }

    async fn exchange(&self, request: Request, shown: &Shown) -> Result<Reply, Error> {
        let refuse = |reason| Error::new(shown.clone(), reason);
        lane_of(&request).map_err(refuse)?;
        let host = request.url.host().ok_or_else(|| refuse(Reason::NoHost))?.to_owned();
        let (name, cap_bytes) = (host.to_string(), request.cap_bytes);
        let queue = self.queue(&request.url);
        // The semaphore is never closed, so there is always a turn.
        let _turn = queue.acquire().await.map_err(|_| refuse(Reason::Deadline))?;
        let failed = |error: reqwest::Error| Error::sort(shown.clone(), &name, &error);
        let mut reply = self.ask(request, shown).await?;
        let status = reply.status();
        let headers = std::mem::take(reply.headers_mut());
        let kept = reply.version() >= Version::HTTP_11
            && headers
                .get(header::CONNECTION)
                .is_none_or(|word| !word.as_bytes().eq_ignore_ascii_case(b"close"));
        let over = reply.extensions().get::<HttpInfo>().filter(|_| kept).map(HttpInfo::local_addr);
        let too_large = || refuse(Reason::TooLarge { status, cap: cap_bytes });
        let mut body = BytesMut::new();
        while let Some(chunk) = reply.chunk().await.map_err(failed)? {
            if chunk.len() > cap_bytes - body.len() {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { status, headers, body: body.freeze(), over })
    }

    /// Sends a request where it may go, and waits for the head of its reply.
    async fn ask(&self, request: Request, shown: &Shown) -> Result<reqwest::Response, Error> {
        let refuse = |reason| Error::new(shown.clone(), reason);
        let lane = lane_of(&request).map_err(refuse)?;
        let host = request.url.host().ok_or_else(|| refuse(Reason::NoHost))?.to_owned();
        self.check_literal(lane, &host).await.map_err(refuse)?;
        let name = host.to_string();
        let mut building = self.client(lane).request(request.method, request.url).headers(request.headers);
        if let Some(body) = request.body {
            building = building.body(body);
        }
        building.send().await.map_err(|error| Error::sort(shown.clone(), &name, &error))
    }

    fn client(&self, lane: Lane) -> &Client {
        match lane {
            Lane::Tls => &self.tls,
            Lane::Plain(Audience::App) => &self.plain_app,
            Lane::Plain(Audience::Provider) => &self.plain_provider,
            Lane::Platform | Lane::Plain(Audience::Platform) => &self.platform,
        }
    }

    /// The resolver never sees addresses that stand in the URL itself.
    async fn check_literal(&self, lane: Lane, host: &Host<String>) -> Result<(), Reason> {
        let ip: IpAddr = match host {
            Host::Domain(_) => return Ok(()),
            Host::Ipv4(ip) => (*ip).into(),
            Host::Ipv6(ip) => (*ip).into(),
        };
        let own = is_own(ip).await;
        if self.rules.permits(lane, "", ip, own) {
            Ok(())
        } else if lane != Lane::Platform && self.rules.permits(Lane::Tls, "", ip, own) {
            Err(Reason::PlainHttp)
        } else {
            Err(Reason::Forbidden)
        }
    }

    fn queue(&self, url: &Url) -> Arc<Semaphore> {
        let key =
            format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(0));
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if queues.len() >= QUEUES {
            queues.retain(|_, queue| Arc::strong_count(queue) > 1);
        }
        Arc::clone(queues.entry(key).or_insert_with(|| Arc::new(Semaphore::new(self.per_host))))
    }
}

/// By which rules a request goes.
fn lane_of(request: &Request) -> Result<Lane, Reason> {
    match request.url.scheme() {
        "http" | "https" if request.audience == Audience::Platform => Ok(Lane::Platform),
        "https" => Ok(Lane::Tls),
        "http" => Ok(Lane::Plain(request.audience)),
        other => Err(Reason::Scheme(other.to_owned())),
    }
}
