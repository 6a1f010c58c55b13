//! HTTP/1.1 by hand: no library between a test and the bytes that it wants to send or see.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What is sent as a body.
#[derive(Debug, Clone)]
pub enum Sent {
    /// No body, and no header that speaks of one.
    Nothing,
    /// A body with its length.
    Whole(Vec<u8>),
    /// The start of a body that promises ten bytes more; then our side of the connection is closed.
    Cut(Vec<u8>),
    /// So many bytes, written in pieces, with their length.
    Long(usize),
    /// So many bytes in chunks, with no length given.
    Chunked(usize),
    /// The start of a body that promises ten bytes more, and then nothing.
    Stalled(Vec<u8>),
}

/// A request.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The method.
    pub method: &'static str,
    /// Path and query.
    pub target: String,
    /// What is sent beside the headers that every request has; a `Host` among them replaces the usual one.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Sent,
}

impl Ask {
    /// A request without a body.
    pub fn new(method: &'static str, target: impl Into<String>) -> Self {
        Self { method, target: target.into(), headers: Vec::new(), body: Sent::Nothing }
    }

    /// A `GET`.
    pub fn get(target: impl Into<String>) -> Self {
        Self::new("GET", target)
    }

    /// A `POST` of these bytes.
    pub fn post(target: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self::new("POST", target).body(Sent::Whole(body.into()))
    }

    /// The same with another body.
    pub fn body(self, body: Sent) -> Self {
        Self { body, ..self }
    }

    /// The same with one header more.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same with a token.
    pub fn bearer(self, token: &str) -> Self {
        self.with("Authorization", format!("Bearer {token}"))
    }

    fn head(&self, address: SocketAddr) -> String {
        use std::fmt::Write as _;
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            let _ = write!(head, "Host: localhost:{}\r\n", address.port());
        }
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let _ = match &self.body {
            Sent::Nothing => Ok(()),
            Sent::Whole(bytes) => write!(head, "Content-Length: {}\r\n", bytes.len()),
            Sent::Cut(bytes) | Sent::Stalled(bytes) => {
                write!(head, "Content-Length: {}\r\n", bytes.len() + 10)
            }
            Sent::Long(length) => write!(head, "Content-Length: {length}\r\n"),
            Sent::Chunked(_) => write!(head, "Transfer-Encoding: chunked\r\n"),
        };
        head + "Connection: close\r\n\r\n"
    }
}

/// A response, whole.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers in their order.
    pub headers: Vec<(String, String)>,
    /// The body, whole and without its chunks.
    pub body: Vec<u8>,
    /// Whether the server took all that was sent: many clients read no answer before.
    pub took_all: bool,
}

impl Answer {
    /// The first header of this name, in whatever case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, which it must be.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Head and body as one text, for searches.
    pub fn whole(&self) -> String {
        let mut text = format!("{}\n", self.status);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\n"));
        }
        text + "\n" + &self.text()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut answer = Self { status, headers, body: bytes[end + 4..].to_vec(), took_all: false };
        if answer.header("transfer-encoding") == Some("chunked") {
            answer.body = unchunk(&answer.body)?;
        } else if let Some(length) = answer.header("content-length") {
            let length: usize = length.parse().ok()?;
            // Whoever asks with HEAD is told a length and sent nothing.
            (answer.body.is_empty() || answer.body.len() == length).then_some(())?;
        }
        Some(answer)
    }
}

fn unchunk(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let end = bytes.windows(2).position(|window| window == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).ok()?, 16).ok()?;
        bytes = &bytes[end + 2..];
        if size == 0 {
            return Some(whole);
        }
        whole.extend_from_slice(bytes.get(..size)?);
        bytes = bytes.get(size + 2..)?;
    }
}

/// Sends a request and reads the answer; `None` when the server closed without one.
pub async fn try_send(address: SocketAddr, ask: &Ask) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let written = write(&mut stream, address, ask).await;
    let mut bytes = Vec::new();
    // A server that stops reading may still have said why: what came is what counts.
    let read = stream.read_to_end(&mut bytes).await;
    let answer = Answer::parse(&bytes);
    if answer.is_none() && !bytes.is_empty() {
        panic!("half an answer to {} {} ({written:?}, {read:?})", ask.method, ask.target);
    }
    answer.map(|answer| Answer { took_all: written.is_ok(), ..answer })
}

/// Sends a request and reads the answer, whole or not at all: for whoever must live with what others answer.
pub(crate) async fn exchange(address: SocketAddr, ask: &Ask) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(address).await?;
    let written = write(&mut stream, address, ask).await;
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes).await;
    match Answer::parse(&bytes) {
        Some(answer) => Ok(Answer { took_all: written.is_ok(), ..answer }),
        None => {
            written?;
            read?;
            Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "unexpected EOF"))
        }
    }
}

/// Sends a request and reads the answer, which there must be.
pub async fn send(address: SocketAddr, ask: &Ask) -> Answer {
    try_send(address, ask).await.unwrap_or_else(|| {
        let body = format!("{:.60?}", ask.body);
        panic!("no answer to {} {} with {body}", ask.method, ask.target)
    })
}

async fn write(stream: &mut TcpStream, address: SocketAddr, ask: &Ask) -> std::io::Result<()> {
    // Head and body are written apart: without this the body waits for the head to be acknowledged.
    stream.set_nodelay(true)?;
    stream.write_all(ask.head(address).as_bytes()).await?;
    match &ask.body {
        Sent::Nothing => {}
        Sent::Whole(bytes) | Sent::Stalled(bytes) => stream.write_all(bytes).await?,
        Sent::Cut(bytes) => {
            stream.write_all(bytes).await?;
            stream.shutdown().await?;
        }
        Sent::Long(length) => {
            let piece = vec![b' '; 256 << 10];
            let mut left = *length;
            while left > 0 {
                let now = left.min(piece.len());
                stream.write_all(&piece[..now]).await?;
                left -= now;
            }
        }
        Sent::Chunked(length) => {
            let piece = vec![b' '; 64 << 10];
            let mut left = *length;
            while left > 0 {
                let now = left.min(piece.len());
                stream.write_all(format!("{now:x}\r\n").as_bytes()).await?;
                stream.write_all(&piece[..now]).await?;
                stream.write_all(b"\r\n").await?;
                left -= now;
            }
            stream.write_all(b"0\r\n\r\n").await?;
        }
    }
    stream.flush().await
}
