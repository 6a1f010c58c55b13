//! What goes wrong because a test wants it to.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::{self, StreamExt as _};

use super::refusal::Refusal;

/// What happens to the next request whose path begins so.
#[derive(Debug, Clone)]
pub enum Failure {
    /// It is answered with this status and nothing else.
    Status(u16),
    /// It is one too many: there is room again in so many seconds.
    Limited(u32),
    /// It is never answered.
    Hang,
    /// It is answered in part, and then the connection ends.
    Cut,
    /// It is answered with these words and 200, as a proxy's own page is.
    Words(&'static str),
    /// It is refused with this status and an error of this id.
    Refused(u16, &'static str),
}

/// Those that are still to come.
#[derive(Debug, Default)]
pub(super) struct Failures(Vec<(String, Failure)>);

impl Failures {
    pub(super) fn add(&mut self, path: &str, failure: Failure, times: usize) {
        self.0.extend(std::iter::repeat_n((path.to_owned(), failure), times));
    }

    /// What shall happen to a request, which is counted by that.
    pub(super) fn take(&mut self, path: &str) -> Option<Failure> {
        let at = self.0.iter().position(|(prefix, _)| path.starts_with(prefix.as_str()))?;
        Some(self.0.remove(at).1)
    }
}

impl Failure {
    /// The answer, if it is one.
    pub(super) async fn happen(self) -> Response {
        match self {
            Self::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
            Self::Limited(seconds) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, "limit exceeded\n").into_response();
                let headers = response.headers_mut();
                headers.insert("x-ratelimit-limit", HeaderValue::from(100));
                headers.insert("x-ratelimit-remaining", HeaderValue::from(0));
                headers.insert("x-ratelimit-reset", HeaderValue::from(seconds));
                headers.insert("retry-after", HeaderValue::from(seconds));
                response
            }
            Self::Hang => std::future::pending().await,
            Self::Cut => {
                let begun = stream::once(async { Ok(Bytes::from_static(b"{\"id\":")) });
                // What there is goes out while the rest is waited for.
                let broken = stream::once(async {
                    tokio::task::yield_now().await;
                    Err(std::io::Error::other("the connection was cut"))
                });
                let mut response = Body::from_stream(begun.chain(broken)).into_response();
                response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(1_000));
                response
            }
            Self::Refused(status, id) => Refusal::new(status, id).respond("/"),
            Self::Words(words) => ([(header::CONTENT_TYPE, "text/html")], words).into_response(),
        }
    }
}
