//! Traces for a collector, by OTLP over HTTP: a span for each request and for each request to an App.
//!
//! A span is made of the log's own line and of nothing else, so what the log may not hold is in no trace either
//! (OS-51). Sending never holds up a request: when the queue is full, spans are dropped and their number is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, Method, header};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Context;
use url::Url;

use super::config::{self, Config};
use super::spans::{Line, text};
use crate::egress::{Audience, Egress, Request, Rules};
use crate::env::Env;
use crate::trail;

/// How many spans wait for the collector.
const QUEUE: usize = 4_096;
/// The most that are sent at once.
const BATCH: usize = 512;
/// How long a span waits for others to come along.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long the collector has to answer; at the end of the process too.
const DEADLINE: Duration = Duration::from_secs(5);
/// The most that its answer may weigh.
const ANSWER_CAP: usize = 64 << 10;

enum Queued {
    Span(Box<Span>),
    /// Send what there is, and say when it is sent.
    Close(oneshot::Sender<()>),
}

/// The way to the collector, if one is named.
pub(super) struct Traces(Option<Spans>);

/// The log's lines as spans.
#[derive(Clone)]
pub(super) struct Spans {
    queue: mpsc::Sender<Queued>,
    dropped: Arc<AtomicU64>,
    env: Env,
}

/// Starts to send spans to the collector that the settings name.
pub(super) fn open(config: &Config) -> Result<Traces, config::Error> {
    let text = config.trace.endpoint.as_str();
    if text.is_empty() {
        return Ok(Traces(None));
    }
    let wrong = |what: String| config::Error::new("trace.endpoint", what);
    let url = Url::parse(&format!("{}/v1/traces", text.trim_end_matches('/')))
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| {
            wrong(format!("{text:?} is no address: write, for instance, http://localhost:4318"))
        })?;
    // Whoever names a collector vouches for its address, wherever it is.
    let host = url.host_str().and_then(|host| host.parse().ok());
    let rules = Rules {
        allow_loopback: true,
        allow_private: host.into_iter().collect(),
        extra_ca: config.egress.extra_ca.iter().map(Into::into).collect(),
        ..Rules::default()
    };
    let egress = Egress::new(rules).map_err(|error| wrong(error.to_string()))?;
    let (queue, waiting) = mpsc::channel(QUEUE);
    let dropped = Arc::new(AtomicU64::new(0));
    let sender = Sender { egress, url, dropped: Arc::clone(&dropped), fails: false };
    tokio::spawn(sender.run(waiting));
    Ok(Traces(Some(Spans { queue, dropped, env: Env::system() })))
}

impl Traces {
    /// What the log's lines pass to become spans.
    pub(super) fn layer<S>(&self) -> Option<impl Layer<S> + use<S>>
    where
        S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    {
        let lines = Targets::new()
            .with_target("tessera_server::requests", Level::DEBUG)
            .with_target("tessera_server::upstream", Level::DEBUG);
        self.0.clone().map(|spans| spans.with_filter(lines))
    }

    /// Sends what is left, within reason.
    pub(super) async fn close(self) {
        let Some(spans) = self.0 else { return };
        let (done, sent) = oneshot::channel();
        let closing = async {
            if spans.queue.send(Queued::Close(done)).await.is_ok() {
                let _ = sent.await;
            }
        };
        if tokio::time::timeout(DEADLINE, closing).await.is_err() {
            tracing::warn!("the last traces could not be sent in time");
        }
    }
}

impl<S: Subscriber> Layer<S> for Spans {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let Some(trail) = trail::current().filter(trail::Trail::sampled) else { return };
        let Some(span) = Line::of(event).span(&trail, self.env.now_ms()) else { return };
        if self.queue.try_send(Queued::Span(Box::new(span))).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

struct Sender {
    egress: Egress,
    url: Url,
    dropped: Arc<AtomicU64>,
    fails: bool,
}

impl Sender {
    async fn run(mut self, mut waiting: mpsc::Receiver<Queued>) {
        let mut open = true;
        while open {
            let mut batch = Vec::new();
            let mut closing = None;
            let mut until = None;
            while batch.len() < BATCH {
                let next = match until {
                    None => waiting.recv().await,
                    Some(until) => match tokio::time::timeout_at(until, waiting.recv()).await {
                        Ok(next) => next,
                        Err(_) => break,
                    },
                };
                match next {
                    Some(Queued::Span(span)) => batch.push(*span),
                    Some(Queued::Close(done)) => closing = Some(done),
                    None => {}
                }
                if closing.is_some() || (waiting.is_closed() && waiting.is_empty()) {
                    open = false;
                    break;
                }
                until.get_or_insert(Instant::now() + PATIENCE);
            }
            if !batch.is_empty() {
                let sent = self.send(batch).await;
                self.tell(sent);
            }
            if let Some(done) = closing {
                // Nobody waits for it any more when the process has no more time.
                let _ = done.send(());
            }
        }
    }

    async fn send(&self, spans: Vec<Span>) -> Result<(), String> {
        let scope = InstrumentationScope { name: "tessera".into(), ..InstrumentationScope::default() };
        let resource = Resource {
            attributes: vec![
                text("service.name", "tessera"),
                text("service.version", env!("CARGO_PKG_VERSION")),
            ],
            ..Resource::default()
        };
        let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }];
        let resource_spans =
            vec![ResourceSpans { resource: Some(resource), scope_spans, ..ResourceSpans::default() }];
        let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        let protobuf = HeaderValue::from_static("application/x-protobuf");
        let request = Request {
            method: Method::POST,
            url: self.url.clone(),
            headers: HeaderMap::from_iter([(header::CONTENT_TYPE, protobuf)]),
            body: Some(body.into()),
            total: DEADLINE,
            cap_bytes: ANSWER_CAP,
            audience: Audience::App,
        };
        match self.egress.send(request).await {
            Ok(reply) if reply.status.is_success() => Ok(()),
            Ok(reply) => Err(format!("{} answered {}", self.url, reply.status)),
            Err(error) => Err(error.to_string()),
        }
    }

    /// A line when it begins to fail and one when it works again, not one for each batch.
    fn tell(&mut self, sent: Result<(), String>) {
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        let failed = std::mem::replace(&mut self.fails, sent.is_err());
        match (sent, failed) {
            (Err(error), false) => tracing::warn!(error, "traces cannot be sent and are lost"),
            (Ok(()), true) => tracing::info!("traces are sent again"),
            _ if dropped > 0 => tracing::warn!(dropped, "traces came faster than they could be sent"),
            _ => {}
        }
    }
}
