//! Requests that are Mattermost's, passed on to it: Apps are told our own address as the site's where we have a host name of our
//! own, and find Mattermost's API and its provider there (C.1).
//!
//! What goes over carries its authority in a header of its own. No cookie does, in neither direction: a browser's session with us
//! is nobody else's, and a session of Mattermost's has nothing to do on our host.

use std::time::Duration;

use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use url::Url;

use super::Mattermost;
use crate::egress::{Audience, Request, Streamed};
use crate::platform::{Error, Relayed};
use crate::rate::Wait;

/// How long one may take, its reply's body included: also a large file over a slow line.
const PATIENCE: Duration = Duration::from_secs(300);
/// The most that a reply may weigh. Nothing of it is held.
const CAP: usize = 1 << 30;
/// How many may be under way: they shall not take Mattermost from the service itself.
pub(super) const AT_ONCE: usize = 64;
/// What a proxy drops in any case (RFC 9110 section 7.6.1).
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// What is ours to say, or nobody's from outside.
const NOT_ASKED: [&str; 13] = [
    "host",
    "content-length",
    "cookie",
    "expect",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-ssl",
    "x-real-ip",
    "mattermost-user-id",
    "mattermost-plugin-id",
    "mattermost-session-id",
];
/// What Mattermost says of its own host, and not of ours.
const NOT_SAID: [&str; 3] = ["set-cookie", "strict-transport-security", "alt-svc"];

impl Mattermost {
    pub(super) async fn pass_on(&self, request: Relayed) -> Result<Streamed, Error> {
        let Relayed { method, path, headers, body } = request;
        let turn = std::sync::Arc::clone(&self.relays).try_acquire_owned();
        let turn = turn.map_err(|_| Error::Busy(Wait::of_ms(1_000)))?;
        let base = self.settings.internal_url.as_str().trim_end_matches('/');
        let url =
            Url::parse(&format!("{base}{path}")).map_err(|error| Error::Unreachable(error.to_string()))?;
        let headers = without(&headers, &NOT_ASKED);
        let body = Some(body).filter(|body| !body.is_empty());
        let (total, cap_bytes, audience) = (PATIENCE, CAP, Audience::Platform);
        let request = Request { method, url, headers, body, total, cap_bytes, audience };
        let streamed = self.egress.stream(request).await;
        let Streamed { status, headers, body } =
            streamed.map_err(|error| Error::Unreachable(error.to_string()))?;
        let mut headers = without(&headers, &NOT_SAID);
        // What people uploaded there is no page of ours: it may not run where a session of ours is.
        let policy = HeaderValue::from_static("sandbox; default-src 'none'");
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        let body = body.map(move |chunk| {
            let _held = &turn;
            chunk
        });
        Ok(Streamed { status, headers, body: Box::pin(body) })
    }
}

/// These headers without those of the way itself, those that `Connection` names, and `more`.
fn without(headers: &HeaderMap, more: &[&str]) -> HeaderMap {
    let named = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<String> =
        named.flat_map(|value| value.split(',')).map(|name| name.trim().to_ascii_lowercase()).collect();
    let stays = |name: &HeaderName| {
        let name = name.as_str();
        !HOP_BY_HOP.contains(&name) && !more.contains(&name) && !named.iter().any(|one| one == name)
    };
    let kept = headers.iter().filter(|(name, _)| stays(name));
    let mut left = HeaderMap::with_capacity(headers.len());
    for (name, value) in kept {
        left.append(name.clone(), value.clone());
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_the_way_and_what_is_ours_stays_behind() {
        let pairs = [
            ("authorization", "Bearer t"),
            ("connection", "close, X-Mine"),
            ("x-mine", "1"),
            ("te", "trailers"),
            ("cookie", "__Host-tessera-session=s"),
            ("x-forwarded-for", "203.0.113.1"),
            ("mattermost-user-id", "somebody"),
            ("accept", "application/json"),
        ];
        let headers: HeaderMap = pairs
            .into_iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let left = without(&headers, &NOT_ASKED);
        let mut names: Vec<&str> = left.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "authorization"]);
    }
}
