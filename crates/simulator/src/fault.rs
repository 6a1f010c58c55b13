//! Replies that are refused, bent, late or lost on purpose.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, stream};
use http::header::{CONTENT_LENGTH, LOCATION, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::behaviour::Behaviour;
use crate::pages::{json_reply, reply};
use crate::positions::{BodyFault, RetryAfter};

/// What a gateway says that reaches nobody.
const BAD_GATEWAY: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
    <center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n";

/// What the token endpoint answers without looking at the request, if a switch says so. `shown` is the clock that
/// clients are shown; `moved` where a redirect leads, unless the request came there already.
pub(crate) fn instead(behaviour: &mut Behaviour, shown: i64, moved: Option<&str>) -> Option<Response> {
    if behaviour.html_502.take() {
        return Some(reply(StatusCode::BAD_GATEWAY, "text/html", BAD_GATEWAY.to_owned()));
    }
    if let Some(wait) = behaviour.rate_limited.take() {
        let wait = match wait {
            RetryAfter::Seconds(seconds) => seconds.to_string(),
            RetryAfter::Date(seconds) => date(shown.saturating_add(seconds.into())),
        };
        let body = json!({ "error": "rate_limited", "error_description": "too many requests" });
        return Some(with_wait(json_reply(StatusCode::TOO_MANY_REQUESTS, &body), &wait));
    }
    let moved = moved?;
    let redirect = behaviour.redirect_reply.take()?;
    let status = StatusCode::from_u16(redirect as u16).unwrap_or(StatusCode::FOUND);
    Some((status, [(LOCATION, moved)]).into_response())
}

/// `response` with `Retry-After`.
pub(crate) fn with_wait(mut response: Response, wait: &str) -> Response {
    if let Ok(wait) = HeaderValue::from_str(wait) {
        response.headers_mut().insert(RETRY_AFTER, wait);
    }
    response
}

/// A clock reading as HTTP writes it.
pub(crate) fn date(unix: i64) -> String {
    let since = Duration::from_secs(u64::try_from(unix).unwrap_or_default());
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + since)
}

/// What happens to a reply on its way.
#[derive(Default)]
pub(crate) struct Way {
    /// Milliseconds.
    pub(crate) delay: u32,
    pub(crate) lost: bool,
    pub(crate) body: Option<BodyFault>,
}

impl Way {
    /// Sends `response` on its way.
    pub(crate) async fn send(self, response: Response) -> Response {
        let Self { delay, lost, body } = self;
        if delay > 0 {
            tokio::time::sleep(Duration::from_millis(delay.into())).await;
        }
        let (mut head, whole) = response.into_parts();
        if lost {
            // A body that fails before its first byte takes the head, which was not sent yet, down with it.
            return Response::from_parts(head, Body::from_stream(stream::iter([closed()])));
        }
        let Some(fault) = body else { return Response::from_parts(head, whole) };
        let whole = axum::body::to_bytes(whole, usize::MAX).await.unwrap_or_default();
        head.headers.remove(CONTENT_LENGTH);
        let half = whole.slice(..whole.len() / 2);
        let body = match fault {
            BodyFault::Split => {
                let bytes = (0..whole.len()).map(move |at| Ok(whole.slice(at..=at)));
                Body::from_stream(stream::iter(bytes).then(sent_alone))
            }
            BodyFault::Stalled => {
                Body::from_stream(stream::iter([Ok::<_, io::Error>(half)]).chain(stream::pending()))
            }
            BodyFault::Cut => Body::from_stream(stream::iter([Ok(half), closed()]).then(sent_alone)),
        };
        Response::from_parts(head, body)
    }
}

/// Gives what came before time to leave.
async fn sent_alone(part: io::Result<Bytes>) -> io::Result<Bytes> {
    tokio::task::yield_now().await;
    part
}

fn closed() -> io::Result<Bytes> {
    Err(io::Error::new(io::ErrorKind::ConnectionAborted, "a switch of the simulator says so"))
}
