//! Many readers of one grant whose token is about to end: one request goes to the provider, and all wait for it.

use tokio::time::Instant;

use super::load::{Kind, Measured, Run};
use super::provider::DELAY;
use crate::Outcome;

/// One herd: what its readers waited, beside what as many take with a bare handler.
#[derive(serde::Serialize)]
pub(super) struct Herd {
    pub(super) readers: usize,
    /// What the provider takes for one token, as the server's own address sees it, in milliseconds.
    pub(super) provider_ms: f64,
    /// Requests that reached the provider: 1, or the bench fails.
    pub(super) token_requests: u64,
    pub(super) server: Measured,
    pub(super) bare: Measured,
}

impl Herd {
    /// Lets so many readers loose on the round's user.
    pub(super) fn run(run: &Run<'_>, readers: usize, ports: Ports, round: usize) -> Outcome<Self> {
        let provider_ms = ports.provider_ms()?;
        let before = ports.given()?;
        let server = run.start(Kind::Herd, readers, ports.service, round)?;
        let token_requests = ports.given()? - before;
        if token_requests != 1 {
            return Err(format!(
                "{readers} readers of one grant made {token_requests} token requests, not 1"
            ));
        }
        let bare = run.start(Kind::HerdBare, readers, ports.bare, round)?;
        Ok(Self { readers, provider_ms, token_requests, server, bare })
    }

    /// What the slowest one in a hundred waited beyond the provider, in milliseconds.
    pub(super) fn beyond_ms(&self) -> f64 {
        self.server.p99_ms - self.provider_ms
    }

    /// The same in terms of what the bare handler takes for as many.
    pub(super) fn beyond_vs_bare(&self) -> f64 {
        self.beyond_ms() / self.bare.p99_ms
    }
}

impl std::fmt::Display for Herd {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            out,
            "{} readers: p99 {:.1} ms, {:.1} ms beyond the provider's {:.1} ms; bare p99 {:.1} ms",
            self.readers,
            self.server.p99_ms,
            self.beyond_ms(),
            self.provider_ms,
            self.bare.p99_ms
        )
    }
}

/// Where everybody listens.
#[derive(Clone, Copy)]
pub(super) struct Ports {
    pub(super) service: u16,
    pub(super) bare: u16,
    pub(super) provider: u16,
}

impl Ports {
    fn provider_ms(self) -> Outcome<f64> {
        let start = Instant::now();
        self.ask("POST /slow/token HTTP/1.0\r\nContent-Length: 0\r\n\r\n")?;
        let took = start.elapsed();
        if took < DELAY {
            return Err("the provider answered before it could".into());
        }
        Ok(took.as_secs_f64() * 1e3)
    }

    fn given(self) -> Outcome<u64> {
        let answer = self.ask("GET /given HTTP/1.0\r\n\r\n")?;
        let number = answer.rsplit("\r\n").next().unwrap_or_default();
        number.trim().parse().map_err(|_| format!("the provider told no number: {answer}"))
    }

    fn ask(self, request: &str) -> Outcome<String> {
        use std::io::{Read as _, Write as _};
        let broken = |error: std::io::Error| format!("the provider: {error}");
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.provider)).map_err(broken)?;
        stream.write_all(request.as_bytes()).map_err(broken)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(broken)?;
        Ok(answer)
    }
}
