//! A reply that is passed on as it comes, instead of being taken into memory.

use std::io::Error;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use http::{HeaderMap, StatusCode};
use tokio::time::{Instant, timeout_at};

/// The body of a reply, piece by piece. It ends with an error where the other side breaks off, is too slow or sends too much.
pub type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>;

/// A reply of which the head is there.
pub struct Streamed {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Chunks,
}

pub(super) fn of(mut reply: reqwest::Response, until: Instant, cap: usize) -> Streamed {
    let status = reply.status();
    let headers = std::mem::take(reply.headers_mut());
    let body = stream::try_unfold((reply, cap), move |(mut reply, left)| async move {
        let chunk = timeout_at(until, reply.chunk()).await;
        let chunk = chunk.map_err(|_| Error::other("the reply takes too long"))?;
        // What the library says may name the address: it is nobody's business who reads the body.
        let Some(chunk) = chunk.map_err(|_| Error::other("the reply was broken off"))? else {
            return Ok(None);
        };
        let left = left.checked_sub(chunk.len()).ok_or_else(|| Error::other("the reply is too large"))?;
        Ok(Some((chunk, (reply, left))))
    });
    Streamed { status, headers, body: Box::pin(body) }
}
