//! How often somebody may ask (`RateLimitSettings`).

use std::collections::HashMap;

use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::asked::Asked;
use super::state::State;

/// When each key's last request is paid for, in Unix milliseconds.
#[derive(Debug, Default)]
pub(super) struct Limiter(HashMap<String, i64>);

/// What a request is told of its limit.
pub(super) struct Told {
    limit: i64,
    remaining: i64,
    /// Until everything is free again, ms.
    reset: i64,
    /// Until the next one fits, ms, if this one does not.
    retry: Option<i64>,
}

impl Limiter {
    fn ask(&mut self, key: String, now: i64, per_second: i64, burst: i64) -> Told {
        let interval = 1_000 / per_second.max(1);
        let room = interval * (burst + 1);
        let paid = self.0.entry(key).or_insert(now);
        let next = (*paid).max(now) + interval;
        let fits = next - room <= now;
        if fits {
            *paid = next;
        }
        let used = (*paid - now).max(0);
        Told {
            limit: burst + 1,
            remaining: ((room - used) / interval).max(0),
            reset: used,
            retry: (!fits).then_some(next - room - now),
        }
    }
}

impl Told {
    /// The headers that every answer has where limits are on.
    pub(super) fn mark(&self, headers: &mut HeaderMap) {
        let seconds = |ms: i64| HeaderValue::from((ms + 999) / 1_000);
        headers.insert("x-ratelimit-limit", HeaderValue::from(self.limit));
        headers.insert("x-ratelimit-remaining", HeaderValue::from(self.remaining));
        headers.insert("x-ratelimit-reset", seconds(self.reset));
        if let Some(retry) = self.retry {
            headers.insert("retry-after", seconds(retry));
        }
    }

    /// The answer to one too many.
    pub(super) fn refusal(&self) -> Option<Response> {
        self.retry?;
        let mut response = (StatusCode::TOO_MANY_REQUESTS, "limit exceeded\n").into_response();
        self.mark(response.headers_mut());
        Some(response)
    }
}

impl State {
    /// Counts a request, where the settings say so: by its token or by its address.
    pub(super) fn limit(&mut self, asked: &Asked) -> Option<Told> {
        if !self.settings.is_on("RateLimitSettings.Enable") {
            return None;
        }
        let by_address =
            || self.settings.is_on("RateLimitSettings.VaryByRemoteAddr").then(|| asked.peer.ip().to_string());
        let token = asked.token().map(|(token, _)| token);
        let key = match self.settings.is_on("RateLimitSettings.VaryByUser") {
            true => token.or_else(by_address),
            false => by_address(),
        };
        let (per_second, burst) = (
            self.settings.number("RateLimitSettings.PerSec"),
            self.settings.number("RateLimitSettings.MaxBurst"),
        );
        let now = self.now();
        Some(self.limiter.ask(key.unwrap_or_default(), now, per_second, burst))
    }
}
