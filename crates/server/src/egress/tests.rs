use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderMap, Method, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use url::Url;

use super::rules::{Lane, Sort};
use super::{Allowed, Audience, BuildError, Egress, Error, Lookup, Reason, Reply, Request, Rules};

fn development() -> Rules {
    Rules { allow_loopback: true, ..Rules::default() }
}

fn listing(entries: &[&str]) -> Rules {
    Rules { allow_private: entries.iter().map(|entry| entry.parse().unwrap()).collect(), ..Rules::default() }
}

fn request(url: &str) -> Request {
    Request {
        method: Method::POST,
        url: Url::parse(url).unwrap(),
        headers: HeaderMap::new(),
        body: Some("{}".into()),
        total: Duration::from_secs(20),
        cap_bytes: 1_000,
        audience: Audience::App,
    }
}

async fn send(rules: Rules, url: &str) -> Result<Reply, Error> {
    Egress::new(rules).unwrap().send(request(url)).await
}

/// A server that gives every connection the same bytes once it has seen a request's head, then hangs up.
async fn raw(reply: impl Into<Vec<u8>>) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::new(AtomicUsize::new(0));
    let (counted, reply) = (Arc::clone(&connections), reply.into());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut seen = Vec::new();
            while !seen.windows(4).any(|window| window == b"\r\n\r\n") {
                let mut buffer = [0; 1_024];
                match socket.read(&mut buffer).await {
                    Ok(0) | Err(_) => break,
                    Ok(n) => seen.extend_from_slice(&buffer[..n]),
                }
            }
            let _ = socket.write_all(&reply).await;
            let _ = socket.shutdown().await;
        }
    });
    (port, connections)
}

/// Names that mean what a test says, a fresh meaning at each look-up: the last one stays.
struct Names(std::sync::Mutex<Vec<Vec<IpAddr>>>);

#[async_trait]
impl Lookup for Names {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let mut meanings = self.0.lock().unwrap();
        Ok(if meanings.len() > 1 { meanings.remove(0) } else { meanings[0].clone() })
    }
}

fn meaning(meanings: &[&[&str]]) -> Arc<Names> {
    let parse = |ips: &&[&str]| ips.iter().map(|ip| ip.parse().unwrap()).collect();
    Arc::new(Names(std::sync::Mutex::new(meanings.iter().map(parse).collect())))
}

#[test]
fn os_22_addresses_are_sorted_by_how_dangerous_they_are() {
    let table = [
        (Sort::Public, "93.184.215.14 1.1.1.1 172.15.0.1 172.32.0.1 100.63.0.1 100.128.0.1 2606:4700::1111"),
        (Sort::Loopback, "127.0.0.1 127.255.0.9 ::1 ::ffff:127.0.0.1 ::127.0.0.1 64:ff9b::127.0.0.1"),
        (Sort::Inside, "10.0.0.1 172.16.0.1 172.31.255.255 192.168.7.7 100.64.0.1 100.127.0.1 198.18.0.1"),
        (Sort::Inside, "fc00::1 fdff::1 ::ffff:10.0.0.1 64:ff9b::10.0.0.1"),
        (Sort::Never, "169.254.169.254 0.0.0.0 0.1.2.3 224.0.0.1 240.0.0.1 255.255.255.255 192.0.0.192"),
        (Sort::Never, "192.0.2.1 198.51.100.1 203.0.113.1 ::ffff:169.254.169.254 64:ff9b::169.254.169.254"),
        (Sort::Never, ":: fe80::1 fec0::1 ff02::1 2001::1 2001:db8::1 2002:7f00:1::1 64:ff9b:1::1 100::1"),
    ];
    for (sort, ips) in table {
        for ip in ips.split(' ') {
            assert_eq!(Sort::of(ip.parse().unwrap()), sort, "{ip}");
        }
    }
}

#[tokio::test]
async fn os_22_literals_in_every_spelling_are_refused() {
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
        "2852039166",
        "0xA9FEA9FE",
        "[::ffff:a9fe:a9fe]",
        "10.0.0.1",
        "192.168.0.1",
        "172.16.0.1",
        "100.64.0.1",
        "0.0.0.0",
        "0",
        "224.0.0.1",
        "255.255.255.255",
        "[fe80::1]",
        "[fd00::1]",
        "[::]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::1]",
    ] {
        for scheme in ["http", "https"] {
            let error = send(Rules::default(), &format!("{scheme}://{host}:9/x")).await.unwrap_err();
            assert!(matches!(error.reason, Reason::Forbidden), "{scheme} {host}: {error}");
            assert!(error.to_string().contains(
                "address forbidden, you may need to set AllowedUntrustedInternalConnections to allow an \
                 integration access to your internal network"
            ));
        }
    }
    let error = send(Rules::default(), "http://1.1.1.1/").await.unwrap_err();
    assert!(matches!(error.reason, Reason::PlainHttp), "{error}");
    let error = send(development(), "file:///etc/passwd").await.unwrap_err();
    assert_eq!(error.to_string(), r#"Post "file:///etc/passwd": unsupported protocol scheme "file""#);
}

#[tokio::test]
async fn os_22_names_are_checked_after_resolution() {
    for ip in ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::ffff:10.0.0.1", "::1", "0.0.0.0", "fe80::1"] {
        for scheme in ["http", "https"] {
            let egress = Egress::with_lookup(Rules::default(), meaning(&[&[ip]])).unwrap();
            let error = egress.send(request(&format!("{scheme}://harmless.example/"))).await.unwrap_err();
            assert!(matches!(error.reason, Reason::Forbidden), "{scheme} {ip}: {error}");
        }
    }
    let egress = Egress::with_lookup(Rules::default(), meaning(&[&["1.1.1.1"]])).unwrap();
    let error = egress.send(request("http://harmless.example/")).await.unwrap_err();
    assert!(matches!(error.reason, Reason::PlainHttp), "{error}");
}

#[tokio::test]
async fn os_22_a_name_that_changes_its_meaning_gains_nothing() {
    let (port, connections) = raw("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").await;
    let names = meaning(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let egress = Egress::with_lookup(development(), names).unwrap();
    let url = format!("http://rebinding.example:{port}/");
    assert_eq!(egress.send(request(&url)).await.unwrap().status, StatusCode::NO_CONTENT);
    let error = egress.send(request(&url)).await.unwrap_err();
    assert!(matches!(error.reason, Reason::Forbidden), "{error}");
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn os_22_forbidden_addresses_of_a_mixed_name_are_left_out() {
    let (port, connections) = raw("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let names = meaning(&[&["169.254.169.254", "127.0.0.1"]]);
    let egress = Egress::with_lookup(development(), names).unwrap();
    assert_eq!(egress.send(request(&format!("http://two.example:{port}/"))).await.unwrap().status, 200);
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn os_22_what_the_operator_lists_can_be_reached() {
    let (port, _) = raw("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    for entry in ["127.0.0.0/8", "127.0.0.1"] {
        assert_eq!(send(listing(&[entry]), &format!("http://127.0.0.1:{port}/")).await.unwrap().status, 200);
    }
    let names = || meaning(&[&["127.0.0.1"]]);
    let egress = Egress::with_lookup(listing(&["hello.internal"]), names()).unwrap();
    assert_eq!(egress.send(request(&format!("http://Hello.internal:{port}/"))).await.unwrap().status, 200);
    let error = egress.send(request(&format!("http://other.internal:{port}/"))).await.unwrap_err();
    assert!(matches!(error.reason, Reason::Forbidden), "{error}");

    let metadata =
        Egress::with_lookup(listing(&["hello.internal"]), meaning(&[&["169.254.169.254"]])).unwrap();
    let error = metadata.send(request("http://hello.internal/")).await.unwrap_err();
    assert!(matches!(error.reason, Reason::Forbidden), "a listed name never reaches metadata: {error}");
}

#[tokio::test]
async fn os_21_plain_http_to_a_provider_only_on_loopback_in_development() {
    let (port, _) = raw("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let url = format!("http://127.0.0.1:{port}/token");
    let to_provider = || Request { audience: Audience::Provider, ..request(&url) };
    let listed = Egress::new(listing(&["127.0.0.1"])).unwrap();
    let error = listed.send(to_provider()).await.unwrap_err();
    assert!(matches!(error.reason, Reason::PlainHttp), "{error}");
    let dev = Egress::new(development()).unwrap();
    assert_eq!(dev.send(to_provider()).await.unwrap().status, 200);
    assert!(!development().permits(Lane::Plain(Audience::App), "", "10.0.0.1".parse().unwrap(), false));
}

#[tokio::test]
async fn os_22_this_machines_own_public_addresses_are_refused() {
    let ip: IpAddr = "93.184.215.14".parse().unwrap();
    assert!(Rules::default().permits(Lane::Tls, "", ip, false));
    assert!(!Rules::default().permits(Lane::Tls, "", ip, true));
    assert!(listing(&["me.example"]).permits(Lane::Tls, "me.example", ip, true));
}

#[test]
fn entries_of_the_operators_list_are_checked() {
    assert_eq!("Hello.Internal.".parse(), Ok(Allowed::Host("hello.internal".into())));
    assert!(listing(&["fd00::/8"]).permits(Lane::Tls, "", "fd12::1".parse().unwrap(), false));
    assert!(!listing(&["fd00::/8"]).permits(Lane::Tls, "", "fc12::1".parse().unwrap(), false));
    assert!(listing(&["0.0.0.0/0"]).permits(Lane::Tls, "", "10.1.1.1".parse().unwrap(), false));
    assert!(listing(&["::/0"]).permits(Lane::Tls, "", "fe80::1".parse().unwrap(), false));
    for wrong in ["10.0.0.0/33", "10.0.0/8", "a b", "", "/8", "fd00::/129"] {
        let error = wrong.parse::<Allowed>().unwrap_err();
        assert!(error.to_string().contains(&format!("{wrong:?}")), "{error}");
    }
}

#[tokio::test]
async fn os_21_redirects_are_never_followed() {
    let (target, reached) = raw("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let head = format!("HTTP/1.1 307 x\r\nLocation: http://127.0.0.1:{target}/\r\nContent-Length: 0\r\n\r\n");
    let (port, _) = raw(head).await;
    assert_eq!(send(development(), &format!("http://127.0.0.1:{port}/")).await.unwrap().status, 307);
    assert_eq!(reached.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn os_21_replies_are_capped_with_and_without_a_length() {
    let body = "x".repeat(1_001);
    for head in ["Content-Length: 1001\r\n", "Connection: close\r\n"] {
        let (port, _) = raw(format!("HTTP/1.1 500 x\r\n{head}\r\n{body}")).await;
        let error = send(development(), &format!("http://127.0.0.1:{port}/")).await.unwrap_err();
        assert!(
            matches!(
                error.reason,
                Reason::TooLarge { status: StatusCode::INTERNAL_SERVER_ERROR, cap: 1_000 }
            ),
            "{error}"
        );
    }
    let (port, _) = raw(format!("HTTP/1.1 200 x\r\n\r\n{}", &body[1..])).await;
    assert_eq!(send(development(), &format!("http://127.0.0.1:{port}/")).await.unwrap().body.len(), 1_000);
}

#[tokio::test]
async fn os_21_a_dripping_server_is_cut_at_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut head = [0; 1_024];
        let _ = socket.read(&mut head).await;
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n\r\nx").await;
        std::future::pending::<()>().await;
    });
    let egress = Egress::new(development()).unwrap();
    let url = format!("http://127.0.0.1:{port}/slow");
    let short = Request { total: Duration::from_millis(200), ..request(&url) };
    let error = egress.send(short).await.unwrap_err();
    assert_eq!(error.to_string(), format!("Post \"{url}\": context deadline exceeded"));
}

#[tokio::test]
async fn os_21_requests_beyond_the_hosts_share_wait_within_their_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let accepted = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&accepted);
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            held.push(socket);
        }
    });
    let egress = Egress::new(Rules { per_host: 1, ..development() }).unwrap();
    let short =
        || Request { total: Duration::from_millis(300), ..request(&format!("http://127.0.0.1:{port}/")) };
    let (one, two) = tokio::join!(egress.send(short()), egress.send(short()));
    assert!(matches!(one.unwrap_err().reason, Reason::Deadline));
    assert!(matches!(two.unwrap_err().reason, Reason::Deadline));
    assert_eq!(accepted.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn failures_are_told_apart() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{free}/x?y=1");
    let error = send(development(), &url).await.unwrap_err();
    assert_eq!(error.to_string(), format!("Post \"{url}\": dial tcp: connect: connection refused"));

    let (port, _) = raw("").await;
    let url = format!("http://127.0.0.1:{port}/");
    assert_eq!(send(development(), &url).await.unwrap_err().to_string(), format!("Post \"{url}\": EOF"));

    let (port, _) = raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").await;
    let error = send(development(), &format!("http://127.0.0.1:{port}/")).await.unwrap_err();
    assert!(matches!(error.reason, Reason::Cut), "{error:?}");

    let (port, _) = raw("SSH-2.0-OpenSSH_9.6\r\n").await;
    let error = send(development(), &format!("http://127.0.0.1:{port}/")).await.unwrap_err();
    assert!(matches!(error.reason, Reason::Malformed), "{error:?}");

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut hello = [0; 8_192];
        let _ = socket.read(&mut hello).await;
        let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    });
    let error = send(development(), &format!("https://127.0.0.1:{port}/")).await.unwrap_err();
    assert!(matches!(error.reason, Reason::Tls(_)), "{error:?}");

    let error = send(development(), "http://no-such-host.invalid/").await.unwrap_err();
    assert!(matches!(error.reason, Reason::Lookup { .. }), "{error:?}");
}

#[tokio::test]
async fn errors_show_no_secret() {
    let to = |audience| Request { audience, ..request("http://ann:pw@10.0.0.1/t?client_secret=s#f") };
    let egress = Egress::new(Rules::default()).unwrap();
    let error = egress.send(to(Audience::Provider)).await.unwrap_err();
    assert!(error.to_string().starts_with(r#"Post "http://10.0.0.1/t": "#), "{error}");
    let error = egress.send(to(Audience::App)).await.unwrap_err();
    assert!(error.to_string().starts_with(r#"Post "http://10.0.0.1/t?client_secret=s#f": "#), "{error}");
    assert!(!format!("{error:?}").contains("pw"));
}

#[test]
fn os_21_a_file_of_authorities_must_hold_some() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ca.pem");
    let build = || Egress::new(Rules { extra_ca: vec![path.clone()], ..Rules::default() }).map(|_| ());
    assert!(matches!(build(), Err(BuildError::Authority { .. })));
    std::fs::write(&path, "nothing").unwrap();
    assert!(build().unwrap_err().to_string().contains("it holds no PEM certificate"));
}
