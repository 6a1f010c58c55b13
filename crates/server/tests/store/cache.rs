//! The cache never shows what a finished write has replaced.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tessera_server::store::cache::{Cache, Limits};
use tessera_server::store::{Invalidation, Statement, Store, Topic};

use crate::fixture::{Place, connection};

fn cache(entries: usize, bytes: usize, on: bool) -> Cache<String, Arc<str>> {
    Cache::new("noun", Limits { entries, bytes }, |value| value.len(), on, Topic::new(16))
}

fn key() -> String {
    "key".into()
}

#[test]
fn a_reader_that_loaded_the_old_value_cannot_put_it_back() {
    let cache = cache(1000, 1 << 20, true);
    let reader = cache.ticket(&key());
    let old: Arc<str> = "old".into();
    // The writer's change is on disk, and answered, before the slow reader hands in what it had read.
    cache.invalidate(&key());
    cache.insert(reader, key(), old.clone());
    assert_eq!(cache.get(&key()), None);

    // The other order: the old value is in, the writer takes it out.
    cache.insert(cache.ticket(&key()), key(), old.clone());
    assert_eq!(cache.get(&key()), Some(old.clone()));
    cache.invalidate(&key());
    assert_eq!(cache.get(&key()), None);

    // Of two readers the first stays: the second may have read before it.
    let (first, second) = (cache.ticket(&key()), cache.ticket(&key()));
    cache.insert(first, key(), "new".into());
    cache.insert(second, key(), old);
    assert_eq!(cache.get(&key()).as_deref(), Some("new"));

    let reader = cache.ticket(&key());
    cache.clear();
    cache.insert(reader, key(), "old".into());
    assert_eq!(cache.get(&key()), None);
}

#[test]
fn it_is_bounded_in_entries_and_bytes() {
    let fill = |cache: &Cache<String, Arc<str>>, count: usize, size: usize| {
        let value: Arc<str> = "x".repeat(size).into();
        for index in 0..count {
            let key = index.to_string();
            cache.insert(cache.ticket(&key), key, value.clone());
        }
        (0..count).filter(|index| cache.get(&index.to_string()).is_some()).count()
    };
    let kept = fill(&cache(160, 1 << 20, true), 10_000, 1);
    assert!((100..=160).contains(&kept), "{kept}");
    let kept = fill(&cache(100_000, 16_000, true), 10_000, 100);
    assert!((100..=160).contains(&kept), "{kept}");
    assert_eq!(fill(&cache(1000, 16_000, true), 10, 2_000), 0, "more than a shard may hold");
    assert_eq!(fill(&cache(1000, 1 << 20, false), 10, 1), 0, "off");
}

/// Changes a row behind the noun's back.
async fn behind_its_back(store: &Store) {
    let sql = "UPDATE connections SET sealed = $1 WHERE app = $2";
    let written = store.engine().write(Statement::new(sql, vec![b"changed".into(), "a".into()])).await;
    assert_eq!(written.unwrap().affected, 1);
}

#[tokio::test]
async fn a_hot_read_asks_no_database_where_nobody_else_writes() {
    let place = Place::disk();
    let store = place.open().await;
    assert!(store.engine().sole_writer());
    store.connections.put(connection("a", "u", 1), None).await.unwrap();
    let first = store.connections.get("a", "u").await.unwrap().unwrap();
    behind_its_back(&store).await;
    let second = store.connections.get("a", "u").await.unwrap().unwrap();
    assert!(Arc::ptr_eq(&first, &second), "it came from the cache");
    // That nobody is connected is remembered too, until somebody is.
    assert_eq!(store.connections.get("a", "v").await.unwrap(), None);
    assert!(store.connections.put(connection("a", "v", 1), None).await.unwrap());
    assert!(store.connections.get("a", "v").await.unwrap().is_some());
}

#[tokio::test]
async fn on_postgres_another_nodes_write_is_seen_at_once() {
    let place = Place::postgres().await;
    let (here, there) = (place.open().await, place.open().await);
    assert!(!here.engine().sole_writer());
    here.connections.put(connection("a", "u", 1), None).await.unwrap();
    here.connections.get("a", "u").await.unwrap().unwrap();
    assert!(there.connections.put(connection("a", "u", 2), Some(1)).await.unwrap());
    assert_eq!(here.connections.get("a", "u").await.unwrap().unwrap().generation, 2);
}

#[tokio::test]
async fn a_write_whose_asker_went_away_is_still_forgotten() {
    let store = Place::memory().open().await;
    store.connections.put(connection("a", "u", 1), None).await.unwrap();
    store.connections.get("a", "u").await.unwrap().unwrap();
    let mut heard = store.topic().subscribe();
    {
        let asked = pin!(store.connections.put(connection("a", "u", 2), Some(1)));
        let polled = asked.poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Pending));
        // Dropped half way, as when a client hangs up.
    }
    let expected = Invalidation { noun: "connections", key: Some(vec!["a".into(), "u".into()]) };
    assert_eq!(heard.recv().await.unwrap(), expected);
    assert_eq!(store.connections.get("a", "u").await.unwrap().unwrap().generation, 2);
    store.connections.delete_app("a").await.unwrap();
    assert_eq!(heard.recv().await.unwrap(), Invalidation { noun: "connections", key: None });
}
