//! What clients are told over a websocket.

use serde_json::{Value, json};
use tessera_testkit::fake_mattermost::Version;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::Scene;

/// The least of a websocket's client: short frames of text.
struct Socket(BufReader<TcpStream>);

impl Socket {
    async fn open(scene: &Scene, header: &str) -> Self {
        let address = scene.mattermost.address();
        let mut stream = BufReader::new(TcpStream::connect(address).await.unwrap());
        let head = format!(
            "GET /api/v4/websocket HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{header}\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.unwrap());
        }
        assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
        Self(stream)
    }

    async fn say(&mut self, value: &Value) {
        let text = value.to_string();
        let length = u8::try_from(text.len()).unwrap();
        assert!(length < 126, "a short frame");
        // A mask of zeros changes nothing.
        self.0.write_all(&[0x81, 0x80 | length, 0, 0, 0, 0]).await.unwrap();
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).await.unwrap();
        assert_eq!(head[0], 0x81, "a text in one frame");
        let length = match head[1] {
            126 => usize::from(self.0.read_u16().await.unwrap()),
            length => usize::from(length),
        };
        let mut text = vec![0; length];
        self.0.read_exact(&mut text).await.unwrap();
        serde_json::from_slice(&text).unwrap()
    }
}

#[tokio::test]
async fn whoever_is_known_is_greeted_and_told_what_concerns_them() {
    let scene = Scene::of(Version::V11_6).await;
    let mut socket = Socket::open(&scene, &format!("Authorization: Bearer {}\r\n", scene.token)).await;
    let hello = socket.hear().await;
    assert_eq!((&hello["event"], &hello["seq"]), (&json!("hello"), &json!(0)));
    assert_eq!(hello["broadcast"]["user_id"], scene.ada.as_str());
    let elsewhere = scene.mattermost.add_channel(&scene.team, "elsewhere", "O");
    scene.mattermost.post(&scene.ada, &elsewhere, "not for members of the other");
    scene.mattermost.post(&scene.ada, &scene.channel, "hi");
    let posted = socket.hear().await;
    assert_eq!((&posted["event"], &posted["seq"]), (&json!("posted"), &json!(1)));
    let post: Value = serde_json::from_str(posted["data"]["post"].as_str().unwrap()).unwrap();
    assert_eq!(post["message"], "hi");
    let alone =
        |user: &str| json!({"user_id": user, "post": {"channel_id": scene.channel, "message": "psst"}});
    scene.post(&scene.root, "/posts/ephemeral", alone("z")).await;
    scene.post(&scene.root, "/posts/ephemeral", alone(&scene.ada)).await;
    let whispered = socket.hear().await;
    assert_eq!((&whispered["event"], &whispered["seq"]), (&json!("ephemeral_message"), &json!(2)));
}

#[tokio::test]
async fn whoever_is_not_known_says_who_they_are_first() {
    let scene = Scene::of(Version::V11_6).await;
    let mut socket = Socket::open(&scene, "").await;
    let challenge = json!({"seq": 1, "action": "authentication_challenge", "data": {"token": scene.token}});
    socket.say(&challenge).await;
    assert_eq!(socket.hear().await["event"], "hello");
    assert_eq!(socket.hear().await, json!({"status": "OK", "seq_reply": 1}));
}
