//! Request bodies, bounded. What is left of one that is too large is read by [`super::unread`].

use axum::body::Body;
use axum::http::StatusCode;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;

use super::errors::WireError;

/// The framework's limit for stored records: 8192 bytes, inclusive.
pub(super) const RECORD_CAP: usize = 8192;
/// For provider records: a descriptor with its comments, and a private key.
pub(super) const PROVIDER_CAP: usize = 64 << 10;
/// For calls and for what administrators send.
pub(super) const CALL_CAP: usize = 10 << 20;

/// Reads a body of at most `cap` bytes.
pub(super) async fn read(body: Body, cap: usize) -> Result<Bytes, WireError> {
    let mut body = body;
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|_| WireError::invalid(&"the body was cut off, or did not arrive in time"))?;
        let Ok(data) = frame.into_data() else { continue };
        if read.len() + data.len() > cap {
            let text = format!("size limit of {}Kb exceeded", cap >> 10);
            return Err(WireError::new(StatusCode::PAYLOAD_TOO_LARGE, text));
        }
        read.extend_from_slice(&data);
    }
    Ok(read.freeze())
}
