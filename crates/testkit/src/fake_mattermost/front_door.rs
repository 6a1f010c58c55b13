//! The reverse proxy before a Mattermost and the service beside it: the framework's path goes to the service, all else to
//! Mattermost.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::site::PLUGIN;

/// What only a Mattermost may say to its plugins, and nobody else.
const NOT_FROM_OUTSIDE: [&str; 3] = ["mattermost-user-id", "mattermost-plugin-id", "mattermost-session-id"];

/// A running proxy. It ends when it is dropped.
pub struct FrontDoor {
    address: SocketAddr,
    service: Arc<OnceLock<SocketAddr>>,
    serving: JoinHandle<()>,
}

impl FrontDoor {
    /// Opens it before a Mattermost; the service is told later, as each must know the other's address.
    pub async fn open(mattermost: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = Arc::new(OnceLock::new());
        let known = Arc::clone(&service);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass(stream, mattermost, known.get().copied()));
            }
        });
        Self { address, service, serving }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The site's address.
    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.address.port())
    }

    /// Where the service listens. Once.
    pub fn lead_to(&self, service: SocketAddr) {
        self.service.set(service).unwrap();
    }
}

impl Drop for FrontDoor {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// One request of a connection: what comes back says that it is the last.
async fn pass(mut client: TcpStream, mattermost: SocketAddr, service: Option<SocketAddr>) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let target = head.split(' ').nth(1)?;
    let ours = target.starts_with(&format!("{PLUGIN}/"));
    let mut lines: Vec<&str> = head.trim_end().split("\r\n").collect();
    lines.retain(|line| {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        !NOT_FROM_OUTSIDE.contains(&name.as_str()) && name != "connection"
    });
    let peer = client.peer_addr().ok()?.ip();
    let sent = format!(
        "{}\r\nX-Forwarded-For: {peer}\r\nX-Forwarded-Proto: http\r\nConnection: close\r\n\r\n",
        lines.join("\r\n")
    );
    let mut server = TcpStream::connect(if ours { service? } else { mattermost }).await.ok()?;
    server.write_all(sent.as_bytes()).await.ok()?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await.ok()?;
    Some(())
}
