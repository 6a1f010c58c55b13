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
        flow: None,
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

pub(crate) async fn os_55_open_flows_are_bounded_per_user_and_app(store: &Store) {
    let states = &store.states;
    let row = |digest: u8, from: i64| StateRow {
        created_at: from,
        expires_at: from + 15 * MINUTE,
        ..state(digest)
    };
    for digest in 1..=3 {
        assert!(states.insert_within(row(digest, i64::from(digest) * MINUTE), 3).await.unwrap());
    }
    assert!(!states.insert_within(row(4, 4 * MINUTE), 3).await.unwrap());
    let other_user = StateRow { user: "user-2".into(), ..row(5, 4 * MINUTE) };
    let other_app = StateRow { app: "other".into(), ..row(6, 4 * MINUTE) };
    assert!(
        states.insert_within(other_user, 3).await.unwrap()
            && states.insert_within(other_app, 3).await.unwrap()
    );
    let twice = states.insert_within(row(1, 4 * MINUTE), 100).await;
    assert!(matches!(twice, Err(Error::Constraint(_))), "{twice:?}");

    // There is room again when the oldest of as many as there may be has ended, and not before.
    let frees = async |most| states.frees_at("user-1", "hello", 4 * MINUTE, most).await.unwrap();
    assert_eq!([frees(4).await, frees(3).await], [None, Some(16 * MINUTE)]);
    assert_eq!([frees(2).await, frees(1).await], [Some(17 * MINUTE), Some(18 * MINUTE)]);
    assert!(!states.insert_within(row(4, 16 * MINUTE - 1), 3).await.unwrap());
    assert!(states.insert_within(row(4, 16 * MINUTE), 3).await.unwrap());

    // One that is over makes room at once, however it ended.
    let owner = async |digest: u8, app| states.owner(&[digest; 32], app, 16 * MINUTE).await.unwrap();
    assert_eq!(
        [owner(4, "hello").await.as_deref(), owner(4, "other").await.as_deref()],
        [Some("user-1"), None]
    );
    assert_eq!(owner(1, "hello").await, None, "expired");
    states.forget(&[4; 32]).await.unwrap();
    assert_eq!(owner(4, "hello").await, None);
    assert!(states.redeem(&[2; 32], "user-1", "hello", BROWSER, 16 * MINUTE).await.unwrap().is_some());
    for digest in [7, 8] {
        assert!(states.insert_within(row(digest, 16 * MINUTE), 3).await.unwrap());
    }
    assert!(!states.insert_within(row(9, 16 * MINUTE), 3).await.unwrap());
}
