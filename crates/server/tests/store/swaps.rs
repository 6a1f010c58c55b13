//! The conditions and effects of a grant's transitions, row by row: the statements do what `grants::swap` says.

use tessera_server::grants::machine::{CLIENT_CHANGED, Status};
use tessera_server::grants::swap;
use tessera_server::store::{ConnectionRow, ManagedRow, Settled, Store};

use crate::fixture::connection;

const APP: &str = "app";
const GENERATION: i64 = 7;
/// The last request's number.
const FENCE: i64 = 5;
const LEASE_UNTIL: i64 = 100;

/// Every row that differs in what a transition looks at.
fn rows() -> Vec<ManagedRow> {
    let mut rows = Vec::new();
    for status in 0..=3 {
        for phase in 0..=2 {
            for (answered, code) in [(FENCE - 1, "before"), (FENCE, "before"), (FENCE - 1, CLIENT_CHANGED)] {
                rows.push(ManagedRow {
                    held: b"held".to_vec(),
                    expires_at: Some(1_000),
                    issued_at: 10,
                    due_at: Some(900),
                    status,
                    code: code.into(),
                    phase,
                    fence: FENCE,
                    answered,
                    lease_until: LEASE_UNTIL,
                    attempts: 2,
                    client: "client".into(),
                    about: "about".into(),
                });
            }
        }
    }
    rows
}

fn row_of(user: &str, managed: ManagedRow) -> ConnectionRow {
    ConnectionRow { kind: 1, managed: Some(Box::new(managed)), ..connection(APP, user, GENERATION) }
}

async fn put(store: &Store, user: &str, managed: &ManagedRow) {
    assert!(store.connections.put(row_of(user, managed.clone()), None).await.unwrap());
}

async fn there(store: &Store, user: &str) -> (i64, ManagedRow) {
    let row = store.connections.read(APP, user).await.unwrap().unwrap();
    (row.generation, *row.managed.unwrap())
}

pub(crate) async fn a_claim_is_what_the_model_says(store: &Store) {
    for (index, before) in rows().into_iter().enumerate() {
        for (fence, generation, now) in [(5, 7, 100), (5, 7, 99), (4, 7, 100), (5, 6, 100)] {
            let user = format!("claim {index} {fence} {generation} {now}");
            put(store, &user, &before).await;
            let done = store.connections.claim((APP, &user), generation, fence, now, 200).await.unwrap();
            let may = generation == GENERATION && swap::may_claim(&before, fence, now);
            assert_eq!(done, may, "{user}: {before:?}");
            let mut expected = before.clone();
            if may {
                swap::claim(&mut expected, 200);
            }
            assert_eq!(there(store, &user).await, (GENERATION, expected), "{user}");
        }
    }
}

pub(crate) async fn an_answer_is_what_the_model_says(store: &Store) {
    for (index, before) in rows().into_iter().enumerate() {
        for (fence, generation) in [(4, 7), (5, 7), (6, 7), (5, 6)] {
            let user = format!("answer {index} {fence} {generation}");
            put(store, &user, &before).await;
            // Of what it brings, the row takes what it must and keeps the rest.
            let brought = ManagedRow {
                held: b"fresh".to_vec(),
                expires_at: Some(2_000),
                issued_at: 20,
                due_at: Some(1_900),
                status: Status::MissingScopes.code(),
                about: "told".into(),
                ..before.clone()
            };
            let fresh = ConnectionRow { generation: 8, ..row_of(&user, brought.clone()) };
            let done = store.connections.answer(fresh, generation, fence, false).await.unwrap();
            let may = generation == GENERATION && swap::may_answer(&before, fence);
            assert_eq!(done, may, "{user}: {before:?}");
            let mut expected = before.clone();
            if may {
                expected = brought;
                swap::answer(&mut expected, fence, Status::MissingScopes, Some(1_900));
            }
            let generation = if may { 8 } else { GENERATION };
            assert_eq!(there(store, &user).await, (generation, expected), "{user}");
        }
    }
}

pub(crate) async fn a_settlement_is_what_the_model_says(store: &Store) {
    for (index, before) in rows().into_iter().enumerate() {
        for (fence, generation) in [(5, 7), (4, 7), (6, 7), (5, 6)] {
            let user = format!("settle {index} {fence} {generation}");
            put(store, &user, &before).await;
            let settled =
                Settled { status: 1, code: "after".into(), phase: 2, attempts: 3, due_at: Some(300) };
            let place = (APP, user.as_str());
            let done =
                store.connections.settle(place, generation, fence, settled.clone(), None).await.unwrap();
            let may = generation == GENERATION && swap::may_settle(&before, fence);
            assert_eq!(done, may, "{user}: {before:?}");
            let mut expected = before.clone();
            if may {
                swap::settle(&mut expected, &settled);
            }
            assert_eq!(there(store, &user).await, (GENERATION, expected), "{user}");
        }
    }
}
