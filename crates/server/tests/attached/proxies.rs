//! The configurations that come along for proxies, each in the proxy itself.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tessera_testkit::attached::{APP, Attached};
use tessera_testkit::browser::{Browser, From};
use tessera_testkit::fake_mattermost::Version;
use tessera_testkit::site::{Site, flow};
use tessera_testkit::wire::Ask;

/// A proxy that runs until the test ends.
struct Proxy {
    process: Child,
    address: SocketAddr,
    _dir: tempfile::TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port that is free now. Neither proxy tells which one it took, so that it cannot be left to them.
fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// As it comes along, with the service where it is, and the site's path where it has one.
fn packaged(name: &str, stage: &Attached) -> String {
    let (service, below) = (stage.server.site.address, stage.site().below);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/proxy").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains("127.0.0.1:8066"), "{text}");
    let ways = ["location ^~ /plugins/", "handle /plugins/"];
    let text = ways
        .iter()
        .fold(text, |text, way| text.replace(way, &way.replace("/plugins/", &format!("{below}/plugins/"))));
    text.replace("127.0.0.1:8066", &service.to_string())
}

impl Proxy {
    async fn start(write: impl Fn(&Path, u16) -> Command) -> Self {
        // Somebody else may take the port in between: then another one is tried.
        for _ in 0..5 {
            let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
            let mut command = write(dir.path(), port);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let process = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
            let mut proxy = Self { process, address: SocketAddr::from(([127, 0, 0, 1], port)), _dir: dir };
            let began = tokio::time::Instant::now();
            while proxy.process.try_wait().unwrap().is_none() && began.elapsed().as_secs() < 20 {
                if tokio::net::TcpStream::connect(proxy.address).await.is_ok() {
                    return proxy;
                }
                tokio::task::yield_now().await;
            }
        }
        panic!("the proxy does not start")
    }

    async fn nginx(stage: &Attached) -> Self {
        let mattermost = stage.mattermost.address();
        Self::start(|dir, port| {
            let config = format!(
                "daemon off; master_process off; pid {0}/pid; error_log {0}/errors; events {{}}\n\
                 http {{ access_log off; client_body_temp_path {0}/a; proxy_temp_path {0}/b; fastcgi_temp_path {0}/c;\n\
                 uwsgi_temp_path {0}/d; scgi_temp_path {0}/e;\n\
                 server {{ listen 127.0.0.1:{port};\n{1}\nlocation / {{ proxy_pass http://{mattermost}; }} }} }}",
                dir.display(),
                packaged("nginx.conf", stage)
            );
            std::fs::write(dir.join("nginx.conf"), config).unwrap();
            let binary = ["/usr/sbin/nginx", "nginx"].into_iter().find(|path| Path::new(path).is_file());
            let mut command = Command::new(binary.unwrap_or("nginx"));
            command.arg("-p").arg(dir).arg("-c").arg(dir.join("nginx.conf"));
            command
        })
        .await
    }

    async fn caddy(stage: &Attached) -> Self {
        let mattermost = stage.mattermost.address();
        Self::start(|dir, port| {
            let config = format!(
                "{{\n\tadmin off\n\tauto_https off\n}}\nhttp://:{port} {{\n\tbind 127.0.0.1\n{}\n\
                 \treverse_proxy {mattermost}\n}}\n",
                packaged("Caddyfile", stage)
            );
            std::fs::write(dir.join("Caddyfile"), config).unwrap();
            let mut command = Command::new("caddy");
            command.args(["run", "--adapter", "caddyfile", "--config"]).arg(dir.join("Caddyfile"));
            command.env("HOME", dir).env("XDG_DATA_HOME", dir).env("XDG_CONFIG_HOME", dir);
            command
        })
        .await
    }
}

/// Both are reached, what only a Mattermost may say gets through to neither, and a person comes as far as the provider.
async fn leads_as_it_should(stage: &Attached, proxy: &Proxy) {
    let below = stage.site().below;
    let site = Site { below, ..Site::at(proxy.address) };
    let host = stage.door.origin().split_once("://").unwrap().1.to_owned();
    let document =
        Ask::get("/plugins/com.mattermost.apps/tessera/v1/openapi.json").with("Host", host.clone());
    let answer = site.send(&document).await;
    assert!(answer.text().contains("Tessera"), "{}", answer.text());
    let ping = Ask::get("/api/v4/system/ping").with("Host", host);
    assert_eq!(site.send(&ping).await.json()["status"], "OK");

    let mut browser = Browser::at(site, &stage.door.origin());
    stage.sign_in(&mut browser, "ada").await;
    let first = browser.open(&format!("{below}{}", flow(APP, "connect")), From::Here).await;
    let (_, page) = stage.follow(&mut browser, first).await;
    assert_eq!(page.status, 307, "{}", page.text());
    assert!(page.header("location").unwrap().starts_with("https://provider.example/a?state="));

    let spoofed = Ask::get("/plugins/com.mattermost.apps/tessera/v1/connections")
        .with("Mattermost-User-Id", stage.user.id.clone())
        .with("Mattermost-Plugin-ID", "com.mattermost.plugin-playbooks");
    assert_eq!(site.send(&spoofed).await.status, 401);
}

/// While the service is away, clients go on asking for bindings, and nobody is told that all is well besides.
async fn bears_its_absence(stage: &mut Attached, proxy: &Proxy) {
    let site = Site { below: stage.site().below, ..Site::at(proxy.address) };
    stage.server.stop().await.unwrap();
    let host = stage.door.origin().split_once("://").unwrap().1.to_owned();
    let ask = |path: &str| {
        Ask::get(format!("/plugins/com.mattermost.apps{path}"))
            .with("Host", host.clone())
            .bearer(&stage.user.token)
    };
    let answer = site.send(&ask("/api/v1/bindings?user_agent=webapp")).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "[]"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(site.send(&ask("/tessera/v1/connections")).await.status, 502);
}

async fn stage(below: &'static str) -> Attached {
    let stage = Attached::below(Version::V11_7, below).await;
    stage.install(&["act_as_user", "remote_oauth2"]).await;
    stage.fake.leads_to_a_provider();
    stage
}

#[tokio::test]
async fn a_site_is_served_by_nginx() {
    for below in ["", "/chat"] {
        let mut stage = stage(below).await;
        let proxy = Proxy::nginx(&stage).await;
        leads_as_it_should(&stage, &proxy).await;
        bears_its_absence(&mut stage, &proxy).await;
    }
}

#[tokio::test]
async fn a_site_is_served_by_caddy() {
    for below in ["", "/chat"] {
        let mut stage = stage(below).await;
        let proxy = Proxy::caddy(&stage).await;
        leads_as_it_should(&stage, &proxy).await;
        bears_its_absence(&mut stage, &proxy).await;
    }
}
