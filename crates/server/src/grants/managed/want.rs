//! What a reader wants of a token.

use crate::store::ManagedRow;

/// How much life a token must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// So many milliseconds; where the provider is out of reach, or its tokens live shorter, what there is will do.
    About(i64),
    /// So many milliseconds, or none at all.
    AtLeast(i64),
    /// A newer one than is due: nobody waits for it.
    Ahead,
}

impl Default for Want {
    fn default() -> Self {
        Self::About(60_000)
    }
}

impl Want {
    /// Whether a token has it.
    pub(super) fn is_met(self, row: &ManagedRow, now: i64) -> bool {
        let Some(expires_at) = row.expires_at else {
            return !matches!(self, Self::Ahead) || row.due_at.is_none_or(|due| due > now);
        };
        let left = expires_at.saturating_sub(now);
        match self {
            Self::AtLeast(ms) => left > 0 && left >= ms,
            // Half of its whole life is as much as may be wanted of it time and again.
            Self::About(ms) => left > 0 && left >= ms.min(expires_at.saturating_sub(row.issued_at) / 2),
            Self::Ahead => row.due_at.is_none_or(|due| due > now),
        }
    }
}
