//! The reverse proxy before a Mattermost and the service beside it: the framework's path goes to the service, all else to
//! Mattermost (C.1).

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::site::PLUGIN;

/// What only a Mattermost may say to its plugins, and nobody else.
const NOT_FROM_OUTSIDE: [&str; 3] = ["mattermost-user-id", "mattermost-plugin-id", "mattermost-session-id"];
/// What the proxy says itself, whatever a client says.
const SAID_BY_US: [&str; 4] = ["connection", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"];

/// A running proxy. It ends when it is dropped.
pub struct FrontDoor {
    address: SocketAddr,
    subpath: String,
    service: Arc<Mutex<Option<SocketAddr>>>,
    serving: JoinHandle<()>,
}

/// Where things go.
struct Ways {
    mattermost: SocketAddr,
    service: Arc<Mutex<Option<SocketAddr>>>,
    prefix: String,
}

impl FrontDoor {
    /// Opens it before a Mattermost. The service may be told later, as each must know the other's address.
    pub async fn start(mattermost: SocketAddr, service: Option<SocketAddr>) -> Self {
        Self::below("", mattermost, service).await
    }

    /// The same for a site below a path, such as `/chat`.
    pub async fn below(subpath: &str, mattermost: SocketAddr, service: Option<SocketAddr>) -> Self {
        Self::leading(format!("{subpath}{PLUGIN}/"), subpath, mattermost, service).await
    }

    /// One that leads to a service alone, which is yet to be told: a host name of its own.
    pub async fn alone() -> Self {
        Self::leading(String::new(), "", SocketAddr::from(([127, 0, 0, 1], 0)), None).await
    }

    async fn leading(
        prefix: String,
        subpath: &str,
        mattermost: SocketAddr,
        service: Option<SocketAddr>,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = Arc::new(Mutex::new(service));
        let ways = Arc::new(Ways { mattermost, service: Arc::clone(&service), prefix });
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let ways = Arc::clone(&ways);
                // A connection that breaks concerns only the one who broke it.
                tokio::spawn(async move { pass(stream, &ways).await });
            }
        });
        Self { address, subpath: subpath.to_owned(), service, serving }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The site's address, without a slash at its end.
    pub fn url(&self) -> String {
        format!("{}{}", self.origin(), self.subpath)
    }

    /// Scheme and authority of the site.
    pub fn origin(&self) -> String {
        format!("http://localhost:{}", self.address.port())
    }

    /// Where the service listens from now on.
    pub fn set_service(&self, service: SocketAddr) {
        *self.service.lock().unwrap() = Some(service);
    }
}

impl Drop for FrontDoor {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// One request of a connection, and then what comes from either side: a websocket too.
async fn pass(mut client: TcpStream, ways: &Ways) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let target = head.split(' ').nth(1)?;
    let service = *ways.service.lock().unwrap();
    let server = if target.starts_with(&ways.prefix) { service } else { Some(ways.mattermost) };
    let server = match server {
        Some(server) => TcpStream::connect(server).await.ok(),
        None => None,
    };
    let Some(mut server) = server else {
        let nobody = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        client.write_all(nobody).await.ok()?;
        return client.shutdown().await.ok();
    };
    let sent = said_on(&head, client.peer_addr().ok()?.ip().to_string().as_str());
    server.write_all(sent.as_bytes()).await.ok()?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await.ok()?;
    Some(())
}

/// The head of a request as it is passed on.
fn said_on(head: &str, peer: &str) -> String {
    let named = |line: &str, name: &str| {
        line.split_once(':').is_some_and(|(given, _)| given.eq_ignore_ascii_case(name))
    };
    let host = head.lines().find(|line| named(line, "host")).and_then(|line| line.split_once(": "));
    let host = host.map(|(_, host)| host).unwrap_or_default();
    let upgrades = head.lines().any(|line| named(line, "upgrade"));
    let dropped = |line: &str| NOT_FROM_OUTSIDE.iter().chain(&SAID_BY_US).any(|name| named(line, name));
    let kept: Vec<&str> = head.trim_end().split("\r\n").filter(|line| !dropped(line)).collect();
    // One request for each connection: what comes back says that it is the last.
    let connection = if upgrades { "Upgrade" } else { "close" };
    format!(
        "{}\r\nX-Forwarded-For: {peer}\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: {host}\r\n\
         Connection: {connection}\r\n\r\n",
        kept.join("\r\n")
    )
}
