//! What the switches make of a token request, read once and before it is looked at.

use crate::behaviour::{Behaviour, seconds};
use crate::positions::HeldToken;

/// The conditions of a token request that do not come from the client.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) now: i64,
    /// Seconds that the access token lives.
    pub(crate) life: i64,
    pub(crate) rotation: Rotation,
    pub(crate) reuse_kills_family: bool,
    /// Seconds that a replaced refresh token still works.
    pub(crate) grace: i64,
    /// Seconds without use after which a grant is dead.
    pub(crate) idle: Option<i64>,
    pub(crate) kill_old_access: bool,
    pub(crate) pkce_ignored: bool,
    pub(crate) refresh_once: bool,
    pub(crate) cap: Option<usize>,
    pub(crate) two: bool,
}

/// What becomes of the refresh token at a refresh.
#[derive(Clone, Copy)]
pub(crate) enum Rotation {
    Held(HeldToken),
    Always,
    /// Once it is so many seconds old.
    ByClock(i64),
}

impl Terms {
    pub(crate) fn of(behaviour: &Behaviour, now: i64) -> Self {
        let rotation = match behaviour {
            Behaviour { keep_refresh_token: Some(held), .. } => Rotation::Held(*held),
            Behaviour { rotate_refresh_tokens: true, .. } => Rotation::Always,
            Behaviour { rotate_by_clock: Some(period), .. } => Rotation::ByClock((*period).into()),
            _ => Rotation::Held(HeldToken::Omitted),
        };
        Self {
            now,
            life: seconds(behaviour.token_life),
            rotation,
            reuse_kills_family: behaviour.reuse_kills_family,
            grace: behaviour.reuse_grace.into(),
            idle: behaviour.idle_death.map(i64::from),
            kill_old_access: behaviour.kill_old_access_token,
            pkce_ignored: behaviour.pkce_ignored,
            refresh_once: behaviour.refresh_token_once,
            cap: behaviour.grant_cap.map(|cap| usize::try_from(cap).unwrap_or(usize::MAX)),
            two: behaviour.two_tokens,
        }
    }
}
