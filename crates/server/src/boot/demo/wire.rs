//! One HTTP request over a connection of its own, to this machine and nowhere else.
//!
//! The demo plays the people and their browsers: what it sends is no request of the server, so it does not pass
//! the server's egress. Neither TLS nor other machines are within its reach.

use std::time::Duration;

use axum::http::{HeaderMap, Request, Response, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use url::{Host, Url};

/// No page or answer of the demo's parties is larger than this, in bytes.
const LIMIT: usize = 1 << 20;
/// The server gives a request 30 seconds, the calls to an App included.
const PATIENCE: Duration = Duration::from_secs(35);

/// An answer, read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

/// A request that got no answer. Addresses are told without their query, which may hold codes and states.
#[derive(Debug, thiserror::Error)]
#[error("{method} {place}: {problem}")]
pub(super) struct Error {
    method: String,
    place: String,
    problem: String,
}

/// An address without query and fragment.
pub(super) fn place(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// Sends `method url` with these headers, `Host` among them by itself, and this body.
pub(super) async fn send(method: &str, url: &Url, headers: HeaderMap, body: String) -> Result<Answer, Error> {
    let fail = |problem: String| Error { method: method.to_owned(), place: place(url), problem };
    let answer = tokio::time::timeout(PATIENCE, exchange(method, url, headers, body)).await;
    match answer {
        Ok(answer) => answer.map_err(|problem| fail(problem.to_string())),
        Err(_) => Err(fail(format!("no answer within {} seconds", PATIENCE.as_secs()))),
    }
}

async fn exchange(
    method: &str,
    url: &Url,
    headers: HeaderMap,
    body: String,
) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
    let (host, port) = this_machine(url)?;
    let stream = TcpStream::connect((host, port)).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // Ends with the request: the sender, and with it the connection, is gone by then.
    let connection = tokio::spawn(connection);
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let mut request = Request::builder().method(method).uri(target).body(Full::new(Bytes::from(body)))?;
    *request.headers_mut() = headers;
    request.headers_mut().insert(header::HOST, authority.parse()?);
    let answer: Response<_> = sender.send_request(request).await?;
    let (parts, body) = answer.into_parts();
    let body = Limited::new(body, LIMIT).collect().await?.to_bytes();
    drop(sender);
    connection.await??;
    Ok(Answer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

fn this_machine(url: &Url) -> Result<(&str, u16), String> {
    let port = url.port_or_known_default().filter(|_| url.scheme() == "http");
    match (url.host(), port) {
        (Some(Host::Domain(name @ "localhost")), Some(port)) => Ok((name, port)),
        (Some(Host::Ipv4(address)), Some(port)) if address.is_loopback() => {
            Ok((url.host_str().unwrap_or_default(), port))
        }
        (Some(Host::Ipv6(address)), Some(port)) if address.is_loopback() => Ok(("::1", port)),
        _ => Err("the demo stays on this machine and speaks plain http".to_owned()),
    }
}
