//! What is counted, and told in the log, of requests to Apps: how many, how they ended, how long they took.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use tessera_types::CallResponse;

use super::{Asset, Error};
use crate::egress::Reason;
use crate::meter::Timing;
use crate::trail::SpanId;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    app: String,
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Took {
    app: String,
}

#[derive(Default)]
pub(super) struct Meters {
    ended: Family<Ended, Counter<u64, AtomicU64>>,
    took: Family<Took, Timing>,
}

impl Meters {
    pub(super) fn announce(&self, registry: &mut Registry) {
        registry.register("app_requests", "Requests to Apps, by App, kind and outcome", self.ended.clone());
        registry.register("app_request_seconds", "Time that Apps took to answer, by App", self.took.clone());
    }

    pub(super) fn count(
        &self,
        app: &str,
        kind: &'static str,
        outcome: &'static str,
        took: Duration,
        span: SpanId,
    ) {
        let ended = Ended { app: app.to_owned(), kind, outcome };
        self.ended.get_or_create_owned(&ended).inc();
        self.took.get_or_create_owned(&Took { app: app.to_owned() }).observe(took);
        // Neither path nor text: both are the App's own words.
        let ms = took.as_secs_f64() * 1e3;
        match outcome {
            "ok" | "app_error" | "not_found" => {
                tracing::debug!(app, kind, outcome, ms, %span, "asked an App")
            }
            _ => tracing::info!(app, kind, outcome, ms, %span, "an App did not answer as it should"),
        }
    }
}

/// The class of what came of a call.
pub(super) fn of_call(result: &Result<CallResponse, Error>) -> &'static str {
    match result {
        Ok(response) if response.is_error() => "app_error",
        Ok(_) => "ok",
        Err(error) => of_error(error),
    }
}

/// The class of what came of a request for a static asset.
pub(super) fn of_asset(result: &Result<Asset, Error>) -> &'static str {
    match result {
        Ok(asset) if asset.status == StatusCode::NOT_FOUND => "not_found",
        Ok(asset) if asset.status.is_success() => "ok",
        Ok(_) => "status",
        Err(error) => of_error(error),
    }
}

pub(super) fn of_error(error: &Error) -> &'static str {
    match error {
        Error::NotFound { .. } => "not_found",
        Error::Status(_) => "status",
        Error::Redirect { .. } => "redirect",
        Error::Json(_) => "not_json",
        Error::Egress(error) | Error::Fetch { error, .. } => match error.reason {
            Reason::Deadline | Reason::ConnectTimeout => "timeout",
            Reason::Forbidden | Reason::PlainHttp => "forbidden",
            Reason::TooLarge { .. } => "too_large",
            _ => "unreachable",
        },
        Error::Ping(error) => of_error(error),
        Error::OutsideStatic { .. } | Error::Url(_) | Error::Encode(_) | Error::Sign => "unsent",
    }
}
