//! What SQLite's files promise.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rusqlite::Connection;
use tessera_server::store::{DataKeyRow, Error, Statement, Store, StoreConfig};

use crate::fixture::{Place, connection};

fn path(place: &Place) -> &Path {
    match place {
        Place::Disk(dir) => dir.path(),
        _ => panic!("not on disk"),
    }
}

async fn refusal(place: &Place) -> Error {
    match Store::open(&place.config()).await {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn reopened_after_drop_it_has_everything() {
    let place = Place::disk();
    for generation in 1..=3 {
        let store = place.open().await;
        let before = (generation > 1).then(|| generation - 1);
        let found = store.connections.get("a", "u").await.unwrap().map(|row| row.generation);
        assert_eq!(found, before);
        assert!(store.connections.put(connection("a", "u", generation), before).await.unwrap());
    }
}

#[tokio::test]
async fn a_second_opener_is_refused_with_a_clear_text() {
    let place = Place::disk();
    let store = place.open().await;
    let clone = store.clone();
    drop(store);
    let error = refusal(&place).await;
    let text = error.to_string();
    assert!(matches!(error, Error::InUse { .. }), "{text}");
    let expected = format!(
        "another tessera (process {}) is using {}: stop it first, or choose another data folder",
        std::process::id(),
        path(&place).display()
    );
    assert_eq!(text, expected);
    drop(clone);
    place.open().await;
}

#[tokio::test]
async fn files_are_for_their_owner_alone() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("data");
    std::fs::create_dir(&dir).unwrap();
    // A file that was there before, too open.
    std::fs::write(dir.join("tessera.db"), b"").unwrap();
    std::fs::set_permissions(dir.join("tessera.db"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let store = Store::open(&StoreConfig::Sqlite { dir: dir.clone() }).await.unwrap();
    store.meta.put("a", b"b").await.unwrap();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&dir).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
        names.push(entry.file_name().into_string().unwrap());
    }
    for name in ["tessera.db", "tessera.db-wal", "keys.db", "tessera.lock"] {
        assert!(names.iter().any(|found| found == name), "{names:?}");
    }

    let fresh = outer.path().join("made/by/us");
    let _store = Store::open(&StoreConfig::Sqlite { dir: fresh.clone() }).await.unwrap();
    assert_eq!(std::fs::metadata(fresh).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn an_answer_means_synced() {
    let place = Place::disk();
    let store = place.open().await;
    // Asked of the writing connection itself: 2 is FULL.
    let pragma = Statement::new("PRAGMA synchronous", vec![]);
    assert_eq!(store.engine().write(pragma).await.unwrap().rows[0].int(0).unwrap(), 2);
    let pragma = Statement::new("PRAGMA journal_mode", vec![]);
    assert_eq!(store.engine().write(pragma).await.unwrap().rows[0].text(0).unwrap(), "wal");
}

#[tokio::test]
async fn a_changed_or_newer_migration_refuses_to_start() {
    let place = Place::disk();
    drop(place.open().await);
    drop(place.open().await);
    for (file, name) in [("tessera.db", "meta"), ("keys.db", "keys")] {
        let raw = Connection::open(path(&place).join(file)).unwrap();
        let checksum: String = raw
            .query_row("SELECT checksum FROM schema_migrations WHERE version = 1", [], |row| row.get(0))
            .unwrap();
        assert_eq!(checksum.len(), 64);
        raw.execute("UPDATE schema_migrations SET checksum = 'other' WHERE version = 1", []).unwrap();
        let expected = format!(
            "migration 1 ({name}) was changed after it ran on this database: \
             start the tessera that wrote it, or restore a backup"
        );
        assert_eq!(refusal(&place).await.to_string(), expected);
        raw.execute("UPDATE schema_migrations SET checksum = ?1 WHERE version = 1", [&checksum]).unwrap();

        raw.execute("INSERT INTO schema_migrations VALUES (9000, 'tomorrow', 'x')", []).unwrap();
        let expected = "this database was written by a newer tessera (migration 9000, tomorrow): \
             start that one, or restore a backup from before it";
        assert_eq!(refusal(&place).await.to_string(), expected);
        raw.execute("DELETE FROM schema_migrations WHERE version = 9000", []).unwrap();
        drop(place.open().await);
    }
}

#[tokio::test]
async fn what_is_not_a_database_is_named() {
    let place = Place::disk();
    std::fs::write(path(&place).join("keys.db"), b"this is not a database, and longer than a header is")
        .unwrap();
    let text = refusal(&place).await.to_string();
    assert!(text.starts_with("cannot open ") && text.contains("keys.db: "), "{text}");
}

fn holds(dir: &Path, file: &str, canary: &[u8]) -> bool {
    ["", "-wal"].iter().any(|companion| {
        let bytes = std::fs::read(dir.join(format!("{file}{companion}"))).unwrap_or_default();
        bytes.windows(canary.len()).any(|window| window == canary)
    })
}

#[tokio::test]
async fn keys_live_in_a_file_of_their_own_and_leave_it() {
    const CANARY: &[u8] = b"canary of a wrapped key, 48 bytes in all, it is.";
    let place = Place::disk();
    let store = place.open().await;
    let row = DataKeyRow {
        id: [1; 16],
        app: "a".into(),
        user: "u".into(),
        wrapped: CANARY.into(),
        root_key: "root".into(),
        created_at: 1,
    };
    store.keys.insert_if_absent(row).await.unwrap();
    assert!(holds(path(&place), "keys.db", CANARY));
    assert!(!holds(path(&place), "tessera.db", CANARY));
    drop(store);
    assert!(holds(path(&place), "keys.db", CANARY));
    let store = place.open().await;
    assert!(store.keys.delete_for("a", "u").await.unwrap());
    drop(store);
    assert!(!holds(path(&place), "keys.db", CANARY), "a destroyed key is overwritten");
}
