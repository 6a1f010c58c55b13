//! What only PostgreSQL can show.

use tessera_server::store::{Error, Statement, Store, StoreConfig};
use tessera_testkit::postgres::Database;

use crate::fixture::{Place, connection, in_parallel};

async fn database() -> (Database, Place) {
    let database = Database::create().await.unwrap();
    (database.clone(), Place::Postgres(database))
}

async fn refusal(config: &StoreConfig) -> Error {
    match Store::open(config).await {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_nodes_may_start_at_once_on_an_empty_database() {
    let (_, place) = database().await;
    let config = place.config();
    let stores = in_parallel(6, |_| {
        let config = config.clone();
        async move { Store::open(&config).await }
    })
    .await;
    for store in stores {
        store.unwrap().meta.put("a", b"b").await.unwrap();
    }
    let store = place.open().await;
    let sql = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = $1 AND tablename = $2";
    for (schema, table, there) in [
        ("tessera_keys", "data_keys", 1),
        ("tessera", "data_keys", 0),
        ("tessera", "connections", 1),
        ("tessera_keys", "connections", 0),
        ("public", "meta", 0),
    ] {
        let counted = store.engine().read(Statement::new(sql, vec![schema.into(), table.into()])).await;
        assert_eq!(counted.unwrap()[0].int(0).unwrap(), there, "{schema}.{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn os_03_on_postgres_one_of_three_nodes_redeems() {
    let (_, place) = database().await;
    let nodes = [place.open().await, place.open().await, place.open().await];
    for round in 0..10u8 {
        let state = tessera_server::store::StateRow {
            digest: [round; 32],
            user: "u".into(),
            app: "a".into(),
            browser: vec![1],
            redirect: "https://site.example.com/".into(),
            created_at: 0,
            expires_at: 1000,
            flow: None,
        };
        nodes[0].states.insert(state).await.unwrap();
        let won = in_parallel(60, |index| {
            let states = nodes[index % 3].states.clone();
            async move { states.redeem(&[round; 32], "u", "a", &[1], 500).await.unwrap().is_some() }
        })
        .await;
        assert_eq!(won.iter().filter(|won| **won).count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_writers_of_overlapping_batches_do_not_deadlock() {
    let (_, place) = database().await;
    let store = place.open().await;
    let users = ["a", "b", "c", "d", "e"];
    for user in users {
        store.connections.put(connection("app", user, 1), None).await.unwrap();
    }
    let outcomes = in_parallel(60, |index| {
        let connections = store.connections.clone();
        async move {
            let mut uses: Vec<_> = users
                .iter()
                .map(|user| tessera_server::store::UseRow {
                    app: "app".into(),
                    user: (*user).into(),
                    used_at: index as i64,
                    used_by: "call".into(),
                })
                .collect();
            uses.rotate_left(index % 5);
            connections.touch_all(uses).await
        }
    })
    .await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(store.connections.uses_of("c").await.unwrap()[0].used_at, 59);
}

#[tokio::test]
async fn postgres_refuses_a_changed_or_newer_migration() {
    let (database, place) = database().await;
    drop(place.open().await);
    drop(place.open().await);
    for schema in ["tessera", "tessera_keys"] {
        let table = format!("{schema}.schema_migrations");
        database
            .run(&format!("UPDATE {table} SET checksum = 'x' || checksum WHERE version = 1"))
            .await
            .unwrap();
        let error = refusal(&place.config()).await;
        assert!(matches!(error, Error::ChangedMigration { version: 1, .. }), "{error}");
        database
            .run(&format!("UPDATE {table} SET checksum = substr(checksum, 2) WHERE version = 1"))
            .await
            .unwrap();
        database.run(&format!("INSERT INTO {table} VALUES (9000, 'tomorrow', 'x')")).await.unwrap();
        let error = refusal(&place.config()).await;
        assert!(matches!(error, Error::NewerMigration { version: 9000, .. }), "{error}");
        database.run(&format!("DELETE FROM {table} WHERE version = 9000")).await.unwrap();
        drop(place.open().await);
    }
}

#[tokio::test]
async fn postgres_that_answers_before_its_disk_is_refused() {
    let (database, place) = database().await;
    let url = format!("{} options='-c synchronous_commit=off'", database.url());
    let text = refusal(&StoreConfig::Postgres { url, max_connections: 2 }).await.to_string();
    assert!(text.contains("synchronous_commit is off"), "{text}");
    place.open().await;
}

#[tokio::test]
async fn postgres_errors_at_start_say_where_and_keep_the_password() {
    let (database, _) = database().await;
    let socket = database.url().split_whitespace().find_map(|part| part.strip_prefix("host=")).unwrap();
    for url in [
        format!("host={socket} user=tessera dbname=nowhere password=hunter2"),
        "host=/nonexistent user=tessera dbname=nowhere password=hunter2".to_owned(),
        "postgresql://tessera:hunter2@127.0.0.1:1/nowhere?sslmode=verify-full".to_owned(),
    ] {
        let config = StoreConfig::Postgres { url, max_connections: 2 };
        assert!(!format!("{config:?}").contains("hunter2"));
        let text = refusal(&config).await.to_string();
        assert!(text.starts_with("cannot open PostgreSQL database nowhere at "), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
    for (url, file) in [
        ("postgresql://u:hunter2@h/d?sslrootcert=%2Fno%2Fsuch.pem&sslmode=require", "/no/such.pem"),
        ("host=h user=u password=hunter2 sslmode=verify-full sslrootcert=/dev/null", "/dev/null"),
    ] {
        let text = refusal(&StoreConfig::Postgres { url: url.into(), max_connections: 2 }).await.to_string();
        assert!(text.starts_with(&format!("cannot open {file}: ")), "{text}");
    }
    let config =
        StoreConfig::Postgres { url: "postgresql://u:hunter2@h/d?sslmode=maybe".into(), max_connections: 2 };
    let text = refusal(&config).await.to_string();
    assert!(text.contains("connection URL") && !text.contains("hunter2"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_survives_that_its_connections_are_cut() {
    let (database, place) = database().await;
    let store = place.open().await;
    store.meta.put("a", b"b").await.unwrap();
    database
        .run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        .await
        .unwrap();
    // Each dead connection may cost one request an error; none may cost two, and none hangs.
    let mut failures = 0;
    while store.meta.get("a").await.is_err() {
        failures += 1;
        assert!(failures <= 8);
    }
    assert_eq!(store.meta.get("a").await.unwrap().unwrap(), b"b");
}
