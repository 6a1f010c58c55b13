//! Live events over a real socket. The client's side of RFC 6455 is written out here: a handful of frames.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

struct Socket(TcpStream);

enum Frame {
    Json(Value),
    Closed,
}

impl Socket {
    /// Shakes hands; Err has the status when the server does not want to.
    async fn open(fixture: &Fixture, headers: &str) -> Result<Self, u16> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = router(Arc::clone(&fixture.site));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET /api/v4/websocket HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let status: u16 = String::from_utf8_lossy(&head[9..12]).parse().unwrap();
        if status == 101 { Ok(Self(stream)) } else { Err(status) }
    }

    async fn send(&mut self, message: Value) {
        let text = message.to_string();
        assert!(text.len() < 126);
        // A mask of zeroes leaves the text as it is.
        let mut frame = vec![0x81, 0x80 | text.len() as u8, 0, 0, 0, 0];
        frame.extend_from_slice(text.as_bytes());
        self.0.write_all(&frame).await.unwrap();
    }

    async fn next(&mut self) -> Frame {
        loop {
            let Ok(first) = self.0.read_u8().await else { return Frame::Closed };
            let length = match self.0.read_u8().await.unwrap() {
                126 => usize::from(self.0.read_u16().await.unwrap()),
                length => usize::from(length),
            };
            let mut payload = vec![0; length];
            self.0.read_exact(&mut payload).await.unwrap();
            match first & 15 {
                1 => return Frame::Json(serde_json::from_slice(&payload).unwrap()),
                8 => return Frame::Closed,
                _ => {}
            }
        }
    }

    async fn json(&mut self) -> Value {
        match self.next().await {
            Frame::Json(value) => value,
            Frame::Closed => panic!("closed"),
        }
    }

    async fn is_closed(&mut self) -> bool {
        matches!(self.next().await, Frame::Closed)
    }
}

#[tokio::test]
async fn a_client_with_a_token_is_greeted_and_hears_what_concerns_it() {
    let fixture = Fixture::new().await;
    let (user, other) = (fixture.user("user-1").await.id, fixture.user("user-2").await.id);
    let token = fixture.sign_in("user-1").await;
    let header = format!("Cookie: MMAUTHTOKEN={}\r\nOrigin: http://localhost:8065\r\n", token.expose());
    let mut socket = Socket::open(&fixture, &header).await.ok().unwrap();
    let hello = socket.json().await;
    assert_eq!((&hello["event"], &hello["seq"]), (&json!("hello"), &json!(0)));
    assert!(hello["data"]["connection_id"].is_string() && hello["data"]["server_version"].is_string());
    socket.send(json!({"action": "ping", "seq": 7})).await;
    let pong = socket.json().await;
    assert_eq!((&pong["seq_reply"], &pong["data"]["text"]), (&json!(7), &json!("pong")));
    socket.send(json!({"action": "dance", "seq": 8})).await;
    assert_eq!(socket.json().await["status"], "FAIL");

    fixture.site.publish(Event { name: REFRESH_BINDINGS, audience: Audience::User(other) });
    fixture.site.publish(Event { name: REFRESH_BINDINGS, audience: Audience::User(user.clone()) });
    fixture.site.publish(Event { name: REFRESH_BINDINGS, audience: Audience::Everyone });
    let event = socket.json().await;
    assert_eq!(
        (&event["event"], &event["data"], &event["seq"]),
        (&json!(REFRESH_BINDINGS), &json!({}), &json!(1))
    );
    assert_eq!(event["broadcast"]["user_id"], json!(user));
    assert_eq!(socket.json().await["broadcast"]["user_id"], json!(""));

    let client = Client::of(&fixture, "user-1").await;
    let team = client.ok("teams/name/tessera").await["id"].as_str().unwrap().to_owned();
    let channel = client.ok(&format!("teams/{team}/channels/name/town-square")).await["id"].clone();
    client.json("POST", "posts", json!({"channel_id": channel, "message": "hi"})).await;
    let posted = socket.json().await;
    assert_eq!((&posted["event"], &posted["broadcast"]["channel_id"]), (&json!("posted"), &channel));
    let post: Value = serde_json::from_str(posted["data"]["post"].as_str().unwrap()).unwrap();
    assert_eq!(post["message"], "hi");
}

#[tokio::test]
async fn a_client_without_a_token_answers_the_challenge() {
    let fixture = Fixture::new().await;
    let token = fixture.sign_in("user-1").await;
    let mut socket = Socket::open(&fixture, "").await.ok().unwrap();
    let challenge =
        |token: &str| json!({"action": "authentication_challenge", "seq": 1, "data": {"token": token}});
    socket.send(challenge(token.expose())).await;
    assert_eq!(socket.json().await, json!({"status": "OK", "seq_reply": 1}));
    assert_eq!(socket.json().await["event"], "hello");

    let mut wrong = Socket::open(&fixture, "").await.ok().unwrap();
    wrong.send(challenge("aaaaaaaaaaaaaaaaaaaaaaaaaa")).await;
    assert!(wrong.is_closed().await);
}

#[tokio::test]
async fn a_live_connection_ends_with_its_session() {
    let fixture = Fixture::new().await;
    let token = fixture.sign_in("user-1").await;
    let header = format!("Authorization: Bearer {}\r\n", token.expose());
    let mut first = Socket::open(&fixture, &header).await.ok().unwrap();
    let other = fixture.sign_in("user-2").await;
    let header = format!("Authorization: Bearer {}\r\n", other.expose());
    let mut second = Socket::open(&fixture, &header).await.ok().unwrap();
    assert_eq!(first.json().await["event"], "hello");
    assert_eq!(second.json().await["event"], "hello");
    fixture.site.sign_out(&token).await.unwrap();
    assert!(first.is_closed().await);
    fixture.site.publish(Event { name: REFRESH_BINDINGS, audience: Audience::Everyone });
    assert_eq!(second.json().await["event"], REFRESH_BINDINGS);
    fixture.site.set_user_active(&fixture.user("user-2").await.id, false).await.unwrap();
    assert!(second.is_closed().await);
}

#[tokio::test]
async fn another_sites_page_may_not_listen_with_the_readers_cookie() {
    let fixture = Fixture::new().await;
    let token = fixture.sign_in("user-1").await;
    for origin in ["https://evil.example", "null"] {
        let header = format!("Cookie: MMAUTHTOKEN={}\r\nOrigin: {origin}\r\n", token.expose());
        assert_eq!(Socket::open(&fixture, &header).await.err(), Some(403), "{origin}");
    }
}
