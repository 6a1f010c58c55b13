//! What is to be done about a grant, and what becomes of it: the states of `docs/adr/0009-refresh.md`, without a clock,
//! a database or a provider, so that a test can walk all of them.

use super::super::standing::Standing;
use crate::providers::{Class, Failure, refuses_client};
use crate::store::{ManagedRow, Settled};

/// How a grant stands, as its row has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It works, and everything that was asked for was granted.
    Connected,
    /// Only a new consent helps.
    Dead,
    /// The person must do something at the provider first; then it may work again.
    UserAction,
    /// It works, with fewer scopes than were asked for.
    MissingScopes,
}

impl Status {
    /// What a row holds.
    pub const fn code(self) -> i64 {
        match self {
            Self::Connected => 0,
            Self::Dead => 1,
            Self::UserAction => 2,
            Self::MissingScopes => 3,
        }
    }

    /// What a row's number means. One that nobody knows is no grant to rely on.
    pub const fn of(code: i64) -> Self {
        match code {
            0 => Self::Connected,
            2 => Self::UserAction,
            3 => Self::MissingScopes,
            _ => Self::Dead,
        }
    }
}

/// The code of a grant that was made with another client, or at other endpoints, than the App has now: what is still on
/// its way for it comes too late.
pub const CLIENT_CHANGED: &str = "client_changed";

/// At rest.
pub const REST: i64 = 0;
/// A request may be under way: whoever holds the lease waits for its reply.
pub const ASKED: i64 = 1;
/// A request was sent, and nobody knows what became of it: the refresh token may be spent.
pub const UNKNOWN: i64 = 2;

/// What a provider's ways mean for a lost reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Whether a refresh may spend the refresh token.
    pub rotates: bool,
    /// For how long a spent one still works, ms.
    pub grace_ms: i64,
}

/// What whoever wants a fresher token is to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Send a request: number `fence`.
    Ask {
        /// The number that a claim gives it.
        fence: i64,
        /// Whether it is not known what became of the one before: a refusal then says that its reply was lost.
        after_unknown: bool,
    },
    /// Somebody else's request is under way, at the latest until then (Unix ms).
    Wait(i64),
    /// The last one failed: the next one may be sent then (Unix ms).
    Pause(i64),
    /// Nothing will help but a new consent.
    Dead,
}

/// How a grant stands for Apps and people.
pub fn standing(row: &ManagedRow, now: i64) -> Standing {
    let ended = row.expires_at.is_some_and(|at| at <= now);
    match Status::of(row.status) {
        Status::Dead | Status::UserAction => Standing::NeedsReconnect,
        _ if ended && row.attempts > 0 => Standing::Unavailable,
        Status::Connected => Standing::Connected,
        Status::MissingScopes => Standing::MissingScopes,
    }
}

/// The next step for a grant whose token somebody wants fresher.
pub fn next(row: &ManagedRow, now: i64) -> Next {
    let ask = |after_unknown| Next::Ask { fence: row.fence + 1, after_unknown };
    let paused = row.due_at.filter(|due| row.attempts > 0 && *due > now);
    match (Status::of(row.status), row.phase) {
        (Status::Dead, _) => Next::Dead,
        (_, ASKED) if row.lease_until > now => Next::Wait(row.lease_until),
        // Whoever asked is gone, or so slow that its reply no longer counts on being the only one.
        (_, ASKED) => ask(true),
        (_, phase) => match paused {
            Some(until) => Next::Pause(until),
            None => ask(phase == UNKNOWN),
        },
    }
}

/// What a failure makes of a grant.
#[derive(Debug, Clone)]
pub struct Fallen {
    /// What the row says from now on.
    pub settled: Settled,
    /// Whether the grant ended, or needs its person, just now: worth a word.
    pub news: bool,
    /// Whether it ended although nothing of ours was lost: somebody else ended it, or used its refresh token (OS-38).
    pub foreign: bool,
    /// Whether the App's client is refused: no grant's fault, and an administrator's work.
    pub fault: bool,
}

/// The longest pause between two tries of one grant, ms.
const LONGEST: i64 = 5 * 60_000;
/// The pause after a request that an administrator would have to mend, ms.
const FOR_OPERATOR: i64 = 15 * 60_000;
/// The first pause for a person to do something, ms.
const FOR_PERSON: i64 = 6 * 3_600_000;

/// What becomes of the grant when the request brought no token. `spread` is between 0 and 1 and keeps grants apart.
pub fn fallen(
    row: &ManagedRow,
    after_unknown: bool,
    failure: &Failure,
    rules: Rules,
    now: i64,
    spread: f64,
) -> Fallen {
    let attempts = row.attempts + 1;
    let unknown = rules.rotates && (failure.outcome_unknown || after_unknown);
    let kept = if unknown { UNKNOWN } else { REST };
    let asked = failure.retry_after.map_or(0, |wait| i64::try_from(wait.as_millis()).unwrap_or(LONGEST));
    let mut pause = pause(attempts, spread);
    if unknown && rules.grace_ms > 0 {
        // The spent token works for this long: the retry must not come after it.
        pause = pause.min(rules.grace_ms / 8);
    }
    let settled = |status: Status, phase, due_at| Settled {
        status: status.code(),
        code: failure.code.clone(),
        phase,
        attempts,
        due_at,
    };
    let same = match Status::of(row.status) {
        Status::UserAction => Status::Connected,
        status => status,
    };
    let fallen = |settled, news, foreign, fault| Fallen { settled, news, foreign, fault };
    match failure.class {
        Class::Transient => fallen(settled(same, kept, Some(now + pause.max(asked))), false, false, false),
        // A client that is refused is refused for all of its grants; whatever else is wrong may be this one's alone.
        Class::Operator => {
            let fault = refuses_client(failure);
            let due = (!fault).then_some(now + pause.max(asked).max(FOR_OPERATOR));
            fallen(settled(same, kept, due), false, false, fault)
        }
        Class::User => {
            let wait = FOR_PERSON.saturating_mul(1 << attempts.clamp(1, 3) >> 1);
            let news = Status::of(row.status) != Status::UserAction;
            fallen(settled(Status::UserAction, kept, Some(now + wait)), news, false, false)
        }
        Class::Terminal => fallen(settled(Status::Dead, REST, None), true, !after_unknown, false),
    }
}

/// One second, doubled with each failure, spread by a quarter, five minutes at most.
fn pause(attempts: i64, spread: f64) -> i64 {
    let whole = 1_000_i64.saturating_mul(1 << attempts.clamp(1, 20).saturating_sub(1)).min(LONGEST);
    whole - (whole as f64 / 4.0 * spread) as i64
}

/// When a fresh token is looked at by itself: a fifth of its life before its end, ten minutes at most, spread by a
/// quarter of that.
pub fn due(issued_at: i64, expires_at: Option<i64>, spread: f64) -> Option<i64> {
    let life = expires_at?.saturating_sub(issued_at);
    let ahead = (life / 5).min(600_000);
    Some(expires_at?.saturating_sub(ahead).saturating_add((ahead as f64 / 4.0 * spread) as i64))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn row() -> ManagedRow {
        ManagedRow {
            held: Vec::new(),
            expires_at: Some(10_000),
            issued_at: 0,
            due_at: Some(8_000),
            status: 0,
            code: String::new(),
            phase: REST,
            fence: 4,
            answered: 4,
            lease_until: 0,
            attempts: 0,
            client: String::new(),
            about: String::new(),
        }
    }

    fn failure(class: Class, outcome_unknown: bool) -> Failure {
        Failure { class, code: "x".into(), status: 400, retry_after: None, outcome_unknown }
    }

    const ROTATES: Rules = Rules { rotates: true, grace_ms: 60_000 };

    #[test]
    fn a_lease_is_waited_for_and_then_taken_over_as_unknown() {
        let asked = ManagedRow { phase: ASKED, fence: 5, lease_until: 100, ..row() };
        assert_eq!(next(&asked, 99), Next::Wait(100));
        assert_eq!(next(&asked, 100), Next::Ask { fence: 6, after_unknown: true });
    }

    #[test]
    fn a_due_time_in_the_future_holds_nobody_back_but_a_pause_does() {
        assert_eq!(next(&row(), 0), Next::Ask { fence: 5, after_unknown: false });
        let failed = ManagedRow { attempts: 1, ..row() };
        assert_eq!(next(&failed, 0), Next::Pause(8_000));
        assert_eq!(next(&failed, 8_000), Next::Ask { fence: 5, after_unknown: false });
    }

    #[test]
    fn os_33_only_a_terminal_refusal_ends_a_grant() {
        for class in [Class::Transient, Class::Operator, Class::User] {
            for lost in [false, true] {
                let fallen = fallen(&row(), false, &failure(class, lost), ROTATES, 0, 0.0);
                assert_ne!(Status::of(fallen.settled.status), Status::Dead, "{class:?}");
            }
        }
        let dead = fallen(&row(), false, &failure(Class::Terminal, false), ROTATES, 0, 0.0);
        assert_eq!(Status::of(dead.settled.status), Status::Dead);
        assert!(dead.news && dead.foreign);
        let lost = fallen(&row(), true, &failure(Class::Terminal, false), ROTATES, 0, 0.0);
        assert!(lost.news && !lost.foreign, "our own lost reply is nobody's attack");
    }

    #[test]
    fn a_refused_client_is_everybodys_and_another_refusal_one_grants() {
        let told = |code: &str| {
            let failure = Failure { code: code.into(), ..failure(Class::Operator, false) };
            let fallen = fallen(&row(), false, &failure, ROTATES, 0, 0.0);
            (fallen.fault, fallen.settled.due_at)
        };
        assert_eq!(told("invalid_client"), (true, None));
        assert_eq!(told("http_401"), (true, None));
        assert_eq!(told("invalid_request"), (false, Some(900_000)));
        assert_eq!(told("http_404"), (false, Some(900_000)));
    }

    #[test]
    fn an_unknown_outcome_is_remembered_only_where_tokens_are_spent_and_the_retry_lies_within_the_grace() {
        let lost = failure(Class::Transient, true);
        let fallen_ = fallen(&row(), false, &lost, Rules { rotates: true, grace_ms: 2_000 }, 0, 0.0);
        assert_eq!((fallen_.settled.phase, fallen_.settled.due_at), (UNKNOWN, Some(250)));
        let still = fallen(
            &ManagedRow { phase: ASKED, attempts: 3, ..row() },
            true,
            &failure(Class::Transient, false),
            ROTATES,
            0,
            0.0,
        );
        assert_eq!(
            still.settled.phase, UNKNOWN,
            "a refused connection does not say what became of the one before"
        );
        let kept = fallen(&row(), false, &lost, Rules { rotates: false, grace_ms: 0 }, 0, 0.0);
        assert_eq!(kept.settled.phase, REST);
    }

    #[test]
    fn pauses_double_are_spread_and_a_provider_that_asks_for_longer_gets_it() {
        assert_eq!([1, 2, 3, 9, 60].map(|n| pause(n, 0.0)), [1_000, 2_000, 4_000, 256_000, 300_000]);
        assert_eq!(pause(1, 1.0), 750);
        let told = Failure { retry_after: Some(Duration::from_secs(90)), ..failure(Class::Transient, false) };
        let fallen = fallen(&row(), false, &told, ROTATES, 1_000, 0.0);
        assert_eq!(fallen.settled.due_at, Some(91_000));
    }

    #[test]
    fn a_token_is_looked_at_before_its_end() {
        assert_eq!(due(0, Some(3_600_000), 0.0), Some(3_000_000));
        assert_eq!(due(0, Some(3_600_000), 1.0), Some(3_150_000));
        assert_eq!(due(0, Some(30_000), 0.0), Some(24_000));
        assert_eq!(due(0, None, 0.5), None);
    }
}
