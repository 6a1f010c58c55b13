//! Certificates: checked always (OS-21). Those in `certs` were made once, by an authority whose key is gone:
//! `good.pem` and `expired.pem` are for `good.example`, with the key `leaf.key`.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderMap, Method};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};
use url::Url;

use super::{Audience, Egress, Error, Lookup, Reason, Reply, Request, Rules};

/// Every name is this machine's.
struct Here;

#[async_trait]
impl Lookup for Here {
    async fn lookup(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(vec![IpAddr::from([127, 0, 0, 1])])
    }
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/egress/certs").join(name)
}

/// Serves one connection over TLS with a certificate, in a thread that ends with it.
fn serve(certificate: &str) -> u16 {
    let chain = vec![CertificateDer::from_pem_file(file(certificate)).unwrap()];
    let key = PrivateKeyDer::from_pem_file(file("leaf.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut connection = ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = rustls::Stream::new(&mut connection, &mut socket);
        let mut head = [0; 1_024];
        if matches!(stream.read(&mut head), Ok(n) if n > 0) {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
            let _ = stream.flush();
        }
    });
    port
}

async fn get(certificate: &str, host: &str, extra_ca: &[&str]) -> Result<Reply, Error> {
    let extra_ca = extra_ca.iter().map(|name| file(name)).collect();
    let rules = Rules { allow_loopback: true, extra_ca, ..Rules::default() };
    let egress = Egress::with_lookup(rules, Arc::new(Here)).unwrap();
    let request = Request {
        method: Method::GET,
        url: Url::parse(&format!("https://{host}:{}/", serve(certificate))).unwrap(),
        headers: HeaderMap::new(),
        body: None,
        total: Duration::from_secs(20),
        cap_bytes: 10,
        audience: Audience::Provider,
    };
    egress.send(request).await
}

async fn refused(certificate: &str, host: &str, extra_ca: &[&str]) -> String {
    match get(certificate, host, extra_ca).await.unwrap_err().reason {
        Reason::Tls(text) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn os_21_an_authority_by_file_is_trusted() {
    assert_eq!(get("good.pem", "good.example", &["ca.pem"]).await.unwrap().body, "hi");
}

#[tokio::test]
async fn os_21_bad_certificates_are_refused_in_development_too() {
    let unknown = refused("good.pem", "good.example", &[]).await;
    assert!(unknown.contains("UnknownIssuer"), "{unknown}");
    let expired = refused("expired.pem", "good.example", &["ca.pem"]).await;
    assert!(expired.contains("expired"), "{expired}");
    let wrong_name = refused("good.pem", "other.example", &["ca.pem"]).await;
    assert!(wrong_name.contains("not valid for name"), "{wrong_name}");
}
