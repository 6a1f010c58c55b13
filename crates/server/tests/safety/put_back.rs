//! `tessera audit verify` against a store that somebody wrote to past the server.

use serde_json::json;
use tessera_server::audit::{Act, Audit, Entry, Sync};
use tessera_server::env::Env;
use tessera_server::vault::RootKey;
use tessera_testkit::site::OAUTH2_USER;
use tessera_testkit::wire::Ask;

use crate::stage::{Stage, copy, verify};

const ALL: &str = "SELECT * FROM connections ORDER BY app, user_id";

/// A folder where user-1 has had two records with the App, one after the other, and the admin one: the server is
/// stopped. The rows of the first are given.
async fn two_versions() -> (Stage, Vec<Vec<rusqlite::types::Value>>) {
    let mut stage = Stage::set().await;
    let (user, admin) = (stage.token(&stage.user, "hello").await, stage.token(&stage.admin, "hello").await);
    stage.site().store(&admin, "\"the administrator's\"").await;
    stage.site().store(&user, "\"first\"").await;
    let before = stage.rows(&format!("SELECT * FROM connections WHERE user_id = '{}'", stage.user.id));
    assert_eq!(before.len(), 1);
    stage.site().store(&user, "\"second\"").await;
    stage.stop();
    (stage, before)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_40_an_old_row_put_back_in_its_place_is_named_and_stays_named() {
    let (mut stage, before) = two_versions().await;
    let (fine, text) = verify(stage.dir(), &[]);
    assert!(fine && text.contains("2 connections and 0 clients"), "{text}");
    assert!(text.contains("The store is as the log says"), "{text}");

    stage.put_back("connections", &before);
    let named = format!("WRONG: the connection of user {} with App hello", stage.user.id);
    let (fine, text) = verify(stage.dir(), &[]);
    assert!(!fine && text.contains(&format!("{named} is older than the log says")), "{text}");
    assert_eq!(text.matches("WRONG").count(), 1, "{text}");
    assert!(!text.contains("The store is as the log says"), "{text}");
    let (fine, text) = verify(stage.dir(), &["--json"]);
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(!fine);
    assert_eq!(report["wrong"][0]["user"], stage.user.id.as_str());
    assert_eq!(
        (&report["wrong"][0]["app"], &report["wrong"][0]["table"]),
        (&json!("hello"), &json!("connections"))
    );

    // It is detected and not prevented; and once it is written over, it is still known.
    stage.start();
    let user = stage.token(&stage.user, "hello").await;
    assert_eq!(stage.site().record(&user).await, "\"first\"");
    stage.site().store(&user, "\"third\"").await;
    stage.stop();
    let (fine, text) = verify(stage.dir(), &[]);
    assert!(!fine && text.contains(&format!("{named} had been put back")), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_40_every_change_past_the_server_is_named_and_none_but_those() {
    let mut stage = Stage::set().await;
    let (user, bot) = (stage.token(&stage.user, "hello").await, stage.bot("hello").await);
    let other = stage.token(&stage.other, "hello").await;
    stage.site().store_credentials(&bot, "id", "first secret").await;
    let old_client = stage.rows("SELECT * FROM credentials");
    stage.site().store_credentials(&bot, "id", "second secret").await;
    for token in [&user, &other] {
        stage.site().store(token, "\"kept\"").await;
    }
    let removed = stage.rows(&format!("SELECT * FROM connections WHERE user_id = '{}'", stage.other.id));
    let answer = stage.site().send(&Ask::new("DELETE", OAUTH2_USER).bearer(&other)).await;
    assert_eq!(answer.status, 200);
    stage.stop();
    let (connections, credentials) = (stage.rows(ALL), stage.rows("SELECT * FROM credentials"));
    let (fine, text) = verify(stage.dir(), &[]);
    assert!(fine && text.contains("2 connections and 1 clients"), "{text}");

    let user = &stage.user.id;
    let alien = format!(
        "INSERT INTO connections (app, user_id, kind, generation, sealed, created_at, updated_at)
            SELECT 'other', user_id, kind, generation, sealed, created_at, updated_at
            FROM connections WHERE user_id = '{user}'"
    );
    let rows: [(&dyn Fn(), String); 9] = [
        (&|| stage.put_back("credentials", &old_client), "the client of App hello is older".into()),
        (
            &|| stage.put_back("connections", &removed),
            format!("user {} with App hello was removed", stage.other.id),
        ),
        (
            &|| assert!(stage.sql("DELETE FROM connections") > 0),
            format!("user {user} with App hello is missing"),
        ),
        (&|| assert!(stage.sql("DELETE FROM credentials") > 0), "the client of App hello is missing".into()),
        (
            &|| assert!(stage.sql(&alien) > 0),
            format!("user {user} with App other is in the store, and the log knows"),
        ),
        (
            &|| assert!(stage.sql("UPDATE connections SET kind = 2") > 0),
            format!("user {user} with App hello is not what"),
        ),
        (&|| assert!(stage.sql("UPDATE connections SET created_at = 1") > 0), "was altered".into()),
        (
            &|| assert!(stage.sql("UPDATE connections SET generation = generation + 1") > 0),
            "of which the log knows no write".into(),
        ),
        (
            &|| assert!(stage.sql(&format!("UPDATE credentials SET updated_by = '{user}'")) > 0),
            "the client of App hello is not what was written".into(),
        ),
    ];
    for (meddle, named) in rows {
        meddle();
        let (fine, text) = verify(stage.dir(), &[]);
        assert!(!fine && text.contains(&named) && text.matches("WRONG").count() == 1, "{named}: {text}");
        stage.sql("DELETE FROM connections");
        stage.put_back("connections", &connections);
        stage.put_back("credentials", &credentials);
        let (fine, text) = verify(stage.dir(), &[]);
        assert!(fine, "put right after {named}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_40_a_copy_is_verified_whatever_happened_to_the_records_and_beside_a_running_server() {
    let mut stage = Stage::set().await;
    let site = stage.site();
    for app in ["hello", "other"] {
        site.store_credentials(&stage.bot(app).await, "id", "secret").await;
        for person in [&stage.admin, &stage.user, &stage.other] {
            site.store(&stage.token(person, app).await, "1").await;
        }
    }
    // Gone and there again, within whatever time that takes.
    let user = stage.token(&stage.user, "other").await;
    for _ in 0..3 {
        assert_eq!(site.send(&Ask::new("DELETE", OAUTH2_USER).bearer(&user)).await.status, 200);
        site.store(&user, "2").await;
    }
    let gone = site.post(&stage.admin.token, "/uninstall-app", &json!({"app_id": "hello"})).await;
    assert_eq!(gone.status, 200);
    let (fine, text) = verify(stage.dir(), &[]);
    assert!(fine && text.contains("6 connections and 2 clients"), "beside the running server: {text}");
    assert_eq!(site.record(&user).await, "2", "nothing was locked or lost");

    let copied = tempfile::tempdir().unwrap();
    copy(stage.dir(), copied.path());
    std::fs::remove_file(copied.path().join("keys.db")).unwrap();
    let (fine, text) = verify(copied.path(), &[]);
    assert!(fine && text.contains("6 connections and 2 clients"), "a copy without the keys: {text}");

    stage.stop();
    std::fs::remove_file(copied.path().join("tessera.db")).unwrap();
    let (fine, text) = verify(copied.path(), &[]);
    assert!(fine && text.contains("no row was compared"), "the log alone: {text}");
}

/// Leaves a log as a server would that ended right behind the last entry with these words.
fn cut_behind(stage: &Stage, words: &str) {
    let path = stage.dir().join("audit.log");
    let log = std::fs::read_to_string(&path).unwrap();
    let at = log.rfind(words).unwrap();
    let end = at + log[at..].find('\n').unwrap() + 1;
    std::fs::write(&path, &log[..end]).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_40_an_act_that_a_crash_cut_short_is_a_note_and_no_finding() {
    // Announced, and the row was not written.
    let (stage, before) = two_versions().await;
    let after = stage.rows(ALL);
    cut_behind(&stage, "\"act\":\"connection_stored\"");
    stage.put_back("connections", &before);
    let (fine, text) = verify(stage.dir(), &[]);
    assert!(fine && text.contains("The store is as the log says"), "the older one: {text}");

    // Announced and written, and the server ended before it could say so.
    stage.put_back("connections", &after);
    let (fine, text) = verify(stage.dir(), &[]);
    assert!(fine && text.contains("Note: ") && text.contains("never confirmed"), "the newer one: {text}");

    // A removal likewise: the row may be there or not.
    let (mut stage, _) = two_versions().await;
    stage.start();
    let user = stage.token(&stage.user, "hello").await;
    let there = stage.rows(ALL);
    let answer = stage.site().send(&Ask::new("DELETE", OAUTH2_USER).bearer(&user)).await;
    assert_eq!(answer.status, 200);
    stage.stop();
    cut_behind(&stage, "\"act\":\"connection_removed\"");
    let (fine, text) = verify(stage.dir(), &[]);
    assert!(fine && text.contains("Note: ") && text.contains("is gone"), "{text}");
    stage.put_back("connections", &there);
    let (fine, text) = verify(stage.dir(), &[]);
    assert!(fine && !text.contains("Note: "), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_40_a_log_from_before_versions_were_noted_is_read_and_its_rows_are_counted() {
    let (mut stage, _) = two_versions().await;
    let path = stage.dir().join("audit.log");
    std::fs::remove_file(&path).unwrap();
    let key = RootKey::read(&stage.dir().join("root.key")).unwrap().audit_key();
    let audit = Audit::open(stage.dir(), key, Sync::Soon, Env::system()).unwrap();
    for user in [&stage.admin.id, &stage.user.id] {
        audit.record(Entry::allowed(Act::ConnectionStored, user, "hello", "r").detail("api")).await.unwrap();
    }
    drop(audit);
    let (fine, text) = verify(stage.dir(), &[]);
    assert!(fine && text.contains("0 connections") && text.contains("did not note versions"), "{text}");
    assert!(text.contains("when they were written: 2"), "{text}");

    stage.start();
    let user = stage.token(&stage.user, "hello").await;
    let before = stage.rows(ALL);
    stage.site().store(&user, "\"third\"").await;
    stage.stop();
    let (fine, text) = verify(stage.dir(), &[]);
    assert!(fine && text.contains("1 connections") && text.contains("when they were written: 1"), "{text}");
    stage.put_back("connections", &before);
    let (fine, text) = verify(stage.dir(), &[]);
    assert!(!fine && text.contains("is older than the log says"), "{text}");
}
