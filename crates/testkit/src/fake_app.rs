//! An App for tests, over real HTTP on a free port: it records every call byte for byte and answers as told,
//! also in the ways that no decent App would.
//!
//! The server is written by hand over a socket, because the answers worth testing (half a body, no answer at
//! all, a hang) are those that an HTTP library will not give.

use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

/// A request that reached the App.
#[derive(Debug, Clone)]
pub struct Received {
    /// The method.
    pub method: String,
    /// Path and query, as they came.
    pub target: String,
    /// The headers, as they came.
    pub headers: HeaderMap,
    /// The body, byte for byte.
    pub body: Bytes,
}

impl Received {
    /// The path without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The body as text.
    ///
    /// # Panics
    /// When it is not UTF-8.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the call's body is UTF-8")
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the call's body is JSON")
    }

    /// The claims of the call's JWT, checked against the App's secret but not against the clock, as tests have
    /// their own.
    ///
    /// # Panics
    /// When there is no JWT or its signature is wrong.
    pub fn claims(&self, secret: &str) -> serde_json::Value {
        self.check_jwt(secret).expect("the call carries a good JWT")
    }

    fn check_jwt(&self, secret: &str) -> Option<serde_json::Value> {
        let header = self.headers.get("Mattermost-App-Authorization")?.to_str().ok()?;
        let token = header.strip_prefix("Bearer ")?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        let key = DecodingKey::from_secret(secret.as_bytes());
        jsonwebtoken::decode(token, &key, &validation).ok().map(|token| token.claims)
    }
}

/// What the App answers to a call.
#[derive(Debug, Clone)]
pub enum Answer {
    /// 200 with a JSON value.
    Json(serde_json::Value),
    /// Any status, content type and body.
    Raw(StatusCode, &'static str, Bytes),
    /// 307 to a URL.
    Redirect(String),
    /// 200 with a body of so many bytes, all spaces.
    Huge(usize),
    /// 200 that promises more bytes than these, then closes.
    Cut(Bytes),
    /// Closes without a word.
    Close,
    /// Never answers.
    Hang,
    /// The inner answer, once notified.
    Held(Arc<Notify>, Box<Answer>),
}

impl Answer {
    /// The plainest success.
    pub fn ok() -> Self {
        Self::Json(serde_json::json!({"type": "ok"}))
    }

    /// 200 with these bytes as JSON.
    pub fn body(bytes: impl Into<Bytes>) -> Self {
        Self::Raw(StatusCode::OK, "application/json", bytes.into())
    }
}

type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;
type Responder = Arc<dyn Fn(Received) -> Answering + Send + Sync>;

/// The App. It stops when it is dropped.
pub struct FakeApp {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: AbortHandle,
}

struct Shared {
    answers: Mutex<HashMap<String, Responder>>,
    jwt_secret: Mutex<Option<String>>,
    received: watch::Sender<Vec<Received>>,
    awaited: Mutex<HashMap<String, usize>>,
}

impl FakeApp {
    /// An App on a free port of the loopback, which answers every call with `{"type":"ok"}` until told otherwise.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port on the loopback");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            answers: Mutex::default(),
            jwt_secret: Mutex::default(),
            received: watch::Sender::default(),
            awaited: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        let server = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let shared = Arc::clone(&serving);
                // A connection that breaks concerns only the one who broke it.
                tokio::spawn(async move { drop(shared.converse(socket).await) });
            }
        });
        Self { address, shared, server: server.abort_handle() }
    }

    /// The App's root URL, without a slash at the end.
    pub fn root_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A manifest that points here, with every permission and location the tests ask for.
    pub fn manifest(&self, app_id: &str, permissions: &[&str]) -> serde_json::Value {
        serde_json::json!({
            "app_id": app_id,
            "version": "v1.0.0",
            "homepage_url": "https://hello.example.com",
            "display_name": "Hello, OAuth2!",
            "requested_permissions": permissions,
            "requested_locations": ["/command"],
            "http": {"root_url": self.root_url()},
        })
    }

    /// Answers calls to a path like this from now on.
    pub fn answer(&self, path: &str, answer: Answer) {
        self.answer_with(path, move |_| {
            let answer = answer.clone();
            async move { answer }
        });
    }

    /// Answers calls to a path with what a function makes of each.
    pub fn answer_with<F>(&self, path: &str, respond: impl Fn(Received) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let responder: Responder = Arc::new(move |call| Box::pin(respond(call)));
        lock(&self.shared.answers).insert(path.to_owned(), responder);
    }

    /// Leads people who connect to a provider, as an App should.
    pub fn leads_to_a_provider(&self) {
        self.leads_to("https://provider.example/a?state={state}");
    }

    /// Leads people who connect to this URL, the state put in for `{state}`.
    pub fn leads_to(&self, url: &str) {
        let url = url.to_owned();
        self.answer_with("/oauth2/connect", move |call| {
            let state = call.json()["values"]["state"].as_str().unwrap_or_default().to_owned();
            let data = url.replace("{state}", &state);
            async move { Answer::Json(serde_json::json!({"type": "ok", "data": data})) }
        });
    }

    /// Answers 401 from now on to calls without a JWT signed with this secret.
    pub fn require_jwt(&self, secret: &str) {
        *lock(&self.shared.jwt_secret) = Some(secret.to_owned());
    }

    /// Every call so far, in order of arrival.
    pub fn calls(&self) -> Vec<Received> {
        self.shared.received.borrow().clone()
    }

    /// The calls to a path so far, in order of arrival.
    pub fn calls_to(&self, path: &str) -> Vec<Received> {
        self.calls().into_iter().filter(|call| call.path() == path).collect()
    }

    /// Waits for the next call to a path: the first one not yet awaited, also when it came before.
    ///
    /// # Panics
    /// Never: the App outlives its own borrow.
    pub async fn next_call(&self, path: &str) -> Received {
        let nth = {
            let mut awaited = lock(&self.shared.awaited);
            let count = awaited.entry(path.to_owned()).or_default();
            *count += 1;
            *count - 1
        };
        let mut received = self.shared.received.subscribe();
        let find = |calls: &[Received]| calls.iter().filter(|call| call.path() == path).nth(nth).cloned();
        let calls = received.wait_for(|calls| find(calls).is_some()).await.expect("the App is running");
        find(&calls).expect("the call that was waited for")
    }
}

impl Drop for FakeApp {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    async fn converse(&self, socket: TcpStream) -> std::io::Result<()> {
        // Head and body are written apart: without this the body waits for the head to be acknowledged.
        socket.set_nodelay(true)?;
        let mut socket = BufReader::new(socket);
        while let Some(call) = read_request(&mut socket).await? {
            self.received.send_modify(|calls| calls.push(call.clone()));
            let is_last = call.headers.get(http::header::CONNECTION).is_some_and(|value| value == "close");
            let answer = self.respond(call).await;
            if !write_answer(socket.get_mut(), answer).await? || is_last {
                break;
            }
        }
        socket.shutdown().await
    }

    async fn respond(&self, call: Received) -> Answer {
        let secret = lock(&self.jwt_secret).clone();
        if secret.is_some_and(|secret| call.check_jwt(&secret).is_none()) {
            return Answer::Raw(StatusCode::UNAUTHORIZED, "text/plain", "no good JWT".into());
        }
        let responder = lock(&self.answers).get(call.path()).cloned();
        match responder {
            Some(responder) => responder(call).await,
            None => Answer::ok(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One request with a `Content-Length` or without a body; `None` when the other side is done.
async fn read_request(socket: &mut BufReader<TcpStream>) -> std::io::Result<Option<Received>> {
    let bad = |why: &'static str| std::io::Error::new(std::io::ErrorKind::InvalidData, why);
    let mut line = String::new();
    if socket.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Err(bad("request line")) };
    let (method, target) = (method.to_owned(), target.to_owned());
    let mut headers = HeaderMap::new();
    loop {
        line.clear();
        socket.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad("header name"))?;
        headers.append(name, HeaderValue::from_str(value.trim()).map_err(|_| bad("header value"))?);
    }
    let length = headers.get(http::header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let mut body = vec![0; length.and_then(|length| length.parse().ok()).unwrap_or(0)];
    socket.read_exact(&mut body).await?;
    Ok(Some(Received { method, target, headers, body: body.into() }))
}

/// Writes an answer; false when the connection is over.
async fn write_answer(socket: &mut TcpStream, mut answer: Answer) -> std::io::Result<bool> {
    while let Answer::Held(until, then) = answer {
        until.notified().await;
        answer = *then;
    }
    match answer {
        Answer::Json(value) => {
            let body = serde_json::to_vec(&value)?;
            write(socket, StatusCode::OK, "Content-Type: application/json\r\n", body.len(), &body).await?;
        }
        Answer::Raw(status, content_type, body) => {
            let header = format!("Content-Type: {content_type}\r\n");
            write(socket, status, &header, body.len(), &body).await?;
        }
        Answer::Redirect(to) => {
            let header = format!("Location: {to}\r\n");
            write(socket, StatusCode::TEMPORARY_REDIRECT, &header, 0, b"").await?;
        }
        Answer::Huge(size) => {
            write(socket, StatusCode::OK, "Content-Type: application/json\r\n", size, b"").await?;
            let chunk = vec![b' '; 64 << 10];
            let mut left = size;
            while left > 0 {
                let now = left.min(chunk.len());
                socket.write_all(&chunk[..now]).await?;
                left -= now;
            }
        }
        Answer::Cut(body) => {
            let header = "Content-Type: application/json\r\n";
            write(socket, StatusCode::OK, header, body.len() + 1, &body).await?;
            return Ok(false);
        }
        Answer::Close => return Ok(false),
        Answer::Hang | Answer::Held(..) => std::future::pending().await,
    }
    Ok(true)
}

async fn write(
    socket: &mut TcpStream,
    status: StatusCode,
    headers: &str,
    length: usize,
    body: &[u8],
) -> std::io::Result<()> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n");
    socket.write_all(head.as_bytes()).await?;
    socket.write_all(body).await?;
    socket.flush().await
}
