//! A token that lives long enough: what is there, or what a refresh brings.

use std::sync::Arc;

use super::super::standing::Standing;
use super::super::{Act, Error};
use super::machine::{self, Status};
use super::refresh::Outcome;
use super::want::Want;
use super::{APP_MANAGED, MANAGED, Managed, fault};
use crate::rate::Wait;
use crate::store::{ConnectionRow, ManagedRow};

/// How often a refresh is waited for: each but the first was begun by somebody who wanted less.
const TIMES: usize = 4;

impl Managed {
    /// How a connection stands whose token is as it is wanted, as nearly all are: then there is nothing to wait for.
    pub(in crate::grants) fn at_once(&self, row: &ConnectionRow, want: Want) -> Option<Standing> {
        let now = self.env.now_ms();
        let managed = row.managed.as_deref().filter(|managed| Status::of(managed.status) != Status::Dead)?;
        want.is_met(managed, now).then(|| machine::standing(managed, now))
    }

    /// The row whose token lives long enough, and how the connection stands; no row where a new consent is needed.
    pub(in crate::grants) async fn live(
        self: &Arc<Self>,
        act: &Act<'_>,
        mut row: Arc<ConnectionRow>,
        want: Want,
    ) -> Result<(Option<Arc<ConnectionRow>>, Standing), Error> {
        let begun = self.env.now_ms();
        for turn in 0..TIMES {
            let now = self.env.now_ms();
            let Some(managed) = row.managed.as_deref().filter(|_| row.kind == MANAGED) else {
                return Ok((None, Standing::NotConnected));
            };
            let status = Status::of(managed.status);
            if status == Status::Dead {
                return Ok((None, Standing::NeedsReconnect));
            }
            if want.is_met(managed, now) {
                let standing = machine::standing(managed, now);
                return Ok((Some(row), standing));
            }
            // A token has lived for a moment when it is given on: what only a newborn one has cannot be had.
            if let Want::AtLeast(asked) = want
                && let Some(lives) = life(managed)
                // Nor what one lacks that was got for this very read, where the provider is slow.
                && (asked > lives - fault::moment((lives / 10).min(1_000)) || turn > 0 && managed.issued_at >= begun)
            {
                return Err(Error::TooShort { asked: asked / 1_000, lives: lives / 1_000 });
            }
            match self.freshen(act, want).await {
                Outcome::Fresh | Outcome::Busy(_) => {}
                Outcome::Unrefreshable => return self.make_do(row, want, now, "no_refresh_token".into()),
                Outcome::Gone => return Ok((None, Standing::NotConnected)),
                Outcome::Dead => return Ok((None, Standing::NeedsReconnect)),
                Outcome::Failed(error) => return Err(Error::Refresh(error)),
                Outcome::Died => return Err(Error::Contended),
                Outcome::Later(until, code) => return self.make_do(row, want, until, code),
                Outcome::Fault(code) => return self.make_do(row, want, now + 60_000, code),
                Outcome::NoProvider => return self.make_do(row, want, now + 60_000, "no_provider".into()),
            }
            match self.connections.get(act.app.as_str(), act.actor).await? {
                Some(fresh) => row = fresh,
                None => return Ok((None, Standing::NotConnected)),
            }
        }
        let now = self.env.now_ms();
        self.make_do(row, want, now + 1_000, "contended".into())
    }

    /// How a connection stands. Nothing is opened.
    pub(in crate::grants) async fn standing(&self, act: &Act<'_>) -> Result<Standing, Error> {
        let Some(row) = self.connections.get(act.app.as_str(), act.actor).await? else {
            return Ok(Standing::NotConnected);
        };
        Ok(match (row.kind, row.managed.as_deref()) {
            (MANAGED, Some(managed)) => machine::standing(managed, self.env.now_ms()),
            (APP_MANAGED, _) => Standing::Connected,
            _ => Standing::NotConnected,
        })
    }

    /// Without a refresh: what is there serves whoever insists on nothing, as long as it lives.
    fn make_do(
        &self,
        row: Arc<ConnectionRow>,
        want: Want,
        until: i64,
        code: String,
    ) -> Result<(Option<Arc<ConnectionRow>>, Standing), Error> {
        let now = self.env.now_ms();
        let Some(managed) = row.managed.as_deref() else { return Ok((None, Standing::NotConnected)) };
        let alive = managed.expires_at.is_none_or(|at| at > now);
        let standing = machine::standing(managed, now);
        if alive && !matches!(want, Want::AtLeast(_)) {
            return Ok((Some(row), standing));
        }
        match (want, standing) {
            (_, Standing::NeedsReconnect) => Ok((None, standing)),
            // Waiting brings nothing: what is left is all that there will be.
            (Want::AtLeast(asked), _) if code == "no_refresh_token" => {
                let left = managed.expires_at.map_or(0, |at| at - now);
                Err(Error::TooShort { asked: asked / 1_000, lives: left / 1_000 })
            }
            _ => Err(Error::Unavailable { code, wait: Wait::of_ms(until - now) }),
        }
    }
}

/// What a fresh one lives, ms.
fn life(row: &ManagedRow) -> Option<i64> {
    Some(row.expires_at?.saturating_sub(row.issued_at))
}
