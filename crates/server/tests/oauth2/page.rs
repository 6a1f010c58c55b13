//! The HTTP requests of the documentation page, as it prints them.

use tessera_testkit::site::Site;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::stage::{Stage, With};

const STORE_APP: &str = r#"POST /plugins/com.mattermost.apps/api/v1/oauth2/app HTTP/1.1
Authorization: Bearer xxxxxxxxxxxx
Content-Type: application/json
{
"client_id": "xxxxxxxxxxxx",
"client_secret": "xxxxxxxxxxxx"
}"#;

const STORE_USER: &str = r#"POST /plugins/com.mattermost.apps/api/v1/oauth2/user HTTP/1.1
Authorization: Bearer xxxxxxxxxxxx
Content-Type: application/json
{
"token": "xxxxxxxxxxxx"
}"#;

const GET_USER: &str = r#"GET /plugins/com.mattermost.apps/api/v1/oauth2/user HTTP/1.1
Authorization: Bearer xxxxxxxxxxxx
Accept: application/json"#;

const RECORD: &str = "{\n\"token\": \"xxxxxxxxxxxx\"\n}";

/// Puts on the wire what the page prints: the token in its place, then the two headers without which HTTP/1.1 is
/// none (the host, and how long a body is), and not a byte more. Gives status and body.
async fn send(site: Site, printed: &str, token: &str) -> (u16, String) {
    let (head, body) = match printed.split_once("\n{") {
        Some((head, body)) => (head, format!("{{{body}")),
        None => (printed, String::new()),
    };
    let mut request = head.replace("Bearer xxxxxxxxxxxx", &format!("Bearer {token}")).replace('\n', "\r\n");
    request.push_str(&format!("\r\nHost: localhost:{}\r\n", site.address.port()));
    if !body.is_empty() {
        request.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    request.push_str("\r\n");
    request.push_str(&body);
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    read(&mut stream).await
}

async fn read(stream: &mut TcpStream) -> (u16, String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    (head[9..12].parse().unwrap(), String::from_utf8(body).unwrap())
}

async fn all_three(stage: &Stage, token: &str) {
    let done = (200, String::new());
    assert_eq!(send(stage.site, STORE_APP, token).await, done);
    assert_eq!(send(stage.site, STORE_USER, token).await, done);
    assert_eq!(send(stage.site, GET_USER, token).await, (200, RECORD.to_owned()));
    let heard = stage.site.context(&stage.user, &stage.fake, crate::stage::APP).await;
    assert_eq!(heard["oauth2"]["client_id"], "xxxxxxxxxxxx");
    assert_eq!(heard["oauth2"]["client_secret"], "xxxxxxxxxxxx");
}

#[tokio::test]
async fn the_pages_requests_work_as_printed_with_the_bots_token() {
    let stage = Stage::set().await;
    let bot = stage.token(&stage.user, With::Bot).await;
    all_three(&stage, &bot).await;
}

#[tokio::test]
async fn the_pages_requests_work_as_printed_with_the_acting_users_token() {
    let stage = Stage::set().await;
    let admin = stage.token(&stage.admin, With::ActingUser).await;
    all_three(&stage, &admin).await;
    // A user has a record of their own; the client id and secret are an administrator's matter.
    let user = stage.token(&stage.user, With::ActingUser).await;
    assert_eq!(send(stage.site, GET_USER, &user).await, (200, String::new()));
    assert_eq!(send(stage.site, STORE_USER, &user).await, (200, String::new()));
    assert_eq!(send(stage.site, GET_USER, &user).await, (200, RECORD.to_owned()));
    assert_eq!(send(stage.site, STORE_APP, &user).await.0, 401);
}
