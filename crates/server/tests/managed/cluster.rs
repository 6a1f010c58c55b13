//! Several processes over one PostgreSQL: one request for each refresh, and what becomes of a reply that comes when its
//! lease is over.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::StatusCode;
use serde_json::json;
use tempfile::TempDir;
use tessera_simulator::{Counted, Running, Simulator};
use tessera_testkit::child::{Child, serve};
use tessera_testkit::fake_app::{Answer, FakeApp};
use tessera_testkit::managed::{APP, CLIENT, PROVIDER, SECRET, agree, descriptor};
use tessera_testkit::postgres::Database;
use tessera_testkit::site::{Person, Site, flow};
use tessera_testkit::wire::{Ask, Sent, send};
use tessera_testkit::within::Within;
use tokio::sync::{Notify, Semaphore};
use url::Url;

/// The binary under test.
const TESSERA: &str = env!("CARGO_BIN_EXE_tessera");
const PROCESSES: usize = 3;
const READERS: usize = 1_000;
/// How many readers are there at once.
const AT_ONCE: usize = 300;
/// What the App gets.
const USER: &str = "/plugins/com.mattermost.apps/api/v1/oauth2/user";

async fn provider(site_url: &str) -> Running {
    let simulator = Simulator::builder()
        .client(CLIENT, SECRET, [format!("{site_url}{}", flow(APP, "complete"))])
        .behaviour(|switches| switches.rotate_refresh_tokens = true)
        .build();
    simulator.start(tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap()).unwrap()
}

/// The App, its provider, and `user-1` connected; gives who that is.
async fn connect(
    site: Site,
    fake: &FakeApp,
    provider: &Running,
    change: impl Fn(String) -> String,
) -> Person {
    let (admin, user) = (site.sign_in("sysadmin").await, site.sign_in("user-1").await);
    site.install(&admin, &fake.manifest(APP, &["remote_oauth2", "act_as_user", "act_as_bot"])).await;
    let descriptor = change(descriptor(provider.url(), ""));
    let record = json!({"descriptor": descriptor, "client_id": CLIENT, "client_secret": SECRET}).to_string();
    let ask = Ask::new("PUT", PROVIDER).body(Sent::Whole(record.into_bytes()));
    let set = site.send(&ask.bearer(&admin.token)).await;
    assert_eq!(set.status, 200, "{}", set.text());
    user
}

/// `user-1` agrees, with Ada's account.
async fn consent(site: Site, user: &Person) {
    let begun = site.send(&Ask::get(flow(APP, "connect")).bearer(&user.token)).await;
    assert_eq!(begun.status, 307, "{}", begun.text());
    let back = agree(&Url::parse(begun.header("location").unwrap()).unwrap(), "ada").await;
    let target = format!("{}?{}", back.path(), back.query().unwrap_or_default());
    let page = site.send(&Ask::get(target).bearer(&user.token)).await;
    assert_eq!(page.status, 200, "{}", page.text());
}

/// A token with which the App acts as the user.
async fn app_token(site: Site, fake: &FakeApp, user: &Person) -> String {
    let call = json!({
        "path": "/call-me",
        "context": {"app_id": APP},
        "expand": {"acting_user_access_token": "all"},
    });
    let answer = site.post(&user.token, "/call", &call).await;
    assert_eq!(answer.json()["type"], "ok", "{}", answer.text());
    let heard = fake.calls_to("/call-me").last().unwrap().json();
    heard["context"]["acting_user_access_token"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_31_of_1000_readers_over_3_processes_on_postgres_one_asks() {
    let database = Database::create().await.unwrap();
    let dirs: Vec<_> = (0..=PROCESSES).map(|_| tempfile::tempdir().unwrap()).collect();
    // The first to start would make a key of its own: all get one that was made before.
    Child::start(TESSERA, dirs[PROCESSES].path()).stop();
    let node = |dir: &TempDir| {
        let mut command = serve(TESSERA, dir.path());
        command
            .env("TESSERA_STORE__POSTGRES_URL", database.url())
            .env("TESSERA_VAULT__ROOT_KEY_FILE", dirs[PROCESSES].path().join("root.key"))
            .env("TESSERA_SITE__URL", "http://localhost:8065");
        Child::spawn(command)
    };
    let nodes: Vec<_> = dirs[..PROCESSES].iter().map(node).collect();
    let (fake, provider) = (FakeApp::start().await, provider("http://localhost:8065").await);
    let user = connect(nodes[0].site, &fake, &provider, |same| same).await;
    // A token lives from before it was asked for: this one is some moments old when it comes.
    provider.change_behaviour(|switches| switches.delayed_reply = Counted::times(1_200, 1));
    consent(nodes[0].site, &user).await;
    let token = app_token(nodes[0].site, &fake, &user).await;

    // Everybody wants more life than the token has left, and nobody more than one of them has at first. The reply is on
    // its way for a while, so that they all come meanwhile.
    let life = provider.behaviour().token_life;
    provider.change_behaviour(|switches| {
        switches.token_life = life * 2;
        switches.delayed_reply = Counted::times(1_500, 1);
    });
    let asked = provider.token_requests();
    let ask = Arc::new(Ask::get(format!("{USER}?min_ttl={}", life.as_secs() - 1)).bearer(&token));
    let gate = Arc::new(Semaphore::new(AT_ONCE));
    let readers: Vec<_> = (0..READERS)
        .map(|number| {
            let (ask, gate) = (Arc::clone(&ask), Arc::clone(&gate));
            let address = nodes[number % PROCESSES].site.address;
            tokio::spawn(async move {
                let _turn = gate.acquire().await.unwrap();
                let answer = send(address, &ask).await;
                assert_eq!(answer.status, 200, "{}", answer.text());
                answer.json()["access_token"].as_str().unwrap().to_owned()
            })
        })
        .collect();
    let mut given = BTreeSet::new();
    for reader in readers {
        given.insert(reader.await.unwrap());
    }
    assert_eq!(provider.token_requests(), asked + 1, "of all readers one asks");
    assert_eq!(given.len(), 1, "everybody gets what it brought");
}

/// Two servers over one database, each with a clock of its own, and a provider whose replies are told one by one.
struct Pair {
    first: Within,
    second: Within,
    fake: Arc<FakeApp>,
    _provider: Running,
    database: Database,
    user: Person,
    token: String,
    /// The first request is at the provider.
    arrived: Arc<Notify>,
    /// Lets the reply of the first request go.
    release: Arc<Notify>,
}

fn brings(access: &str, refresh: &str) -> Answer {
    let (life, kind) = (3_600, "Bearer");
    Answer::Json(json!({
        "access_token": access, "refresh_token": refresh, "expires_in": life, "token_type": kind,
    }))
}

impl Pair {
    /// The first server's request is under way, and its reply held; `second` is the reply to the next one.
    async fn with_a_reply_held(second: Answer) -> (Self, tokio::task::JoinHandle<String>) {
        let database = Database::create().await.unwrap();
        let url = database.url().to_owned();
        let first = Within::start_with(|config| config.store.postgres_url.clone_from(&url)).await;
        let key = first.dir().join("root.key").display().to_string();
        let other = Within::start_with(|config| {
            config.store.postgres_url.clone_from(&url);
            config.vault.root_key_file = key;
        })
        .await;
        let fake = Arc::new(FakeApp::start().await);
        let provider = provider(&format!("http://localhost:{}", first.site.address.port())).await;
        let invalid = Answer::Raw(StatusCode::BAD_REQUEST, "application/json", refusal());
        fake.answer("/token", invalid);
        let endpoint = format!("token_url = '{}/token'", fake.root_url());
        let simulated = format!("token_url = '{}/token'", provider.url());
        let user = connect(first.site, &fake, &provider, |text| text.replace(&simulated, &endpoint)).await;
        let (arrived, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (rung, until, count) = (Arc::clone(&arrived), Arc::clone(&release), AtomicUsize::new(0));
        fake.answer_with("/token", move |_| {
            let answer = match count.fetch_add(1, Ordering::SeqCst) {
                0 => brings("from-the-consent", "r0"),
                1 => {
                    rung.notify_one();
                    Answer::Held(Arc::clone(&until), Box::new(brings("from-the-first", "r1")))
                }
                _ => second.clone(),
            };
            async move { answer }
        });
        consent(first.site, &user).await;
        for server in [&first, &other] {
            server.clock.advance_ms(3_600_000);
        }
        let token = app_token(first.site, &fake, &user).await;
        let pair =
            Self { first, second: other, fake, _provider: provider, database, user, token, arrived, release };
        let ask = pair.ask();
        let site = pair.first.site;
        let reader = tokio::spawn(async move { given(site, &ask).await });
        pair.arrived.notified().await;
        // By the clock of the second one, the lease of the first is over.
        pair.second.clock.advance_ms(40_000);
        (pair, reader)
    }

    fn ask(&self) -> Ask {
        Ask::get(USER).bearer(&self.token)
    }

    /// What a reader gets at the second server now.
    async fn at_second(&self) -> String {
        given(self.second.site, &self.ask()).await
    }

    fn requests(&self) -> usize {
        let refreshes = self.fake.calls_to("/token").into_iter();
        refreshes.filter(|call| call.text().contains("grant_type=refresh_token")).count()
    }
}

/// The access token, or how the connection stands.
async fn given(site: Site, ask: &Ask) -> String {
    let answer = site.send(ask).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    match answer.header("tessera-connection") {
        Some(standing) => standing.to_owned(),
        None => answer.json()["access_token"].as_str().unwrap().to_owned(),
    }
}

fn refusal() -> Bytes {
    Bytes::from_static(br#"{"error":"invalid_grant"}"#)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_31_a_reply_beyond_its_lease_is_not_written_over_a_later_one_on_postgres() {
    let (pair, reader) = Pair::with_a_reply_held(brings("from-the-second", "r2")).await;
    assert_eq!(pair.at_second().await, "from-the-second");
    assert_eq!(pair.requests(), 2);
    pair.release.notify_one();
    assert_eq!(reader.await.unwrap(), "from-the-second", "who waited for the first one gets what counts");
    assert_eq!(pair.at_second().await, "from-the-second");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_31_a_reply_beyond_its_lease_is_merged_where_it_is_the_only_one_on_postgres() {
    let refused = Answer::Raw(StatusCode::BAD_REQUEST, "application/json", refusal());
    let (pair, reader) = Pair::with_a_reply_held(refused).await;
    assert_eq!(pair.at_second().await, "needs_reconnect");
    assert_eq!(pair.requests(), 2);
    pair.release.notify_one();
    assert_eq!(reader.await.unwrap(), "from-the-first");
    assert_eq!(pair.at_second().await, "from-the-first", "the only reply that there is counts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_for_the_grant_before_is_not_written_over_a_new_consent_on_postgres() {
    let (pair, reader) = Pair::with_a_reply_held(brings("from-the-new-consent", "n1")).await;
    let end = Ask::new("DELETE", format!("/plugins/com.mattermost.apps/tessera/v1/connections/{APP}"));
    let ended = pair.first.site.send(&end.bearer(&pair.user.token)).await;
    assert_eq!(ended.status, 204, "{}", ended.text());
    consent(pair.first.site, &pair.user).await;
    pair.release.notify_one();
    assert_eq!(reader.await.unwrap(), "from-the-new-consent");
    // By its own clock, which is ahead: the token lives on there, too.
    assert_eq!(pair.at_second().await, "from-the-new-consent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_is_held_until_a_database_that_fails_takes_it_on_postgres() {
    let (pair, reader) = Pair::with_a_reply_held(brings("never", "never")).await;
    pair.database.run("ALTER TABLE tessera.connections RENAME TO away").await.unwrap();
    pair.release.notify_one();
    // Each try is in the audit log before it is made: a second one says that the first one failed.
    let tries = || pair.first.audit().iter().filter(|entry| entry["act"] == "connection_refreshed").count();
    while tries() < 2 {
        tokio::task::yield_now().await;
    }
    pair.database.run("ALTER TABLE tessera.away RENAME TO connections").await.unwrap();
    assert_eq!(reader.await.unwrap(), "from-the-first");
}
