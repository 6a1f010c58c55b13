//! Stores and disconnects of one record at one moment: all are answered, and log and store agree afterwards.

use tessera_testkit::site::OAUTH2_USER;
use tessera_testkit::wire::Ask;

use crate::stage::{Stage, verify};

const ROUNDS: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_40_os_45_stores_and_disconnects_at_once_are_answered_and_leave_a_log_that_fits() {
    let mut stage = Stage::set().await;
    let (site, token) = (stage.site(), stage.token(&stage.user, "hello").await);
    let mut workers = Vec::new();
    for worker in 0..4 {
        let token = token.clone();
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
    let (fine, text) = verify(stage.dir(), &[]);
    assert!(fine, "while it runs: {text}");
    stage.stop();
    let (fine, text) = verify(stage.dir(), &[]);
    assert!(fine && text.contains("1 connections"), "{text}");
}
