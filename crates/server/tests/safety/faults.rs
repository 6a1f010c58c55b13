//! Chance, the audit log, and the service's own code fail: the request ends, the next one is served (OS-59).

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use serde_json::json;
use tessera_server::audit::{Act, Audit, Entry, Sync};
use tessera_server::env::{Env, Rng, RngError};
use tessera_server::vault::RootKey;
use tessera_testkit::child::{Child, serve};
use tessera_testkit::fake_app::FakeApp;
use tessera_testkit::site::{API, OAUTH2_APP, OAUTH2_USER, PERMISSIONS, flow};
use tessera_testkit::wire::Ask;
use tessera_testkit::within::Within;

use crate::TESSERA;
use crate::stage::{Stage, verify};

const RECORD: &str = "{\"kept\":  \"the-record-itself\"}";

/// The system's source, until it is told to fail or to panic.
struct Chance {
    system: Arc<dyn Rng>,
    mood: AtomicU8,
}

impl Rng for Chance {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RngError> {
        match self.mood.load(Ordering::SeqCst) {
            0 => self.system.fill(buffer),
            1 => Err(RngError),
            _ => panic!("planted-words-of-a-panic"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_59_without_chance_and_in_a_panic_the_request_ends_and_the_next_one_is_served() {
    let chance = Arc::new(Chance { system: Env::system().rng, mood: AtomicU8::new(0) });
    let server = Within::start_by_chance(Arc::clone(&chance) as _, |_| {}).await;
    let (site, fake) = (server.site, FakeApp::start().await);
    fake.leads_to_a_provider();
    let admin = site.sign_in("sysadmin").await;
    site.install(&admin, &fake.manifest("hello", &PERMISSIONS)).await;
    let user = site.sign_in("user-1").await;
    let (token, bot) = site.tokens(&user, &fake, "hello").await;
    site.store(&token, RECORD).await;
    let client = r#"{"client_id":"new","client_secret":"new"}"#;
    let login = json!({"login_id": "user-2", "password": "tessera-dev"}).to_string();
    for mood in [1, 2] {
        let drawing = [
            Ask::post(OAUTH2_USER, "{\"new\":1}").bearer(&token),
            Ask::post(OAUTH2_APP, client).bearer(&bot),
            Ask::get(flow("hello", "connect")).bearer(&user.token),
            Ask::post("/api/v4/users/login", login.as_str()),
        ];
        for ask in drawing {
            let cell = format!("{} {}, mood {mood}", ask.method, ask.target);
            let connects = fake.calls_to("/oauth2/connect").len();
            chance.mood.store(mood, Ordering::SeqCst);
            let answer = site.send(&ask).await;
            assert_eq!(answer.status, 500, "{cell}: {answer:?}");
            assert!(answer.header("location").is_none() && answer.header("token").is_none(), "{cell}");
            assert!(!answer.whole().contains("planted-words"), "{cell}: {answer:?}");
            assert_eq!(
                fake.calls_to("/oauth2/connect").len(),
                connects,
                "{cell}: no App is asked without a state"
            );
            // What draws nothing goes on meanwhile, and everything goes on afterwards.
            assert_eq!(site.record(&token).await, RECORD, "{cell}");
            chance.mood.store(0, Ordering::SeqCst);
            let heard = site.context(&user, &fake, "hello").await;
            assert_eq!(heard["oauth2"]["user"]["kept"], "the-record-itself", "{cell}");
            assert!(heard["oauth2"].get("client_id").is_none_or(|id| id == ""), "{cell}: {heard}");
        }
    }
    site.store(&token, "{\"new\":2}").await;
    assert_eq!(site.record(&token).await, "{\"new\":2}");
}

/// The largest file that the server may write, in the shell's blocks of 512 bytes: more than the reserve has.
const BLOCKS: u64 = 12_288;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_59_where_the_audit_log_cannot_be_written_nothing_is_released_written_or_begun() {
    let mut stage = Stage::set().await;
    stage.site().store_credentials(&stage.bot("hello").await, "the-id", "the-client-secret").await;
    let (token, bot) = (stage.token(&stage.user, "hello").await, stage.bot("hello").await);
    stage.site().store(&token, RECORD).await;
    stage.stop();
    let before = stage.rows("SELECT * FROM connections");
    // A log that is as long as a file may become: not one line more.
    let key = RootKey::read(&stage.dir().join("root.key")).unwrap().audit_key();
    let audit = Audit::open(stage.dir(), key, Sync::Soon, Env::system()).unwrap();
    let path = stage.dir().join("audit.log");
    let long = "x".repeat(3_000);
    let mut left = BLOCKS * 512 - std::fs::metadata(&path).unwrap().len();
    while left > 150 {
        let detail = &long[..long.len().min(usize::try_from(left.saturating_sub(400)).unwrap())];
        audit.record(Entry::refused(Act::FlowRefused, "", "", "").detail(detail)).await.unwrap();
        let length = std::fs::metadata(&path).unwrap().len();
        assert!(length <= BLOCKS * 512, "overshot");
        if BLOCKS * 512 - length == left {
            break;
        }
        left = BLOCKS * 512 - length;
    }
    drop(audit);
    let real = serve(TESSERA, stage.dir());
    let mut command = Command::new("sh");
    // Without the signal a write beyond the limit is an error, as on a full disk.
    command.args(["-c", &format!("trap '' XFSZ; ulimit -f {BLOCKS}; exec \"$0\" \"$@\"")]);
    command.arg(real.get_program()).args(real.get_args()).current_dir(std::env::temp_dir());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TESSERA_") || name == "RUST_LOG") {
        command.env_remove(name);
    }
    let child = Child::spawn(command);
    let site = child.site;
    let heard = stage.fake.calls().len();
    let call = json!({
        "path": "/context", "context": {"app_id": "hello"},
        "expand": {"oauth2_user": "+all", "oauth2_app": "+all", "acting_user_access_token": "+all"},
    });
    let mut refused = 0;
    for _ in 0..2 {
        for ask in [
            Ask::get(OAUTH2_USER).bearer(&token),
            Ask::post(OAUTH2_USER, "{\"new\":1}").bearer(&token),
            Ask::new("DELETE", OAUTH2_USER).bearer(&token),
            Ask::post(OAUTH2_APP, r#"{"client_id":"new"}"#).bearer(&bot),
            Ask::get(flow("hello", "connect")).bearer(&stage.user.token),
            Ask::post(format!("{API}/call"), call.to_string()).bearer(&stage.user.token),
            Ask::post(format!("{API}/uninstall-app"), r#"{"app_id":"hello"}"#).bearer(&stage.admin.token),
        ] {
            let answer = site.send(&ask).await;
            let cell = format!("{} {}: {answer:?}", ask.method, ask.target);
            assert!(answer.status == 500 || answer.text().contains("\"type\":\"error\""), "{cell}");
            assert!(
                !answer.whole().contains("the-record") && !answer.whole().contains("the-client"),
                "{cell}"
            );
            refused += 1;
        }
    }
    assert_eq!(refused, 14);
    for call in &stage.fake.calls()[heard..] {
        assert!(
            !call.text().contains("the-record") && !call.text().contains("the-client"),
            "{}",
            call.text()
        );
    }
    assert_eq!(site.send(&Ask::get("/healthz")).await.status, 200);
    child.stop();
    assert_eq!(stage.rows("SELECT * FROM connections"), before);
    stage.start();
    assert_eq!(stage.site().record(&token).await, RECORD);
    let (fine, text) = verify(stage.dir(), &[]);
    assert!(fine, "{text}");
}
