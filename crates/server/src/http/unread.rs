//! Bodies on loan: what a handler leaves unread is read to its end before its answer goes out, for most clients
//! read no answer before they have sent all; and none may take longer than a request may.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::header;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep, timeout};

use super::REQUEST_DEADLINE;

/// How much of an unread body is read and thrown away before the answer.
const DRAIN_CAP: usize = 256 << 20;
/// How long that may take.
const DRAIN_FOR: Duration = Duration::from_secs(20);

/// What a handler may leave unread.
pub(super) struct Unread(Option<oneshot::Receiver<Body>>);

/// Puts the request's body on loan.
pub(super) fn lend(request: Request) -> (Request, Unread) {
    if request.body().is_end_stream() {
        return (request, Unread(None));
    }
    // Whoever waits to be told to go on has sent nothing yet, and need not.
    let waits = request.headers().contains_key(header::EXPECT);
    let (home, back) = oneshot::channel();
    let request = request.map(|body| {
        let late = Box::pin(sleep(REQUEST_DEADLINE));
        Body::new(Lent { body: Some(body), home: Some(home), late, wanted: !waits })
    });
    (request, Unread(Some(back)))
}

impl Unread {
    /// Reads what was left, within reason. The handler must be done.
    pub(super) async fn drain(self) {
        let Some(mut body) = self.0.and_then(|mut back| back.try_recv().ok()) else { return };
        let mut left = DRAIN_CAP;
        let draining = async {
            while let Some(Ok(frame)) = body.frame().await {
                left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
                if left == 0 {
                    return;
                }
            }
        };
        // Too slow or too much: the answer goes out all the same.
        let _ = timeout(DRAIN_FOR, draining).await;
    }
}

struct Lent {
    body: Option<Body>,
    home: Option<oneshot::Sender<Body>>,
    late: Pin<Box<Sleep>>,
    /// Whether the rest is worth reading.
    wanted: bool,
}

/// The body did not arrive in time.
#[derive(Debug, thiserror::Error)]
#[error("the body did not arrive in time")]
struct Late;

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = self.body.as_mut() else { return Poll::Ready(None) };
        let frame = Pin::new(body).poll_frame(context);
        self.wanted = true;
        if frame.is_pending() && self.late.as_mut().poll(context).is_ready() {
            self.wanted = false;
            return Poll::Ready(Some(Err(axum::Error::new(Late))));
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (true, Some(body), Some(home)) = (self.wanted, self.body.take(), self.home.take()) {
            // Nobody waits for it when the request itself is gone.
            let _ = home.send(body);
        }
    }
}
