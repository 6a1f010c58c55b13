//! One request to the server: deadlines, limits, and what an answer means.

use std::sync::LazyLock;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode, header};
use serde::de::DeserializeOwned;
use tessera_types::{AccessToken, json};
use url::Url;

use crate::Error;

/// How long a request may take, connecting included: the 30 seconds that the server gives a whole call.
pub const TIMEOUT: Duration = Duration::from_secs(30);
/// How long making the connection may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer that is read, in bytes: 10 MiB.
pub const RESPONSE_LIMIT: usize = 10 << 20;

/// One HTTP client for the process, so that the many short-lived [`Client`](crate::Client)s of an App
/// share its connections.
static SHARED: LazyLock<Result<reqwest::Client, String>> = LazyLock::new(|| {
    http_client_builder()?
        // The site is reached directly; whoever needs a proxy brings a client of their own.
        .no_proxy()
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .build()
        .map_err(|error| reasons(&error.without_url()))
});

/// The beginning of an HTTP client that carries secrets: TLS on every machine, no redirect followed (it would carry
/// the secret to wherever the answer points), no request sent twice. Deadlines are for the caller to add.
///
/// # Errors
///
/// When TLS cannot be set up, in words.
pub fn http_client_builder() -> Result<reqwest::ClientBuilder, String> {
    let tls = super::tls::config().map_err(|error| error.to_string())?;
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never()))
}

pub(crate) fn shared() -> Result<reqwest::Client, Error> {
    SHARED.clone().map_err(Error::Setup)
}

/// A site and the way to it.
#[derive(Clone)]
pub(crate) struct Transport {
    /// The site URL without a trailing slash; may have a path.
    pub(crate) site: String,
    pub(crate) http: reqwest::Client,
    pub(crate) timeout: Option<Duration>,
}

/// What goes out.
pub(crate) struct Outgoing<'a> {
    pub(crate) method: Method,
    /// Below the site URL, beginning with a slash, already percent-encoded.
    pub(crate) path: &'a str,
    pub(crate) token: &'a AccessToken,
    pub(crate) body: Option<Vec<u8>>,
}

/// What came back; a redirect never does.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    /// The body of a 200 or 201.
    pub(crate) fn good(self) -> Result<Bytes, Error> {
        match self.status {
            StatusCode::OK | StatusCode::CREATED => Ok(self.body),
            status => Err(Error::Status { status: status.as_u16(), text: self.error_text() }),
        }
    }

    /// The server's words about what went wrong.
    pub(crate) fn error_text(&self) -> String {
        error_text(&self.body)
    }
}

impl Transport {
    /// Sends once, never again.
    pub(crate) async fn send(&self, outgoing: Outgoing<'_>) -> Result<Answer, Error> {
        let url = format!("{}{}", self.site, outgoing.path);
        let mut bearer = header::HeaderValue::try_from(format!("Bearer {}", outgoing.token.expose()))
            .map_err(|_| {
                Error::Argument("the access token has characters that no header can carry".into())
            })?;
        bearer.set_sensitive(true);
        let mut request = self.http.request(outgoing.method, url).header(header::AUTHORIZATION, bearer);
        if let Some(timeout) = self.timeout {
            request = request.timeout(timeout);
        }
        if let Some(body) = outgoing.body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body);
        }
        let mut answer = request.send().await.map_err(|error| self.broken(error))?;
        let status = answer.status();
        if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
            return Err(redirected(&answer));
        }
        let headers = std::mem::take(answer.headers_mut());
        Ok(Answer { status, headers, body: self.read(answer).await? })
    }

    async fn read(&self, mut answer: reqwest::Response) -> Result<Bytes, Error> {
        let too_large = || Error::TooLarge { limit: RESPONSE_LIMIT };
        if answer.content_length().is_some_and(|length| length > RESPONSE_LIMIT as u64) {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.broken(error))? {
            if body.len() + chunk.len() > RESPONSE_LIMIT {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    fn broken(&self, error: reqwest::Error) -> Error {
        let site = self.site.clone();
        if error.is_timeout() {
            Error::Timeout { site }
        } else {
            Error::Transport { site, reason: reasons(&error.without_url()) }
        }
    }
}

/// Checks a site URL and takes its trailing slashes away.
pub(crate) fn site(given: &str) -> Result<String, Error> {
    // User name, password and query may hold secrets, so an error shows none of them.
    let bare = given.split(['?', '#']).next().unwrap_or_default();
    let bad = |reason| Error::SiteUrl {
        url: match (bare.rsplit_once('@'), bare.split_once("//")) {
            (Some((_, host)), Some((scheme, _))) => format!("{scheme}//{host}"),
            _ => bare.to_owned(),
        },
        reason,
    };
    let url = Url::parse(given).map_err(|_| {
        bad(if given.is_empty() { "the context has no mattermost_site_url" } else { "not an absolute URL" })
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("only http and https are spoken"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("a user name or password in the URL is not used"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(bad("a query or fragment makes no sense here"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Decodes the first JSON value of an answer, as liberally as drivers do; empty is `EOF`. The error's text
/// never quotes the answer, which may be a token.
pub(crate) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    json::from_slice_stream(body).map_err(|error| Error::Decode(error.to_string()))
}

/// The Apps API explains itself in plain text, REST v4 in JSON with a `message`.
fn error_text(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct RestError {
        message: String,
    }
    match serde_json::from_slice::<RestError>(body) {
        Ok(error) => error.message,
        Err(_) => String::from_utf8_lossy(body).trim().to_owned(),
    }
}

fn redirected(answer: &reqwest::Response) -> Error {
    let to = answer.headers().get(header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
    // The query may hold anything, so it is left out.
    let to = to.split(['?', '#']).next().unwrap_or_default().to_owned();
    Error::Redirected { status: answer.status().as_u16(), to }
}

/// An error and its causes on one line.
pub(crate) fn reasons(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
