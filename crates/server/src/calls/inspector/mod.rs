//! The last calls of Apps, for who develops one: what was sent, what came back, how long it took. In memory, in
//! development only, and without the secrets.

mod redact;

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;
use tessera_types::{App, CallRequest, CallResponse};
use tokio::time::Instant;

use crate::env::Env;
use crate::trail;
pub(super) use redact::Masks;

/// How many calls are remembered.
const REMEMBERED: usize = 50;

/// A call that was made, or that could not be.
#[derive(Debug, Clone, Serialize)]
pub struct Seen {
    /// The request that caused it.
    pub id: String,
    /// The trace that it is part of, as 32 hexadecimal digits; empty when there is none.
    pub trace: String,
    /// When it ended, in Unix milliseconds.
    pub at: i64,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// The App.
    pub app_id: String,
    /// The call's path.
    pub path: String,
    /// Why it was made: `call`, `bindings`, `connect`, `complete` or `lifecycle`.
    pub kind: &'static str,
    /// The acting user's id; empty when there was none.
    pub acting_user: String,
    /// What the App got, without secrets; null when it was not reached.
    pub request: Option<Value>,
    /// What it answered, without what was secret in the request.
    pub response: Option<Value>,
    /// Why there was no answer.
    pub error: Option<String>,
}

/// Remembers them.
pub(super) struct Inspector {
    env: Env,
    seen: Mutex<VecDeque<Seen>>,
}

/// A call that has begun.
pub(super) struct Begun {
    began: Instant,
    id: String,
    trace: String,
    app_id: String,
    path: String,
    kind: &'static str,
    acting_user: String,
    request: Option<Value>,
    masks: Masks,
}

impl Begun {
    /// Before anything was sent.
    pub(super) fn new(id: &str, app_id: &str, path: &str, kind: &'static str, acting: Option<&str>) -> Self {
        Self {
            began: Instant::now(),
            id: id.to_owned(),
            trace: trail::current().map(|trail| trail.trace().to_string()).unwrap_or_default(),
            app_id: app_id.to_owned(),
            path: path.to_owned(),
            kind,
            acting_user: acting.unwrap_or_default().to_owned(),
            request: None,
            masks: Masks::default(),
        }
    }

    /// With what is about to be sent.
    pub(super) fn with(mut self, request: &CallRequest) -> Self {
        let (shown, masks) = redact::request(request.clone());
        (self.request, self.masks) = (Some(shown), masks);
        self
    }
}

impl Inspector {
    pub(super) fn new(env: Env) -> Self {
        Self { env, seen: Mutex::default() }
    }

    /// The end of a call, either way.
    pub(super) fn ended<E: ToString>(&self, begun: Begun, outcome: &Result<CallResponse, E>) {
        let took = begun.began.elapsed();
        let (response, error) = match outcome {
            Ok(response) => (Some(redact::response(response, &begun.masks)), None),
            Err(error) => (None, Some(begun.masks.mask(&error.to_string()))),
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.truncate(REMEMBERED - 1);
        seen.push_front(Seen {
            id: begun.id,
            trace: begun.trace,
            at: self.env.now_ms(),
            took_ms: (took.as_secs_f64() * 10_000.0).round() / 10.0,
            app_id: begun.app_id,
            path: begun.path,
            kind: begun.kind,
            acting_user: begun.acting_user,
            request: begun.request,
            response,
            error,
        });
    }

    /// The last calls, newest first; of one user, or of all.
    pub(super) fn of(&self, user: Option<&str>) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().filter(|call| user.is_none_or(|user| call.acting_user == user)).cloned().collect()
    }
}

/// Which of the server's own calls this is.
pub(super) fn kind(app: &App, path: &str) -> &'static str {
    let manifest = &app.manifest;
    if path == manifest.bindings_call().path {
        "bindings"
    } else if path == manifest.connect_call().path {
        "connect"
    } else if path == manifest.complete_call().path {
        "complete"
    } else {
        "lifecycle"
    }
}
