//! What each write to a grant's row asks of the row, and what it makes of it: the conditions of the statements in
//! `store/managed.rs`, as values. A model walks every order in which they can come (`tests/managed/model`), and a test
//! holds them against the statements themselves, row by row (`tests/store/swaps.rs`).

use super::machine::{ASKED, CLIENT_CHANGED, REST, Status};
use crate::store::{ManagedRow, Settled};

/// Whether the request after `fence` may be claimed at `now`: nobody claimed it before, the grant is alive, and whoever
/// claimed the last one has had its time.
pub fn may_claim(row: &ManagedRow, fence: i64, now: i64) -> bool {
    row.fence == fence
        && Status::of(row.status) != Status::Dead
        && (row.phase != ASKED || row.lease_until <= now)
}

/// What a claim makes of the row. Should no reply ever come, the grant is looked at when the lease ends.
pub fn claim(row: &mut ManagedRow, lease_until: i64) {
    row.phase = ASKED;
    row.fence += 1;
    row.lease_until = lease_until;
    row.due_at = Some(lease_until);
}

/// Whether the reply of request `fence` may be stored: no later one's is there, and the App's client is still the one
/// that asked (OS-37).
pub fn may_answer(row: &ManagedRow, fence: i64) -> bool {
    row.answered < fence && row.code != CLIENT_CHANGED
}

/// What the reply of request `fence` makes of the row; what came with it is the caller's to put in. A later request that
/// is under way stays so: its reply comes after this one.
pub fn answer(row: &mut ManagedRow, fence: i64, status: Status, due_at: Option<i64>) {
    row.answered = fence;
    row.status = status.code();
    row.code.clear();
    row.attempts = 0;
    row.due_at = due_at;
    if row.fence == fence {
        row.phase = REST;
        row.lease_until = 0;
    }
}

/// Whether the failure of request `fence` may be noted: it is the last one, and under way.
pub fn may_settle(row: &ManagedRow, fence: i64) -> bool {
    row.fence == fence && row.phase == ASKED
}

/// What a failure makes of the row.
pub fn settle(row: &mut ManagedRow, settled: &Settled) {
    row.status = settled.status;
    row.code.clone_from(&settled.code);
    row.phase = settled.phase;
    row.attempts = settled.attempts;
    row.due_at = settled.due_at;
    row.lease_until = 0;
}
