//! An answered write survives `kill -9`.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use tessera_server::store::{Store, StoreConfig};

use crate::fixture::{connection, in_parallel};

const DIR: &str = "TESSERA_TEST_CRASH_DIR";

/// The process that is killed: it prints each user once they are stored.
#[expect(clippy::print_stdout, reason = "what it prints is what was acknowledged")]
async fn write_until_killed(dir: std::ffi::OsString) {
    let store = Store::open(&StoreConfig::Sqlite { dir: dir.into() }).await.unwrap();
    in_parallel(16, |task| {
        let connections = store.connections.clone();
        async move {
            for number in 0.. {
                let user = format!("user-{task}-{number}");
                assert!(connections.put(connection("a", &user, 1), None).await.unwrap());
                println!("stored {user}");
            }
        }
    })
    .await;
}

/// This very test is the process that it kills: started again with the folder's name, it writes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_writes_survive_kill_9() {
    if let Some(dir) = std::env::var_os(DIR) {
        return write_until_killed(dir).await;
    }
    let dir = tempfile::tempdir().unwrap();
    // Each round is killed at another moment, and starts on what the one before left.
    for enough in [1, 500, 2_000] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::acknowledged_writes_survive_kill_9", "--nocapture"])
            .env(DIR, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut acknowledged = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let Some(user) = line.strip_prefix("stored ") else { continue };
            acknowledged.push(user.to_owned());
            if acknowledged.len() == enough {
                // SIGKILL; what was printed before it arrives is still read.
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(acknowledged.len() >= enough, "the child ended early: {}", acknowledged.len());
        let store = Store::open(&StoreConfig::Sqlite { dir: dir.path().to_owned() }).await.unwrap();
        for user in &acknowledged {
            let row = store.connections.get("a", user).await.unwrap();
            assert_eq!(row.as_deref(), Some(&connection("a", user, 1)), "{user} was answered and is lost");
        }
        // The next round writes the same names again.
        store.connections.delete_app("a").await.unwrap();
    }
}
