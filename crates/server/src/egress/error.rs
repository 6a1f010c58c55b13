//! What can go wrong on the way out, told apart by type.

use std::error::Error as StdError;
use std::fmt;
use std::io::ErrorKind;
use std::path::PathBuf;

use http::{Method, StatusCode};
use url::Url;

use super::resolver::{LookupFailed, Refused};
use super::rules::Audience;

/// A request that got no usable reply. Displays as the original's does: `Post "<url>": <reason>`.
#[derive(Debug, thiserror::Error)]
#[error("{request}: {reason}")]
pub struct Error {
    request: Shown,
    /// Why.
    pub reason: Reason,
}

/// Why a request got no usable reply.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// The rules keep us from this address (the first half of the text is pinned: section 7.3).
    #[error(
        "address forbidden, you may need to set AllowedUntrustedInternalConnections to allow an integration \
         access to your internal network (in Tessera: egress.allow)"
    )]
    Forbidden,
    /// Plain http to a host that nobody vouched for.
    #[error(
        "plain http is not allowed to this host: use https, or, for an App, list the host under \
         egress.allow"
    )]
    PlainHttp,
    /// Neither http nor https.
    #[error("unsupported protocol scheme {0:?}")]
    Scheme(String),
    /// A URL without a host.
    #[error("no Host in request URL")]
    NoHost,
    /// The name has no address.
    #[error("dial tcp: lookup {host}: {why}")]
    Lookup {
        /// The name.
        host: String,
        /// What the resolver said.
        why: String,
    },
    /// No connection.
    #[error("dial tcp: connect: {0}")]
    Connect(String),
    /// No connection in time.
    #[error("dial tcp: i/o timeout")]
    ConnectTimeout,
    /// The certificate or the handshake was no good.
    #[error("tls: {0}")]
    Tls(String),
    /// The time for the whole request is over.
    #[error("context deadline exceeded")]
    Deadline,
    /// The connection closed before the head of a reply.
    #[error("EOF")]
    Closed,
    /// The connection closed within the body of a reply.
    #[error("unexpected EOF")]
    Cut,
    /// The reply is larger than the caller allows.
    #[error("the answer is larger than {cap} bytes")]
    TooLarge {
        /// The reply's status.
        status: StatusCode,
        /// How much was allowed.
        cap: usize,
    },
    /// What came was not HTTP.
    #[error("malformed HTTP response")]
    Malformed,
    /// The request could not be built.
    #[error("malformed HTTP request")]
    Unsendable,
}

impl Error {
    pub(super) fn new(request: Shown, reason: Reason) -> Self {
        Self { request, reason }
    }

    /// Sorts an error of the HTTP library by what caused it.
    pub(super) fn sort(request: Shown, host: &str, error: &reqwest::Error) -> Self {
        let reason = if error.is_builder() {
            Reason::Unsendable
        } else if let Some(Refused { over_https }) = find(error) {
            if *over_https { Reason::PlainHttp } else { Reason::Forbidden }
        } else if let Some(LookupFailed(why)) = find(error) {
            Reason::Lookup { host: host.to_owned(), why: why.clone() }
        } else if let Some(tls) = find::<rustls::Error>(error) {
            Reason::Tls(tls.to_string())
        } else if error.is_connect() && error.is_timeout() {
            Reason::ConnectTimeout
        } else if error.is_connect() {
            Reason::Connect(find::<std::io::Error>(error).map_or("failed".to_owned(), plain))
        } else if error.is_body() || error.is_decode() {
            Reason::Cut
        } else if find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse) {
            Reason::Malformed
        } else {
            Reason::Closed
        };
        Self { request, reason }
    }
}

/// An I/O error as Go words it, where people search for the words.
fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        ErrorKind::ConnectionReset => "connection reset by peer".to_owned(),
        ErrorKind::HostUnreachable => "no route to host".to_owned(),
        ErrorKind::NetworkUnreachable => "network is unreachable".to_owned(),
        ErrorKind::TimedOut => "connection timed out".to_owned(),
        _ => error.to_string(),
    }
}

/// The first error of a type in the chain of causes. I/O errors need care: their `source` skips what they hold.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let held = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = held.map(|held| held as &(dyn StdError + 'static)).or_else(|| error.source());
    }
    None
}

/// A request as an error may show it: no user-info, and for a provider no query, as that may hold secrets.
#[derive(Debug, Clone)]
pub(super) struct Shown(String);

impl Shown {
    pub(super) fn new(method: &Method, url: &Url, audience: Audience) -> Self {
        let mut url = url.clone();
        // Both fail only for URLs without a host, which hold no user-info.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        if audience == Audience::Provider {
            url.set_query(None);
            url.set_fragment(None);
        }
        let (first, rest) = method.as_str().split_at(1);
        Self(format!("{first}{} {:?}", rest.to_ascii_lowercase(), url.as_str()))
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The outgoing client cannot be built: a setting is wrong.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A file of extra authorities cannot be used.
    #[error("cannot use {path} as a file of certificate authorities: {why}")]
    Authority {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The TLS library refused its settings.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The HTTP library refused its settings.
    #[error("cannot set up the outgoing HTTP client: {0}")]
    Http(#[from] reqwest::Error),
}
