//! Each noun's contract.

use std::collections::HashSet;

use tessera_server::store::{AppRow, CredentialRow, DataKeyRow, Error, Store, UseRow};

use crate::fixture::{connection, in_parallel};

pub(crate) async fn meta_put_if_absent_gives_everyone_the_winner(store: &Store) {
    let answers = in_parallel(32, |index| {
        let meta = store.meta.clone();
        async move { meta.put_if_absent("tenant", &[index as u8]).await.unwrap() }
    })
    .await;
    let distinct: HashSet<_> = answers.iter().collect();
    assert_eq!(distinct.len(), 1);
    assert_eq!(store.meta.get("tenant").await.unwrap().as_ref(), answers.first());
    assert_eq!(store.meta.get("other").await.unwrap(), None);
}

pub(crate) async fn manifests_are_listed_replaced_and_taken_off(store: &Store) {
    let apps = &store.apps;
    assert_eq!(apps.manifest("b").await.unwrap(), None);
    apps.put_manifest("b", "{\"v\":1}", 1).await.unwrap();
    apps.put_manifest("a", "{}", 2).await.unwrap();
    apps.put_manifest("b", "{\"v\":2}", 3).await.unwrap();
    assert_eq!(apps.manifest("b").await.unwrap().unwrap(), "{\"v\":2}");
    let listed = apps.manifests().await.unwrap();
    assert_eq!(listed, [("a".into(), "{}".into()), ("b".into(), "{\"v\":2}".into())]);
    assert!(apps.delete_manifest("a").await.unwrap());
    assert!(!apps.delete_manifest("a").await.unwrap());
    assert_eq!(apps.manifests().await.unwrap().len(), 1);
}

pub(crate) async fn apps_compare_and_swap(store: &Store) {
    let apps = &store.apps;
    let row = |generation, sealed: Option<Vec<u8>>| AppRow {
        app: "hello".into(),
        doc: format!("{{\"generation\":{generation}}}"),
        sealed,
        generation,
        updated_at: generation * 10,
    };
    assert_eq!(apps.get("hello").await.unwrap(), None);
    assert!(!apps.put(row(2, None), Some(1)).await.unwrap(), "there is nothing to replace");
    assert_eq!(apps.get("hello").await.unwrap(), None);
    assert!(apps.put(row(1, None), None).await.unwrap());
    assert!(!apps.put(row(5, None), None).await.unwrap(), "it is there already");
    assert_eq!(*apps.get("hello").await.unwrap().unwrap(), row(1, None));
    assert!(apps.put(row(2, Some(vec![0, 255])), Some(1)).await.unwrap());
    assert!(!apps.put(row(3, None), Some(1)).await.unwrap(), "somebody else was faster");
    assert_eq!(*apps.get("hello").await.unwrap().unwrap(), row(2, Some(vec![0, 255])));
    assert_eq!(apps.list().await.unwrap(), [row(2, Some(vec![0, 255]))]);
    assert!(apps.delete("hello").await.unwrap());
    assert!(!apps.delete("hello").await.unwrap());
    assert_eq!(apps.get("hello").await.unwrap(), None);
}

pub(crate) async fn credentials_compare_and_swap(store: &Store) {
    let credentials = &store.credentials;
    let row = |generation| CredentialRow {
        app: "hello".into(),
        generation,
        sealed: vec![generation as u8; 40],
        updated_at: generation,
        updated_by: "sysadmin".into(),
    };
    assert_eq!(credentials.get("hello").await.unwrap(), None);
    assert!(credentials.put(row(1), None).await.unwrap());
    assert!(!credentials.put(row(1), None).await.unwrap());
    assert_eq!(*credentials.get("hello").await.unwrap().unwrap(), row(1));
    assert!(credentials.put(row(2), Some(1)).await.unwrap());
    assert!(!credentials.put(row(3), Some(1)).await.unwrap());
    assert_eq!(*credentials.get("hello").await.unwrap().unwrap(), row(2));
    assert_eq!(credentials.delete("hello").await.unwrap(), Some(2));
    assert_eq!(credentials.delete("hello").await.unwrap(), None);
    assert_eq!(credentials.get("hello").await.unwrap(), None);
}

pub(crate) async fn connections_compare_and_swap(store: &Store) {
    let connections = &store.connections;
    assert_eq!(connections.get("a", "u").await.unwrap(), None);
    assert!(connections.put(connection("a", "u", 1), None).await.unwrap());
    assert!(!connections.put(connection("a", "u", 9), None).await.unwrap());
    assert_eq!(*connections.get("a", "u").await.unwrap().unwrap(), connection("a", "u", 1));
    let mut second = connection("a", "u", 2);
    second.created_at = 5;
    second.kind = 1;
    assert!(connections.put(second.clone(), Some(1)).await.unwrap());
    second.created_at = 1_000;
    assert_eq!(*connections.get("a", "u").await.unwrap().unwrap(), second, "created_at stays");
    assert!(!connections.put(connection("a", "u", 3), Some(1)).await.unwrap());
    assert_eq!(connections.delete("a", "u").await.unwrap(), Some(2));
    assert_eq!(connections.delete("a", "u").await.unwrap(), None);
    assert_eq!(connections.get("a", "u").await.unwrap(), None);
}

pub(crate) async fn of_many_writers_of_one_generation_one_wins(store: &Store) {
    for expected in [None, Some(1), Some(2)] {
        let generation = expected.unwrap_or(0) + 1;
        let wins = in_parallel(64, |index| {
            let connections = store.connections.clone();
            async move {
                let mut row = connection("a", "u", generation);
                row.sealed = vec![index as u8];
                // Readers in between must not leave an old row behind in the cache.
                connections.get("a", "u").await.unwrap();
                connections.put(row, expected).await.unwrap()
            }
        })
        .await;
        assert_eq!(wins.iter().filter(|won| **won).count(), 1, "{expected:?}");
        let winner = wins.iter().position(|won| *won).unwrap();
        let stored = store.connections.get("a", "u").await.unwrap().unwrap();
        assert_eq!((stored.generation, stored.sealed[0]), (generation, winner as u8));
    }
}

pub(crate) async fn connections_are_listed_by_user_and_page_by_page(store: &Store) {
    let connections = &store.connections;
    // Bytewise order on every database: capitals, then small letters, then what is beyond ASCII.
    let users = ["B", "Z", "a", "b", "é"];
    for user in users.iter().rev() {
        assert!(connections.put(connection("one", user, 1), None).await.unwrap());
    }
    assert!(connections.put(connection("two", "a", 1), None).await.unwrap());
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = connections.list_app("one", &cursor, 2).await.unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        cursor = last.user.clone();
        seen.extend(page.into_iter().map(|row| row.user));
    }
    assert_eq!(seen, users);
    let of_user = connections.list_user("a").await.unwrap();
    assert_eq!(of_user, [connection("one", "a", 1), connection("two", "a", 1)]);
    assert_eq!(connections.count().await.unwrap(), 6);
    assert_eq!(connections.count_app("one").await.unwrap(), 5);
}

pub(crate) async fn uses_go_forward_and_end_with_their_connection(store: &Store) {
    let connections = &store.connections;
    connections.put(connection("a", "u", 1), None).await.unwrap();
    connections.put(connection("b", "u", 1), None).await.unwrap();
    connections.touch("a", "u", 100, "user").await.unwrap();
    connections.touch("a", "u", 90, "call").await.unwrap();
    connections.touch("a", "nobody", 100, "user").await.unwrap();
    let used = |app: &str, used_at, by: &str| UseRow {
        app: app.into(),
        user: "u".into(),
        used_at,
        used_by: by.into(),
    };
    assert_eq!(connections.uses_of("u").await.unwrap(), [used("a", 100, "user")]);
    assert_eq!(connections.uses_of("nobody").await.unwrap(), []);
    let many = vec![used("b", 120, "call"), used("a", 110, "call"), used("a", 130, "user")];
    connections.touch_all(many).await.unwrap();
    assert_eq!(connections.uses_of("u").await.unwrap(), [used("a", 130, "user"), used("b", 120, "call")]);
    connections.delete("a", "u").await.unwrap();
    assert_eq!(connections.uses_of("u").await.unwrap(), [used("b", 120, "call")]);
}

pub(crate) async fn connections_of_one_app_are_not_another_apps(store: &Store) {
    let connections = &store.connections;
    for app in ["one", "two"] {
        for user in ["u", "v"] {
            connections.put(connection(app, user, 1), None).await.unwrap();
        }
    }
    for user in ["u", "v"] {
        let row = connections.get("one", user).await.unwrap().unwrap();
        assert_eq!((row.app.as_str(), row.user.as_str()), ("one", user));
    }
    assert_eq!(connections.get("onet", "wo").await.unwrap(), None);
    let mut removed = connections.delete_app("one").await.unwrap();
    removed.sort();
    assert_eq!(removed, [("u".to_owned(), 1), ("v".to_owned(), 1)]);
    assert_eq!(connections.delete_app("one").await.unwrap(), []);
    assert_eq!(connections.get("one", "u").await.unwrap(), None);
    assert!(connections.get("two", "u").await.unwrap().is_some());
    assert_eq!(connections.count().await.unwrap(), 2);
}

fn key(id: u8, app: &str, user: &str) -> DataKeyRow {
    DataKeyRow {
        id: [id; 16],
        app: app.into(),
        user: user.into(),
        wrapped: vec![id; 48],
        root_key: "root-1".into(),
        created_at: 7,
    }
}

pub(crate) async fn of_many_new_keys_for_one_owner_one_wins(store: &Store) {
    assert_eq!(store.keys.get_for("a", "u").await.unwrap(), None);
    let rows = in_parallel(32, |index| {
        let keys = store.keys.clone();
        async move { keys.insert_if_absent(key(index as u8 + 1, "a", "u")).await.unwrap() }
    })
    .await;
    assert!(rows.iter().all(|row| row == &rows[0]), "all go on with the winner's key");
    assert_eq!(store.keys.get_for("a", "u").await.unwrap().as_ref(), Some(&rows[0]));
    assert_eq!(store.keys.get(&rows[0].id).await.unwrap().as_ref(), Some(&rows[0]));
    // The App's own key is another one, and ids are nobody's twice.
    let own = store.keys.insert_if_absent(key(100, "a", "")).await.unwrap();
    assert_eq!(own.id, [100; 16]);
    let refused = store.keys.insert_if_absent(key(100, "b", "u")).await;
    assert!(matches!(refused, Err(Error::Constraint(_))), "{refused:?}");
}

pub(crate) async fn rewrapping_needs_the_root_key_it_read(store: &Store) {
    store.keys.insert_if_absent(key(1, "a", "u")).await.unwrap();
    store.keys.get_for("a", "u").await.unwrap();
    store.keys.get(&[1; 16]).await.unwrap();
    assert!(store.keys.rewrap(&[1; 16], "root-1", &[9; 48], "root-2").await.unwrap());
    assert!(!store.keys.rewrap(&[1; 16], "root-1", &[8; 48], "root-2").await.unwrap());
    for row in [store.keys.get(&[1; 16]).await, store.keys.get_for("a", "u").await] {
        let row = row.unwrap().unwrap();
        assert_eq!((row.wrapped.as_slice(), row.root_key.as_str()), (&[9; 48][..], "root-2"));
    }
}

pub(crate) async fn destroyed_keys_are_gone_for_every_reader(store: &Store) {
    for (id, app, user) in [(1, "a", "u"), (2, "a", "v"), (3, "a", ""), (4, "b", "u")] {
        store.keys.insert_if_absent(key(id, app, user)).await.unwrap();
        assert!(store.keys.get(&[id; 16]).await.unwrap().is_some());
        assert!(store.keys.get_for(app, user).await.unwrap().is_some());
    }
    assert!(store.keys.delete_for("a", "u").await.unwrap());
    assert!(!store.keys.delete_for("a", "u").await.unwrap());
    assert_eq!(store.keys.get(&[1; 16]).await.unwrap(), None);
    assert_eq!(store.keys.get_for("a", "u").await.unwrap(), None);
    assert_eq!(store.keys.delete_app("a").await.unwrap(), 2);
    assert_eq!(store.keys.get_for("a", "").await.unwrap(), None);
    assert_eq!(store.keys.get(&[2; 16]).await.unwrap(), None);
    assert!(store.keys.get(&[4; 16]).await.unwrap().is_some());
}

pub(crate) async fn keys_are_listed_page_by_page(store: &Store) {
    for id in [200, 3, 90, 1, 255] {
        store.keys.insert_if_absent(key(id, "a", &id.to_string())).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let page = store.keys.list_after(cursor.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        cursor = Some(last.id);
        seen.extend(page.into_iter().map(|row| row.id[0]));
    }
    assert_eq!(seen, [1, 3, 90, 200, 255]);
}

pub(crate) async fn an_origin_is_new_once(store: &Store) {
    let new = in_parallel(32, |index| {
        let origins = store.origins.clone();
        async move { origins.see("a", "https://accounts.example.com", index as i64).await.unwrap() }
    })
    .await;
    assert_eq!(new.iter().filter(|new| **new).count(), 1);
    assert!(store.origins.see("b", "https://accounts.example.com", 5).await.unwrap(), "new for another App");
    assert!(store.origins.see("a", "http://accounts.example.com", 5).await.unwrap());
    let listed: Vec<_> = store.origins.list("a").await.unwrap().into_iter().map(|row| row.origin).collect();
    assert_eq!(listed, ["http://accounts.example.com", "https://accounts.example.com"]);
    assert_eq!(store.origins.forget_app("a").await.unwrap(), 2);
    assert_eq!(store.origins.list("a").await.unwrap(), []);
    assert_eq!(store.origins.list("b").await.unwrap().len(), 1);
}
