//! The same on PostgreSQL, where several nodes write and each has a log of its own.

use std::process::Command;

use tempfile::TempDir;
use tessera_testkit::child::{Child, run, serve};
use tessera_testkit::fake_app::FakeApp;
use tessera_testkit::postgres::Database;
use tessera_testkit::site::{OAUTH2_USER, PERMISSIONS};
use tessera_testkit::wire::Ask;

use crate::TESSERA;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_40_an_old_row_put_back_on_postgres_is_named_from_the_logs_of_all_nodes() {
    let database = Database::create().await.unwrap();
    let dirs: Vec<TempDir> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    let key = dirs[2].path().join("root.key");
    Child::start(TESSERA, dirs[2].path()).stop();
    let nodes: Vec<Child> = dirs[..2]
        .iter()
        .map(|dir| {
            let mut command = serve(TESSERA, dir.path());
            command
                .env("TESSERA_STORE__POSTGRES_URL", database.url())
                .env("TESSERA_VAULT__ROOT_KEY_FILE", &key)
                .env("TESSERA_SITE__URL", "http://localhost:8065");
            Child::spawn(command)
        })
        .collect();
    let (one, two) = (nodes[0].site, nodes[1].site);
    let fake = FakeApp::start().await;
    let admin = one.sign_in("sysadmin").await;
    one.install(&admin, &fake.manifest("hello", &PERMISSIONS)).await;
    let user = one.sign_in("user-1").await;
    let (token, bot) = one.tokens(&user, &fake, "hello").await;
    let verify = |logs: &[&TempDir]| {
        let mut command = Command::new(TESSERA);
        command.args(["audit", "verify", "--data"]).arg(dirs[0].path());
        command.env("TESSERA_STORE__POSTGRES_URL", database.url());
        command.env("TESSERA_VAULT__ROOT_KEY_FILE", &key);
        for log in logs {
            command.arg("--log").arg(log.path());
        }
        let (status, text) = run(command);
        (status.success(), text)
    };
    for (n, site) in [one, two, two, one, two].into_iter().enumerate() {
        site.store(&token, &format!("{n}")).await;
        site.store(&bot, &format!("{n}")).await;
        if n == 2 {
            // Removed on one node, made anew on the other.
            assert_eq!(one.send(&Ask::new("DELETE", OAUTH2_USER).bearer(&bot)).await.status, 200);
        }
        if n == 3 {
            database.run("CREATE TABLE kept AS SELECT * FROM tessera.connections").await.unwrap();
        }
    }
    let (fine, text) = verify(&[&dirs[1]]);
    assert!(fine && text.contains("2 connections") && text.contains("as the log says"), "{text}");
    let (fine, text) = verify(&[]);
    assert!(!fine && text.contains("WRONG"), "a log is missing: {text}");

    let back = "UPDATE tessera.connections SET generation = kept.generation, sealed = kept.sealed,
        updated_at = kept.updated_at FROM kept
        WHERE kept.user_id = connections.user_id AND kept.app = connections.app";
    database.run(&format!("{back} AND kept.user_id = '{}'", user.id)).await.unwrap();
    let (fine, text) = verify(&[&dirs[1]]);
    let named =
        format!("WRONG: the connection of user {} with App hello is older than the log says", user.id);
    assert!(!fine && text.contains(&named) && text.matches("WRONG").count() == 1, "{text}");
    assert_eq!(two.record(&token).await, "3", "nothing was locked, and nothing changed");
}
