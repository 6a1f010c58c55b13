//! The load generator: one task and one kept-alive connection each, requests built beforehand, every response checked.

use std::{
    fs::OpenOptions,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use clap::{Args, ValueEnum};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::{net::TcpStream, time::Instant};

use crate::{Outcome, process};

/// The route of a user's stored record.
pub(super) const ROUTE: &str = "/plugins/com.mattermost.apps/api/v1/oauth2/user";

/// A seeded user: the App token that acts for them, and what is stored for them.
#[derive(Serialize, Deserialize, Clone)]
pub(super) struct User {
    pub(super) token: String,
    pub(super) body: String,
}

/// What a run does.
#[derive(Clone, Copy, ValueEnum, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Reads a random user's record from the server.
    Read,
    /// The same requests to the bare handler, which sends the first user's record to all.
    ReadBare,
    /// Writes a new record for one user after the other; no two connections share a user.
    Write,
    /// Asks for each user's token once, with more life than it has: each is refreshed.
    Refresh,
    /// One user's token, with more life than it has, by all connections at once. The user is the round's.
    Herd,
    /// The same requests to the bare handler.
    HerdBare,
}

/// More life, in seconds, than what was seeded has left by now, and less than what a refresh brings.
const MORE_LIFE: u32 = 3590;

/// One run, as its process is told.
#[derive(Args)]
pub(crate) struct Options {
    #[arg(long)]
    kind: Kind,
    #[arg(long)]
    port: u16,
    #[arg(long)]
    connections: usize,
    #[arg(long)]
    milliseconds: u64,
    #[arg(long)]
    users: PathBuf,
    /// Which users come in which order, and what is written.
    #[arg(long)]
    round: u64,
}

/// What a run measured; the only line its process prints.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub(super) struct Measured {
    pub(super) requests: usize,
    pub(super) per_second: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) max_ms: f64,
}

/// What the runs of one benchmark share.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) users: &'a Path,
    pub(super) seconds: u64,
}

impl Run<'_> {
    /// The first of the users, and no others.
    pub(super) fn first_users(&self, many: usize) -> Outcome<Vec<User>> {
        let broken = |error: &dyn std::fmt::Display| format!("{}: {error}", self.users.display());
        let text = std::fs::read(self.users).map_err(|error| broken(&error))?;
        let mut users: Vec<User> = serde_json::from_slice(&text).map_err(|error| broken(&error))?;
        users.truncate(many);
        Ok(users)
    }

    /// Runs the load in a process of its own and reads what it measured.
    pub(super) fn start(&self, kind: Kind, connections: usize, port: u16, round: usize) -> Outcome<Measured> {
        let this = std::env::current_exe().map_err(|error| format!("cannot name this program: {error}"))?;
        let kind = kind.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let mut command = Command::new(this);
        command.args(["bench-load", "--kind", &kind, "--port", &port.to_string()]);
        command.args([
            "--connections",
            &connections.to_string(),
            "--milliseconds",
            &(self.seconds * 1000).to_string(),
        ]);
        command.args(["--round", &round.to_string(), "--users"]).arg(self.users);
        let text = process::output(&mut command)?;
        serde_json::from_str(&text)
            .map_err(|error| format!("`{}` printed {text:?}: {error}", process::shown(&command)))
    }
}

/// Writes the users for the runs; tokens are in it, so only we may read it.
pub(super) fn write_users(file: &Path, users: &[User]) -> Outcome<()> {
    let text = serde_json::to_vec(users).map_err(|error| format!("cannot write the users: {error}"))?;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut open| open.write_all(&text))
        .map_err(|error| format!("cannot write {}: {error}", file.display()))
}

/// The load process: prints what it measured as one line of JSON.
pub(crate) fn run(options: &Options) -> Outcome<bool> {
    let text =
        std::fs::read(&options.users).map_err(|error| format!("{}: {error}", options.users.display()))?;
    let users: Vec<User> =
        serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", options.users.display()))?;
    let herd = matches!(options.kind, Kind::Herd | Kind::HerdBare);
    if !herd && users.len() < options.connections {
        return Err(format!("{} users are too few for {} connections", users.len(), options.connections));
    }
    // One thread: the load leaves the other core to what it measures, and threads of its own would steal from each
    // other and from that.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start a runtime: {error}"))?;
    let measured = runtime.block_on(load(options, users))?;
    println!("{}", serde_json::to_string(&measured).map_err(|error| error.to_string())?);
    Ok(true)
}

async fn load(options: &Options, users: Vec<User>) -> Outcome<Measured> {
    let plan = Arc::new(Plan::new(options, users)?);
    let mut clients = Vec::new();
    for place in 0..options.connections {
        clients.push(Client::connect(Arc::clone(&plan), options, place).await?);
    }
    let time = Duration::from_millis(options.milliseconds);
    if matches!(options.kind, Kind::Herd | Kind::HerdBare) {
        // Every connection has spoken before, so that what is measured is the waiting alone.
        for client in &mut clients {
            client.greet(options.port).await?;
        }
    }
    let start = Instant::now();
    let tasks: Vec<_> = clients.into_iter().map(|client| tokio::spawn(client.work(start + time))).collect();
    let mut latencies = Vec::new();
    let mut done = Vec::new();
    for task in tasks {
        let client = task.await.map_err(|error| format!("a connection's task failed: {error}"))??;
        latencies.extend_from_slice(&client.latencies);
        done.push(client);
    }
    let took = start.elapsed();
    for client in done {
        client.read_back().await?;
    }
    measure(latencies, took)
}

fn measure(mut latencies: Vec<u32>, took: Duration) -> Outcome<Measured> {
    latencies.sort_unstable();
    let at = |share: f64| {
        // The smallest latency that at least this share of the requests did not exceed.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank within the list")]
        let rank = (share * latencies.len() as f64).ceil() as usize;
        latencies.get(rank.max(1) - 1).map(|micros| f64::from(*micros) / 1e3)
    };
    let (Some(p50_ms), Some(p99_ms), Some(max_ms)) = (at(0.5), at(0.99), at(1.0)) else {
        return Err("no request was answered".into());
    };
    let requests = latencies.len();
    Ok(Measured { requests, per_second: requests as f64 / took.as_secs_f64(), p50_ms, p99_ms, max_ms })
}

/// The requests, built once and cloned.
struct Plan {
    kind: Kind,
    requests: Vec<Request<Full<Bytes>>>,
    /// What the answer to each request must be.
    answers: Vec<Bytes>,
    /// For writes: reads back what the request of the same place wrote.
    checks: Vec<(Request<Full<Bytes>>, Bytes)>,
}

impl Plan {
    fn new(options: &Options, users: Vec<User>) -> Outcome<Self> {
        let mut plan = Self { kind: options.kind, requests: vec![], answers: vec![], checks: vec![] };
        let host = format!("localhost:{}", options.port);
        let first = Bytes::from(users.first().map(|user| user.body.clone()).unwrap_or_default());
        for (place, user) in users.into_iter().enumerate() {
            let more = matches!(options.kind, Kind::Refresh | Kind::Herd | Kind::HerdBare);
            let uri = if more { format!("{ROUTE}?min_ttl={MORE_LIFE}") } else { ROUTE.to_owned() };
            let request = |method: Method, body: Bytes| {
                Request::builder()
                    .method(method)
                    .uri(&uri)
                    .header("host", &host)
                    .header("authorization", format!("Bearer {}", user.token))
                    .body(Full::new(body))
                    .map_err(|error| format!("cannot build a request: {error}"))
            };
            match options.kind {
                Kind::Refresh | Kind::Herd => {
                    plan.push(request(Method::GET, Bytes::new())?, user.body.into())
                }
                Kind::HerdBare => plan.push(request(Method::GET, Bytes::new())?, first.clone()),
                Kind::Read => plan.push(request(Method::GET, Bytes::new())?, user.body.into()),
                Kind::ReadBare => plan.push(request(Method::GET, Bytes::new())?, first.clone()),
                Kind::Write => {
                    let record = Bytes::from(new_record(options.round, place));
                    plan.push(request(Method::POST, record.clone())?, Bytes::new());
                    plan.checks.push((request(Method::GET, Bytes::new())?, record));
                }
            }
        }
        Ok(plan)
    }

    fn push(&mut self, request: Request<Full<Bytes>>, answer: Bytes) {
        self.requests.push(request);
        self.answers.push(answer);
    }
}

/// 200 bytes of JSON that no other round or user writes, so that no write can be recognised as a repetition.
fn new_record(round: u64, user: usize) -> String {
    let head = format!(r#"{{"round":{round},"user":{user},"access_token":""#);
    let padding = 200 - head.len() - 2;
    format!("{head}{}\"}}", "t".repeat(padding))
}

/// One connection.
struct Client {
    plan: Arc<Plan>,
    sender: SendRequest<Full<Bytes>>,
    place: usize,
    connections: usize,
    chance: u64,
    round: usize,
    /// In microseconds.
    latencies: Vec<u32>,
    last: Option<usize>,
}

impl Client {
    async fn connect(plan: Arc<Plan>, options: &Options, place: usize) -> Outcome<Self> {
        let stream = TcpStream::connect(("127.0.0.1", options.port))
            .await
            .map_err(|error| format!("cannot connect to port {}: {error}", options.port))?;
        stream.set_nodelay(true).map_err(|error| format!("cannot set a socket's option: {error}"))?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| format!("cannot speak HTTP: {error}"))?;
        tokio::spawn(connection);
        // Different for each connection and round, never zero; the same in each benchmark.
        let chance = (options.round << 32) ^ (place as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let connections = options.connections;
        let round = usize::try_from(options.round).unwrap_or_default();
        Ok(Self {
            plan,
            sender,
            place,
            connections,
            chance: chance | 1,
            round,
            latencies: vec![],
            last: None,
        })
    }

    /// A request that costs nothing, whatever it is answered.
    async fn greet(&mut self, port: u16) -> Outcome<()> {
        let request = Request::builder()
            .uri(ROUTE)
            .header("host", format!("localhost:{port}"))
            .body(Full::new(Bytes::new()))
            .map_err(|error| format!("cannot build a request: {error}"))?;
        send(&mut self.sender, request).await.map(|_| ())
    }

    /// Sends one request after the other until the end.
    async fn work(mut self, end: Instant) -> Outcome<Self> {
        loop {
            let start = Instant::now();
            if start >= end {
                return Ok(self);
            }
            let Some(user) = self.next_user() else { return Ok(self) };
            let (status, body) = send(&mut self.sender, self.plan.requests[user].clone()).await?;
            self.latencies.push(u32::try_from(start.elapsed().as_micros()).unwrap_or(u32::MAX));
            let answer = &self.plan.answers[user];
            let fresh = matches!(self.plan.kind, Kind::Refresh | Kind::Herd);
            if fresh && body == answer {
                return Err(format!("user {user}: the token was not refreshed"));
            }
            // The bare handler has one body for all.
            let exact = self.last.is_none() && !fresh && self.plan.kind != Kind::HerdBare;
            if status != StatusCode::OK || body.len() != answer.len() || (exact && body != answer) {
                return Err(format!(
                    "user {user}: {status} with {} bytes where 200 with {} was expected: {}",
                    body.len(),
                    answer.len(),
                    String::from_utf8_lossy(&body[..body.len().min(200)])
                ));
            }
            self.last = Some(user);
        }
    }

    /// Reads: any user. Writes: the next of one's own; none when all are written, as a record counts once.
    fn next_user(&mut self) -> Option<usize> {
        let count = self.plan.requests.len();
        if matches!(self.plan.kind, Kind::Herd | Kind::HerdBare) {
            return self.last.is_none().then_some(self.round % count);
        }
        if matches!(self.plan.kind, Kind::Write | Kind::Refresh) {
            let next = self.last.map_or(self.place, |last| last + self.connections);
            return (next < count).then_some(next);
        }
        // Xorshift: good enough to visit users in no order.
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        #[expect(clippy::cast_possible_truncation, reason = "a place within the list")]
        Some((self.chance % count as u64) as usize)
    }

    /// After writes: what was acknowledged last on this connection is there, byte for byte.
    async fn read_back(mut self) -> Outcome<()> {
        let Some((request, record)) = self.last.and_then(|user| self.plan.checks.get(user)) else {
            return Ok(());
        };
        let (status, body) = send(&mut self.sender, request.clone()).await?;
        if status == StatusCode::OK && body == record {
            Ok(())
        } else {
            Err(format!("an acknowledged write reads back as {status} with {} bytes", body.len()))
        }
    }
}

async fn send(
    sender: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Outcome<(StatusCode, Bytes)> {
    let broken = |error: hyper::Error| format!("a connection failed: {error}");
    sender.ready().await.map_err(broken)?;
    let response = sender.send_request(request).await.map_err(broken)?;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(broken)?.to_bytes();
    Ok((status, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_ranks() {
        let measured = measure((1..=1000).rev().collect(), Duration::from_secs(2)).unwrap();
        assert_eq!(measured.requests, 1000);
        assert!((measured.per_second - 500.0).abs() < 1e-9);
        assert!((measured.p50_ms - 0.5).abs() < 1e-9);
        assert!((measured.p99_ms - 0.99).abs() < 1e-9);
        assert!((measured.max_ms - 1.0).abs() < 1e-9);
        assert!(measure(vec![], Duration::from_secs(1)).is_err());
    }

    #[test]
    fn written_records_are_json_of_one_size_and_differ() {
        let records = [new_record(0, 0), new_record(0, 1), new_record(1, 0), new_record(4, 9999)];
        for record in &records {
            assert_eq!(record.len(), 200);
            assert!(serde_json::from_str::<serde_json::Value>(record).unwrap()["access_token"].is_string());
        }
        assert_eq!(records.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
    }

    /// A small service with the two routes: keeps what each token stored; `spoil` makes its reads one byte off.
    async fn service(users: &[User], spoil: bool) -> u16 {
        use axum::{Router, http::HeaderMap, routing::get};
        let stored =
            users.iter().map(|user| (format!("Bearer {}", user.token), Bytes::from(user.body.clone())));
        let stored = Arc::new(std::sync::Mutex::new(stored.collect::<std::collections::BTreeMap<_, _>>()));
        let token = |headers: &HeaderMap| headers["authorization"].to_str().unwrap().to_owned();
        let reads = Arc::clone(&stored);
        let read = async move |headers: HeaderMap| {
            let mut body = reads.lock().unwrap()[&token(&headers)].to_vec();
            body[0] ^= u8::from(spoil);
            body
        };
        let write = async move |headers: HeaderMap, body: Bytes| {
            stored.lock().unwrap().insert(token(&headers), body);
        };
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new().route(ROUTE, get(read).post(write));
        tokio::spawn(async move { axum::serve(listener, router).await });
        port
    }

    fn users() -> Vec<User> {
        (0..40)
            .map(|place| User { token: format!("token-{place}"), body: format!("[{}]", 1000 + place) })
            .collect()
    }

    async fn run_against(port: u16, kind: Kind) -> Outcome<Measured> {
        let options =
            Options { kind, port, connections: 4, milliseconds: 100, users: PathBuf::new(), round: 3 };
        load(&options, users()).await
    }

    #[tokio::test]
    async fn reads_and_writes_are_counted_and_checked() {
        let port = service(&users(), false).await;
        let read = run_against(port, Kind::Read).await.unwrap();
        assert!(read.requests > 4 && read.per_second > 0.0 && read.p50_ms <= read.p99_ms, "{read:?}");
        let write = run_against(port, Kind::Write).await.unwrap();
        assert_eq!(write.requests, 40, "each user is written once");
        assert!(run_against(port, Kind::Read).await.is_err(), "the records have changed");
    }

    #[tokio::test]
    async fn a_wrong_byte_is_caught() {
        let port = service(&users(), true).await;
        let error = run_against(port, Kind::Read).await.unwrap_err();
        assert!(error.contains("200 OK with 6 bytes where 200 with 6 was expected"), "{error}");
        let error = run_against(port, Kind::Write).await.unwrap_err();
        assert!(error.contains("an acknowledged write reads back as"), "{error}");
    }
}
