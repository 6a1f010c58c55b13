//! Calls that wait for their person to agree.

use tessera_server::store::Store;

const MINUTE: i64 = 60_000;

pub(crate) async fn what_was_asked_is_given_once_to_who_asked(store: &Store) {
    let asked = &store.asked;
    asked.keep("ann", "hello", &[1; 32], b"first", 0, 10 * MINUTE).await.unwrap();
    for (person, app, digest, now) in [
        ("bob", "hello", [1; 32], MINUTE),
        ("ann", "other", [1; 32], MINUTE),
        ("ann", "hello", [2; 32], MINUTE),
        ("ann", "hello", [1; 32], 10 * MINUTE),
    ] {
        assert_eq!(asked.take(person, app, &digest, now).await.unwrap(), None, "{person} {app} {now}");
    }
    // Of many who take it at the same time one has it.
    let takes = (0..8).map(|_| {
        let asked = asked.clone();
        async move { asked.take("ann", "hello", &[1; 32], MINUTE).await.unwrap() }
    });
    let taken = futures_util::future::join_all(takes).await;
    let taken: Vec<_> = taken.into_iter().flatten().collect();
    assert_eq!(taken, [b"first".to_vec()]);
    // The last one counts, and what has expired goes when another one comes.
    asked.keep("ann", "hello", &[1; 32], b"second", 0, 10 * MINUTE).await.unwrap();
    asked.keep("ann", "hello", &[3; 32], b"third", 0, 10 * MINUTE).await.unwrap();
    assert_eq!(asked.take("ann", "hello", &[1; 32], MINUTE).await.unwrap(), None);
    asked.keep("bob", "hello", &[4; 32], b"fourth", 10 * MINUTE, 20 * MINUTE).await.unwrap();
    assert_eq!(asked.take("ann", "hello", &[3; 32], MINUTE).await.unwrap(), None, "swept");
    assert_eq!(asked.take("bob", "hello", &[4; 32], 11 * MINUTE).await.unwrap(), Some(b"fourth".to_vec()));
}
