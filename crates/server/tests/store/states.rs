//! One-time things are spent once.

use tessera_server::store::{Error, StateRow, Store};

use crate::fixture::in_parallel;

const MINUTE: i64 = 60_000;
const BROWSER: &[u8] = &[7; 32];

fn state(digest: u8) -> StateRow {
    StateRow {
        digest: [digest; 32],
        user: "user-1".into(),
        app: "hello".into(),
        browser: BROWSER.into(),
        redirect: "https://site.example.com/plugins/com.mattermost.apps/apps/hello/oauth2/remote/complete"
            .into(),
        created_at: 0,
        expires_at: 15 * MINUTE,
    }
}

pub(crate) async fn os_03_of_200_parallel_redeems_one_wins(store: &Store) {
    store.states.insert(state(1)).await.unwrap();
    let won = in_parallel(200, |_| {
        let states = store.states.clone();
        async move { states.redeem(&[1; 32], "user-1", "hello", BROWSER, MINUTE).await.unwrap() }
    })
    .await;
    let won: Vec<_> = won.into_iter().flatten().collect();
    assert_eq!(won, [state(1)]);
}

pub(crate) async fn os_03_a_wrong_user_app_or_browser_consumes_nothing(store: &Store) {
    let states = &store.states;
    states.insert(state(1)).await.unwrap();
    let mut bearer = state(2);
    bearer.browser = Vec::new();
    states.insert(bearer).await.unwrap();
    for (digest, user, app, browser) in [
        (9, "user-1", "hello", BROWSER),
        (1, "user-2", "hello", BROWSER),
        (1, "", "hello", BROWSER),
        (1, "user-1", "other", BROWSER),
        (1, "user-1", "hello", &[8; 32][..]),
        (1, "user-1", "hello", &[][..]),
        (2, "user-2", "hello", &[][..]),
        (2, "user-1", "other", BROWSER),
    ] {
        let redeemed = states.redeem(&[digest; 32], user, app, browser, MINUTE).await.unwrap();
        assert_eq!(redeemed, None, "{digest} {user} {app}");
    }
    assert_eq!(states.redeem(&[1; 32], "user-1", "hello", BROWSER, MINUTE).await.unwrap(), Some(state(1)));
    assert_eq!(states.redeem(&[1; 32], "user-1", "hello", BROWSER, MINUTE).await.unwrap(), None);
    // Begun without a browser: bound to the person alone, whichever browser comes back (OS-05).
    let redeemed = states.redeem(&[2; 32], "user-1", "hello", BROWSER, MINUTE).await.unwrap();
    assert_eq!(redeemed.unwrap().digest, [2; 32]);
    assert_eq!(states.redeem(&[2; 32], "user-1", "hello", b"", MINUTE).await.unwrap(), None);
}

pub(crate) async fn os_04_a_state_dies_at_its_time_and_is_swept(store: &Store) {
    let states = &store.states;
    for digest in 1..=5 {
        states.insert(state(digest)).await.unwrap();
    }
    let redeem = async |now| states.redeem(&[1; 32], "user-1", "hello", BROWSER, now).await.unwrap();
    assert_eq!(redeem(15 * MINUTE).await, None, "at its end it is over");
    assert_eq!(redeem(16 * MINUTE).await, None);
    assert_eq!(redeem(15 * MINUTE - 1).await, Some(state(1)), "refusals did not consume it");
    states.park(&[1; 32], b"sealed", 15 * MINUTE).await.unwrap();

    assert_eq!(states.sweep(15 * MINUTE - 1, 100).await.unwrap(), 0);
    assert_eq!(states.sweep(15 * MINUTE, 3).await.unwrap(), 3 + 1, "three flows and what was parked");
    assert_eq!(states.sweep(15 * MINUTE, 3).await.unwrap(), 1);
    assert_eq!(states.sweep(15 * MINUTE, 3).await.unwrap(), 0);
    assert_eq!(states.count_pending("user-1", "hello", 0).await.unwrap(), 0, "no row is left");
}

pub(crate) async fn pending_flows_are_counted_per_user_and_app(store: &Store) {
    let states = &store.states;
    for digest in 1..=3 {
        states.insert(state(digest)).await.unwrap();
    }
    let mut other = state(4);
    other.user = "user-2".into();
    states.insert(other).await.unwrap();
    assert_eq!(states.count_pending("user-1", "hello", MINUTE).await.unwrap(), 3);
    assert_eq!(states.count_pending("user-2", "hello", MINUTE).await.unwrap(), 1);
    assert_eq!(states.count_pending("user-1", "other", MINUTE).await.unwrap(), 0);
    assert_eq!(states.count_pending("user-1", "hello", 15 * MINUTE).await.unwrap(), 0);
}

pub(crate) async fn a_state_cannot_be_inserted_twice(store: &Store) {
    store.states.insert(state(1)).await.unwrap();
    let mut thief = state(1);
    thief.user = "user-2".into();
    let refused = store.states.insert(thief).await;
    assert!(matches!(refused, Err(Error::Constraint(_))), "{refused:?}");
    let kept = store.states.redeem(&[1; 32], "user-1", "hello", BROWSER, MINUTE).await.unwrap();
    assert_eq!(kept, Some(state(1)));
}

pub(crate) async fn a_parked_completion_is_taken_once(store: &Store) {
    let states = &store.states;
    states.park(&[1; 32], b"sealed query", 5 * MINUTE).await.unwrap();
    assert_eq!(states.unpark(&[2; 32], MINUTE).await.unwrap(), None);
    assert_eq!(states.unpark(&[1; 32], 5 * MINUTE).await.unwrap(), None, "over");
    let taken = in_parallel(32, |_| {
        let states = store.states.clone();
        async move { states.unpark(&[1; 32], MINUTE).await.unwrap() }
    })
    .await;
    let taken: Vec<_> = taken.into_iter().flatten().collect();
    assert_eq!(taken, [b"sealed query"]);
}
