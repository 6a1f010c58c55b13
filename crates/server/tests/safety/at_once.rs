//! Stores and disconnects of one record at one moment: all are answered, and log and store agree afterwards.

use tessera_testkit::fake_app::FakeApp;
use tessera_testkit::site::{OAUTH2_USER, PERMISSIONS, Site};
use tessera_testkit::wire::Ask;
use tessera_testkit::within::Within;

use crate::stage::{Stage, verify};

const ROUNDS: usize = 40;

async fn all_at_once(site: Site, token: &str) {
    let mut workers = Vec::new();
    for worker in 0..4 {
        let token = token.to_owned();
        workers.push(tokio::spawn(async move {
            for round in 0..ROUNDS {
                let ask = match (worker + round) % 3 {
                    0 => Ask::new("DELETE", OAUTH2_USER),
                    _ => Ask::post(OAUTH2_USER, format!("[{worker},{round}]")),
                };
                let answer = site.send(&ask.bearer(&token)).await;
                assert_eq!(answer.status, 200, "{worker}, {round}: {}", answer.text());
            }
        }));
    }
    for worker in workers {
        worker.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_40_os_45_stores_and_disconnects_at_once_are_answered_and_leave_a_log_that_fits() {
    let mut stage = Stage::set().await;
    let token = stage.token(&stage.user, "hello").await;
    all_at_once(stage.site(), &token).await;
    let (fine, text) = verify(stage.dir(), &[]);
    assert!(fine, "while it runs: {text}");
    stage.stop();
    let (fine, text) = verify(stage.dir(), &[]);
    assert!(fine && text.contains("1 connections"), "{text}");
}

/// Versions that were the time alone would collide in every millisecond; here all of them are in one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_40_versions_grow_though_everything_happens_in_one_millisecond() {
    let server = Within::start().await;
    let (site, fake) = (server.site, FakeApp::start().await);
    let (admin, user) = (site.sign_in("sysadmin").await, site.sign_in("user-1").await);
    site.install(&admin, &fake.manifest("hello", &PERMISSIONS)).await;
    let token = site.tokens(&user, &fake, "hello").await.0;
    all_at_once(site, &token).await;
    let (fine, text) = verify(server.dir(), &[]);
    assert!(fine && text.contains("1 connections"), "{text}");
}
