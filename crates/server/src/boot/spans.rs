//! A line of the log as a span of a trace.

use std::fmt;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use tracing::Event;
use tracing::field::{Field, Visit};

use crate::trail::Trail;

/// The fields of a line that a span is made of: these, and no others.
#[derive(Default)]
pub(super) struct Line {
    method: String,
    route: String,
    status: u64,
    app: String,
    kind: String,
    outcome: String,
    span: String,
    ms: f64,
}

impl Line {
    pub(super) fn of(event: &Event<'_>) -> Self {
        let mut line = Self::default();
        event.record(&mut line);
        line
    }

    /// The span that ends now on this trail; none for a line that is about something else.
    pub(super) fn span(self, trail: &Trail, now_ms: i64) -> Option<Span> {
        let end = u64::try_from(now_ms).ok()?.saturating_mul(1_000_000);
        // A line says what it took in milliseconds, never less than nothing.
        let took = (self.ms.max(0.0) * 1e6) as u64;
        let span = Span {
            trace_id: trail.trace().bytes().to_vec(),
            start_time_unix_nano: end.saturating_sub(took),
            end_time_unix_nano: end,
            ..Span::default()
        };
        let request = text("tessera.request_id", &**trail.request());
        if !self.route.is_empty() {
            let method = self.method.trim_matches('"').to_owned();
            let status = i64::try_from(self.status).unwrap_or_default();
            return Some(Span {
                span_id: trail.span().bytes().to_vec(),
                parent_span_id: trail.parent().map(|parent| parent.bytes().to_vec()).unwrap_or_default(),
                name: format!("{method} {}", self.route),
                kind: SpanKind::Server.into(),
                status: Some(result(self.status < 500, "")),
                attributes: vec![
                    text("http.request.method", method),
                    text("http.route", self.route),
                    attribute("http.response.status_code", Value::IntValue(status)),
                    request,
                ],
                ..span
            });
        }
        let own = u64::from_str_radix(&self.span, 16).ok().filter(|_| !self.outcome.is_empty())?;
        let fine = matches!(self.outcome.as_str(), "ok" | "app_error" | "not_found");
        Some(Span {
            span_id: own.to_be_bytes().to_vec(),
            parent_span_id: trail.span().bytes().to_vec(),
            name: format!("{} {}", self.kind, self.app),
            kind: SpanKind::Client.into(),
            status: Some(result(fine, &self.outcome)),
            attributes: vec![
                text("tessera.app", self.app),
                text("tessera.kind", self.kind),
                text("tessera.outcome", self.outcome),
                request,
            ],
            ..span
        })
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        let place = match field.name() {
            "method" => &mut self.method,
            "route" => &mut self.route,
            "app" => &mut self.app,
            "kind" => &mut self.kind,
            "outcome" => &mut self.outcome,
            "span" => &mut self.span,
            _ => return,
        };
        place.push_str(value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "status" {
            self.status = value;
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "ms" {
            self.ms = value;
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if matches!(field.name(), "method" | "span") {
            self.record_str(field, &format!("{value:?}"));
        }
    }
}

fn result(fine: bool, message: &str) -> Status {
    match fine {
        true => Status::default(),
        false => Status { code: StatusCode::Error.into(), message: message.to_owned() },
    }
}

/// An attribute whose value is text.
pub(super) fn text(key: &str, value: impl Into<String>) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}
