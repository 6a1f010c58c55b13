//! Request bodies, bounded. One that is too large is read to its end and answered, so that the client can read why.

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;

use super::errors::WireError;

/// The framework's limit for stored records: 8192 bytes, inclusive.
pub(super) const RECORD_CAP: usize = 8192;
/// For calls and for what administrators send.
pub(super) const CALL_CAP: usize = 10 << 20;
/// How much of an oversize body is read and thrown away before the answer.
const DRAIN_CAP: usize = 256 << 20;
/// How long that may take.
const DRAIN_FOR: Duration = Duration::from_secs(20);

/// Reads a body of at most `cap` bytes.
pub(super) async fn read(body: Body, cap: usize) -> Result<Bytes, WireError> {
    let mut body = body;
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|_| WireError::new(StatusCode::BAD_REQUEST, "the body was cut off: invalid input"))?;
        let Ok(data) = frame.into_data() else { continue };
        if read.len() + data.len() > cap {
            drop(read);
            drain(body).await;
            let text = format!("size limit of {}Kb exceeded", cap >> 10);
            return Err(WireError::new(StatusCode::PAYLOAD_TOO_LARGE, text));
        }
        read.extend_from_slice(&data);
    }
    Ok(read.freeze())
}

async fn drain(mut body: Body) {
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
    let _ = tokio::time::timeout(DRAIN_FOR, draining).await;
}
