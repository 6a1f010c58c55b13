//! A client's live connection: the side of RFC 6455 that listens, written out.

use serde_json::Value;
use tessera_testkit::site::{Person, Site};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) struct Socket(TcpStream);

impl Socket {
    /// Connects as this person, and hears everything from here on.
    pub(crate) async fn open(site: Site, person: &Person) -> Self {
        let address = site.address;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET /api/v4/websocket HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Authorization: Bearer {}\r\n\r\n",
            person.token
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        let mut socket = Self(stream);
        // The greeting comes once the server listens on our behalf.
        assert_eq!(socket.next().await["event"], "hello");
        socket
    }

    /// The next event.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            let first = self.0.read_u8().await.unwrap();
            let length = match self.0.read_u8().await.unwrap() {
                126 => usize::from(self.0.read_u16().await.unwrap()),
                length => usize::from(length),
            };
            let mut payload = vec![0; length];
            self.0.read_exact(&mut payload).await.unwrap();
            match first & 15 {
                1 => return serde_json::from_slice(&payload).unwrap(),
                8 => panic!("the server closed"),
                _ => {}
            }
        }
    }
}
