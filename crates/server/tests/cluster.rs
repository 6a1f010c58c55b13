//! Three processes of the real binary over one PostgreSQL: what one of them does, all of them know.

#![expect(
    clippy::unwrap_used,
    reason = "clippy.toml allows these in tests, and does not see that the helpers in here are"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use tempfile::TempDir;
use tessera_testkit::child::{Child, serve};
use tessera_testkit::fake_app::FakeApp;
use tessera_testkit::postgres::Database;
use tessera_testkit::site::{OAUTH2_USER, PERMISSIONS, flow};
use tessera_testkit::wire::{Ask, send};
use tokio::sync::Semaphore;

/// The binary under test.
const TESSERA: &str = env!("CARGO_BIN_EXE_tessera");

const PROCESSES: usize = 3;
const CALLBACKS: usize = 1_000;
/// How many callbacks are under way at once.
const AT_ONCE: usize = 300;

struct Cluster {
    nodes: Vec<Child>,
    _database: Database,
    _dirs: Vec<TempDir>,
}

impl Cluster {
    async fn start() -> Self {
        let database = Database::create().await.unwrap();
        let dirs: Vec<_> = (0..=PROCESSES).map(|_| tempfile::tempdir().unwrap()).collect();
        let key = dirs[PROCESSES].path().join("root.key");
        // The first to start would make a key of its own: all get one that was made before.
        Child::start(TESSERA, dirs[PROCESSES].path()).stop();
        let nodes = dirs[..PROCESSES].iter().map(|dir| {
            let mut command = serve(TESSERA, dir.path());
            command
                .env("TESSERA_STORE__POSTGRES_URL", database.url())
                .env("TESSERA_VAULT__ROOT_KEY_FILE", &key)
                .env("TESSERA_SITE__URL", "http://localhost:8065");
            Child::spawn(command)
        });
        Self { nodes: nodes.collect(), _database: database, _dirs: dirs }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_03_of_1000_callbacks_over_3_processes_on_postgres_exactly_one_wins() {
    let cluster = Cluster::start().await;
    let sites: Vec<_> = cluster.nodes.iter().map(|node| node.site).collect();
    let fake = FakeApp::start().await;
    fake.leads_to_a_provider();
    let admin = sites[0].sign_in("sysadmin").await;
    sites[0].install(&admin, &fake.manifest("hello", &PERMISSIONS)).await;
    let user = sites[0].sign_in("user-1").await;
    let begun = sites[0].send(&Ask::get(flow("hello", "connect")).bearer(&user.token)).await;
    assert_eq!(begun.status, 307, "{}", begun.text());
    let state = begun.header("location").unwrap().split_once("state=").unwrap().1.to_owned();

    let target = format!("{}?code=c&state={state}", flow("hello", "complete"));
    let ask = Arc::new(Ask::get(target).bearer(&user.token));
    let gate = Arc::new(Semaphore::new(AT_ONCE));
    let callbacks: Vec<_> = (0..CALLBACKS)
        .map(|number| {
            let (ask, gate, address) =
                (Arc::clone(&ask), Arc::clone(&gate), sites[number % PROCESSES].address);
            tokio::spawn(async move {
                let _turn = gate.acquire().await.unwrap();
                let answer = send(address, &ask).await;
                match answer.status {
                    200 => (200, String::new()),
                    status => (status, answer.text()),
                }
            })
        })
        .collect();
    let mut answers: BTreeMap<_, usize> = BTreeMap::new();
    for callback in callbacks {
        *answers.entry(callback.await.unwrap()).or_default() += 1;
    }
    let refused = (403, "state mismatch: forbidden\n".to_owned());
    let expected = BTreeMap::from([((200, String::new()), 1), (refused, CALLBACKS - 1)]);
    assert_eq!(answers, expected);
    assert_eq!(fake.calls_to("/oauth2/complete").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_03_a_flow_begun_on_one_process_ends_on_another_on_postgres_after_a_stranger_tried() {
    let cluster = Cluster::start().await;
    let sites: Vec<_> = cluster.nodes.iter().map(|node| node.site).collect();
    let fake = FakeApp::start().await;
    fake.leads_to_a_provider();
    let admin = sites[0].sign_in("sysadmin").await;
    sites[0].install(&admin, &fake.manifest("hello", &PERMISSIONS)).await;
    // The same session is good everywhere at once.
    let (user, stranger) = (sites[1].sign_in("user-1").await, sites[2].sign_in("user-2").await);
    let begun = sites[0].send(&Ask::get(flow("hello", "connect")).bearer(&user.token)).await;
    let state = begun.header("location").unwrap().split_once("state=").unwrap().1.to_owned();
    let ask = Ask::get(format!("{}?code=c&state={state}", flow("hello", "complete")));
    let answer = sites[1].send(&ask.clone().bearer(&stranger.token)).await;
    assert_eq!((answer.status, answer.text().as_str()), (403, "forbidden\n"));
    let answer = sites[2].send(&ask.bearer(&user.token)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());

    // A record, from its first store to its end, is the same on every process at once.
    let (token, _) = sites[0].tokens(&user, &fake, "hello").await;
    for round in 0..20 {
        let body = format!("{{\"round\": {round}}}");
        sites[round % PROCESSES].store(&token, &body).await;
        for site in &sites {
            assert_eq!(site.record(&token).await, body, "round {round}");
        }
    }
    let gone = sites[1].send(&Ask::new("DELETE", OAUTH2_USER).bearer(&token)).await;
    assert_eq!(gone.status, 200);
    for site in &sites {
        assert_eq!(site.record(&token).await, "");
    }
    sites[2].store(&token, "{\"again\": true}").await;
    assert_eq!(sites[0].record(&token).await, "{\"again\": true}");

    // A disable on one ends tokens on all, at once.
    let which = json!({"app_id": "hello"});
    assert_eq!(sites[0].post(&admin.token, "/disable-app", &which).await.status, 200);
    for site in &sites {
        let answer = site.send(&Ask::get(OAUTH2_USER).bearer(&token)).await;
        assert_eq!(answer.status, 401, "{}", answer.text());
        let answer = site.send(&Ask::get(flow("hello", "connect")).bearer(&user.token)).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
    }
    assert_eq!(sites[1].post(&admin.token, "/enable-app", &which).await.status, 200);
    let (token, _) = sites[2].tokens(&user, &fake, "hello").await;
    assert_eq!(sites[0].record(&token).await, "{\"again\": true}");
}
