//! What was answered survives `kill -9`: through HTTP, against the real binary.

#![expect(
    clippy::unwrap_used,
    reason = "clippy.toml allows these in tests, and does not see that the helpers in here are"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tessera_testkit::child::Child;
use tessera_testkit::fake_app::FakeApp;
use tessera_testkit::site::{OAUTH2_USER, PERMISSIONS, Person, Site};
use tessera_testkit::wire::{Ask, try_send};
use tokio::sync::Notify;

/// The binary under test.
const TESSERA: &str = env!("CARGO_BIN_EXE_tessera");

/// How many Apps write at once; each has a record of its own, which it overwrites again and again.
const WRITERS: usize = 8;

/// The number in the record of a writer; 0 when there is none.
async fn stored(site: Site, token: &str) -> usize {
    let text = site.record(token).await;
    if text.is_empty() {
        0
    } else {
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["n"].as_u64().unwrap() as usize
    }
}

async fn bots(site: Site, admin: &Person, app: &FakeApp) -> Vec<String> {
    let mut tokens = Vec::new();
    for writer in 0..WRITERS {
        let (_, bot) = site.tokens(admin, app, &format!("writer-{writer}")).await;
        tokens.push(bot);
    }
    tokens
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_records_survive_kill_9_of_the_server() {
    let data = tempfile::tempdir().unwrap();
    let app = FakeApp::start().await;
    let mut child = Child::start(TESSERA, data.path());
    let admin = child.site.sign_in("sysadmin").await;
    for writer in 0..WRITERS {
        let manifest = app.manifest(&format!("writer-{writer}"), &PERMISSIONS);
        child.site.install(&admin, &manifest).await;
    }
    let mut last = [0; WRITERS];
    // Each round is killed at another moment, and starts on what the one before left.
    for enough in [1, 60, 150] {
        let site = child.site;
        let tokens = bots(site, &admin, &app).await;
        let answered = Arc::new(AtomicUsize::new(0));
        let reached = Arc::new(Notify::new());
        let mut writers = Vec::new();
        for (token, from) in tokens.into_iter().zip(last) {
            let (answered, reached) = (Arc::clone(&answered), Arc::clone(&reached));
            writers.push(tokio::spawn(async move {
                let mut acknowledged = from;
                loop {
                    let body = format!("{{\"n\": {}}}", acknowledged + 1);
                    let ask = Ask::post(OAUTH2_USER, body).bearer(&token);
                    match try_send(site.address, &ask).await {
                        Some(answer) => assert_eq!(answer.status, 200, "{}", answer.text()),
                        None => return acknowledged,
                    }
                    acknowledged += 1;
                    if answered.fetch_add(1, Ordering::SeqCst) + 1 == enough {
                        reached.notify_one();
                    }
                }
            }));
        }
        reached.notified().await;
        child.kill();
        for (writer, acknowledged) in writers.into_iter().zip(&mut last) {
            *acknowledged = writer.await.unwrap();
        }
        child = Child::start(TESSERA, data.path());
        let tokens = bots(child.site, &admin, &app).await;
        for (token, acknowledged) in tokens.iter().zip(&mut last) {
            let found = stored(child.site, token).await;
            // One that was under way may be there or not.
            assert!(found == *acknowledged || found == *acknowledged + 1, "{found}, answered {acknowledged}");
            *acknowledged = found;
        }
    }
    assert!(last.iter().sum::<usize>() >= 211, "{last:?}");
}
