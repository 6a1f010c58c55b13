//! Apps that misbehave: whoever calls them gets a clear error, and nothing that was stored is lost.

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};
use tessera_testkit::cast::Cast;
use tessera_testkit::fake_app::{Answer as AppAnswer, FakeApp};
use tessera_testkit::site::{PERMISSIONS, Person, Site, flow};
use tessera_testkit::wire::{Answer, Ask};
use tessera_testkit::within::Within;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::form;

const CAP: usize = 10 << 20;

/// An App's answer, and what whoever called it reads.
struct Trouble {
    name: &'static str,
    answer: AppAnswer,
    text: String,
}

/// A call response of so many bytes.
fn sized(size: usize) -> Bytes {
    let frame = r#"{"text":""}"#.len();
    format!(r#"{{"text":"{}"}}"#, "a".repeat(size - frame)).into()
}

fn troubles(root: &str, path: &str) -> Vec<Trouble> {
    let post = format!("failed to invoke via HTTP: Post \"{root}{path}\": ");
    let raw =
        |status, kind, body: &'static str| AppAnswer::Raw(status, kind, Bytes::from_static(body.as_bytes()));
    let html = "<html><body>hello</body></html>";
    let trouble = |name, answer, text: &str| Trouble { name, answer, text: text.to_owned() };
    vec![
        trouble("closes", AppAnswer::Close, &format!("{post}EOF")),
        trouble(
            "cut",
            AppAnswer::Cut(b"{\"type\":\"ok\"".as_slice().into()),
            &format!("{post}unexpected EOF"),
        ),
        trouble(
            "redirects",
            AppAnswer::Redirect(format!("{root}/elsewhere")),
            &format!(
                "failed to invoke via HTTP: {root}{path}: answered with a redirect (307 Temporary Redirect), which \
                 is not followed"
            ),
        ),
        trouble(
            "10 MiB and a byte",
            AppAnswer::body(sized(CAP + 1)),
            &format!("{post}the answer is larger than {CAP} bytes"),
        ),
        trouble("10 MiB of nothing", AppAnswer::Huge(CAP), "EOF"),
        trouble(
            "HTML",
            raw(StatusCode::OK, "text/html", html),
            "invalid character '<' looking for beginning of value",
        ),
        trouble("half a JSON", AppAnswer::body(r#"{"type":"ok""#), "unexpected EOF"),
        trouble("nothing", AppAnswer::body(""), "EOF"),
        trouble(
            "a string",
            AppAnswer::body(r#""ok""#),
            "json: cannot unmarshal string into Go value of type apps.CallResponse",
        ),
        trouble("not UTF-8", AppAnswer::body(b"\xff\xfe".as_slice()), "invalid UTF-8 in JSON text"),
        trouble("too deep", AppAnswer::body("[".repeat(100_000)), "exceeded max depth"),
        trouble("201", raw(StatusCode::CREATED, "text/plain", "made"), "failed to invoke via HTTP: made"),
        trouble(
            "204",
            raw(StatusCode::NO_CONTENT, "text/plain", ""),
            "failed to invoke via HTTP: 204 No Content",
        ),
        trouble("404", raw(StatusCode::NOT_FOUND, "text/plain", "?"), &format!("{root}{path}: not found")),
        trouble(
            "500 with words",
            raw(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", "the App's own words"),
            "failed to invoke via HTTP: the App's own words",
        ),
        trouble(
            "500 without",
            raw(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", ""),
            "failed to invoke via HTTP: 500 Internal Server Error",
        ),
        trouble("an error", AppAnswer::Json(json!({"type": "error", "text": "not today"})), "not today"),
    ]
}

/// A site with one App and one person with a record.
pub(crate) struct Scene {
    pub(crate) server: Within,
    pub(crate) fake: FakeApp,
    pub(crate) admin: Person,
    pub(crate) user: Person,
}

pub(crate) const RECORD: &str = r#"{"token": "kept"}"#;

impl Scene {
    pub(crate) async fn set() -> Self {
        let Cast { server, site, fake, admin, user } = Cast::with(|_| {}).await;
        site.install(&admin, &fake.manifest("hello", &PERMISSIONS)).await;
        let (token, _) = site.tokens(&user, &fake, "hello").await;
        site.store(&token, RECORD).await;
        fake.leads_to_a_provider();
        Self { server, fake, admin, user }
    }

    pub(crate) fn site(&self) -> Site {
        self.server.site
    }

    /// What was stored is still there.
    pub(crate) async fn stands(&self, after: &str) {
        let (token, _) = self.site().tokens(&self.user, &self.fake, "hello").await;
        assert_eq!(self.site().record(&token).await, RECORD, "after {after}");
    }

    pub(crate) async fn call(&self, path: &str) -> Value {
        let call = json!({"path": path, "context": {"app_id": "hello"}});
        let answer = self.site().post(&self.user.token, "/call", &call).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Begins a flow with the person's own token. Gives its state.
    pub(crate) async fn begin(&self, who: &Person) -> String {
        let answer = self.site().send(&Ask::get(flow("hello", "connect")).bearer(&who.token)).await;
        assert_eq!(answer.status, 307, "{}", answer.text());
        state_in(&answer)
    }

    pub(crate) async fn complete(&self, who: &Person, query: &str) -> Answer {
        let target = format!("{}?{query}", flow("hello", "complete"));
        self.site().send(&Ask::get(target).bearer(&who.token)).await
    }
}

/// The state in the address that an answer leads to.
pub(crate) fn state_in(answer: &Answer) -> String {
    let location = answer.header("location").unwrap();
    location.split_once("state=").unwrap().1.split('&').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_to_an_app_that_misbehaves_says_what_happened() {
    let scene = Scene::set().await;
    for (number, trouble) in troubles(&scene.fake.root_url(), "").into_iter().enumerate() {
        let path = format!("/trouble-{number}");
        let Trouble { name, answer, .. } = trouble;
        let text = troubles(&scene.fake.root_url(), &path).swap_remove(number).text;
        scene.fake.answer(&path, answer);
        let reply = scene.call(&path).await;
        assert_eq!(reply["type"], "error", "{name}: {reply}");
        let said = reply["text"].as_str().unwrap();
        assert!(said.contains(&text), "{name}: {said:?} without {text:?}");
        assert_eq!(said.starts_with("upstream call failed: "), name != "an error", "{name}: {said}");
        assert_eq!(reply["app_metadata"]["bot_username"], "hello", "{name}: {reply}");
    }
    assert!(scene.fake.calls_to("/elsewhere").is_empty(), "a redirect was followed");
    scene.stands("misbehaviour").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_of_exactly_10_mib_is_taken() {
    let scene = Scene::set().await;
    scene.fake.answer("/large", AppAnswer::body(sized(CAP)));
    let reply = scene.call("/large").await;
    assert_eq!(reply["text"].as_str().unwrap().len(), CAP - r#"{"text":""}"#.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flow_with_an_app_that_misbehaves_says_what_happened_and_spends_its_state() {
    let scene = Scene::set().await;
    let root = scene.fake.root_url();
    for number in 0..troubles("", "").len() {
        let Trouble { name, answer, text } = troubles(&root, "/oauth2/connect").swap_remove(number);
        scene.fake.answer("/oauth2/connect", answer);
        let reply = scene.site().send(&Ask::get(flow("hello", "connect")).bearer(&scene.user.token)).await;
        assert_eq!(reply.status, 500, "{name}: {}", reply.text());
        assert!(reply.text().contains(&text), "{name}: {:?} without {text:?}", reply.text());
        form::check(&reply, name);

        scene.fake.leads_to_a_provider();
        let state = scene.begin(&scene.user).await;
        let Trouble { answer, text, .. } = troubles(&root, "/oauth2/complete").swap_remove(number);
        scene.fake.answer("/oauth2/complete", answer);
        let query = format!("code=c&state={state}");
        let reply = scene.complete(&scene.user, &query).await;
        assert_eq!(reply.status, 500, "{name}: {}", reply.text());
        assert!(reply.text().contains(&text), "{name}: {:?} without {text:?}", reply.text());
        form::check(&reply, name);
        scene.fake.answer("/oauth2/complete", AppAnswer::ok());
        let again = scene.complete(&scene.user, &query).await;
        assert_eq!((again.status, again.text().as_str()), (403, "state mismatch: forbidden\n"), "{name}");
    }
    scene.stands("broken flows").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_that_leads_nowhere_is_not_followed() {
    let scene = Scene::set().await;
    let addresses = [
        "javascript:alert(1)",
        "/relative?state=STATE",
        "//provider.example/a?state=STATE",
        "https://user:password@provider.example/a?state=STATE",
        "https://provider.example/a",
        "https://provider.example/a?state=another",
        "https://provider.example/a?state=STATE\r\nSet-Cookie: a=b",
        "data:text/html,<script>alert(1)</script>",
        "ftp://provider.example/?state=STATE",
    ];
    for address in addresses {
        scene.fake.answer_with("/oauth2/connect", move |call| async move {
            let state = call.json()["values"]["state"].as_str().unwrap().to_owned();
            AppAnswer::Json(json!({"type": "ok", "data": address.replace("STATE", &state)}))
        });
        let reply = scene.site().send(&Ask::get(flow("hello", "connect")).bearer(&scene.user.token)).await;
        assert_eq!(reply.status, 502, "{address}: {reply:?}");
        assert!(reply.text().contains("hello") && reply.header("location").is_none(), "{address}: {reply:?}");
        assert!(reply.header("set-cookie").is_none(), "{address}: {reply:?}");
        form::check(&reply, address);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_that_is_down_is_called_in_vain_and_cannot_be_installed() {
    let server = Within::start().await;
    let site = server.site;
    let (admin, user) = (site.sign_in("sysadmin").await, site.sign_in("user-1").await);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    let up = tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut asked = [0; 16 << 10];
            let _ = socket.read(&mut asked).await;
            let answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    let manifest = |id: &str| {
        json!({
            "app_id": id, "display_name": "Down", "homepage_url": "https://down.example.com", "Replace": true,
            "requested_permissions": PERMISSIONS, "http": {"root_url": root},
        })
    };
    site.install(&admin, &manifest("down")).await;
    up.abort();
    let _ = up.await;

    let refused =
        format!("failed to invoke via HTTP: Post \"{root}/x\": dial tcp: connect: connection refused");
    let call = json!({"path": "/x", "context": {"app_id": "down"}});
    let reply = site.post(&user.token, "/call", &call).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["text"], format!("upstream call failed: {refused}"), "{}", reply.text());
    let reply = site.send(&Ask::get(flow("down", "connect")).bearer(&user.token)).await;
    assert_eq!(reply.status, 500);
    assert!(reply.text().contains("connection refused"), "{}", reply.text());
    form::check(&reply, "connect");

    let listed = site.post(&admin.token, "/update-app-listing", &manifest("never")).await;
    assert_eq!(listed.status, 200, "{}", listed.text());
    let reply =
        site.post(&admin.token, "/install-app", &json!({"app_id": "never", "deploy_type": "http"})).await;
    assert_eq!(reply.status, 500);
    assert!(
        reply.text().starts_with("failed to install, /ping path is not accessible: "),
        "{}",
        reply.text()
    );
    form::check(&reply, "install");
    let reply =
        site.send(&Ask::get("/plugins/com.mattermost.apps/api/v1/apps/never").bearer(&admin.token)).await;
    assert_eq!(reply.status, 404, "it is half installed: {}", reply.text());
}
