//! A provider's keys between calls: when they are asked for again, and what is used while they cannot be had.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tessera_types::AccessToken;
use tokio::sync::Notify;
use url::Url;

use super::Error;
use super::id_token::{Claims, Expected, Forged, verify};
use super::key_set::KeySet;
use crate::egress::Egress;

/// How old keys may be before new ones are asked for: a key that the provider took back is used no longer than that,
/// as long as the provider can be reached.
const FRESH_MS: i64 = 3_600_000;
/// How old they may be at all (OS-24): the limit of an outage.
const USABLE_MS: i64 = 24 * 3_600_000;
/// How long after a question the next one comes, whatever made it: an unknown key, or an outage.
const PAUSE_MS: i64 = 60_000;
/// The same while there are no keys at all, and nobody can sign in.
const PAUSE_WITHOUT_MS: i64 = 5_000;

/// What is known, and since when: data, without a clock.
#[derive(Debug, Clone, Default)]
pub struct Cached {
    keys: Option<(KeySet, i64)>,
    asked_ms: Option<i64>,
}

impl Cached {
    /// The keys that may be used at this time.
    pub fn usable(&self, now_ms: i64) -> Option<&KeySet> {
        self.keys.as_ref().filter(|(_, came)| now_ms - came < USABLE_MS).map(|(keys, _)| keys)
    }

    /// Whether the provider should be asked: there are none, they are old, or one of them is `missed`. Never twice within
    /// a minute, or within five seconds while there are none.
    pub fn is_due(&self, missed: bool, now_ms: i64) -> bool {
        let pause = if self.usable(now_ms).is_some() { PAUSE_MS } else { PAUSE_WITHOUT_MS };
        let rested = self.asked_ms.is_none_or(|asked| now_ms - asked >= pause);
        let fresh = self.keys.as_ref().is_some_and(|(_, came)| now_ms - came < FRESH_MS);
        rested && (missed || !fresh)
    }

    /// Takes in an answer to a question that was asked at this time; None where there was none: the old ones stay.
    pub fn answered(&mut self, keys: Option<KeySet>, asked_ms: i64) {
        self.asked_ms = Some(asked_ms);
        if let Some(keys) = keys {
            self.keys = Some((keys, asked_ms));
        }
    }
}

/// The keys of one address, for whoever verifies tokens of that provider to hold in an `Arc`. Nobody waits with a lock
/// for the provider, and while one asks the others wait for that answer.
#[derive(Debug)]
pub struct Keys {
    url: Url,
    state: Mutex<State>,
    answered: Notify,
}

#[derive(Debug, Default)]
struct State {
    cached: Cached,
    asking: bool,
    /// Why the last question had no answer.
    why: Option<Error>,
}

/// Why there are no claims.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// The token is not believed.
    #[error(transparent)]
    Forged(#[from] Forged),
    /// The provider's keys cannot be had, and there are none from before: it passes.
    #[error("the provider's keys cannot be read: {0}")]
    NoKeys(Error),
}

/// What one who needs keys is to do.
enum Turn {
    Use(KeySet),
    Ask,
    Wait,
    None(Error),
}

impl Keys {
    /// None yet: they are asked for when a token is to be verified.
    pub fn new(url: Url) -> Self {
        Self { url, state: Mutex::default(), answered: Notify::new() }
    }

    /// Checks a token, asking for the keys when that is due. See [`verify`].
    ///
    /// # Errors
    /// Why it is not believed, or that there are no keys.
    pub async fn verify(
        &self,
        egress: &Egress,
        token: &AccessToken,
        expected: Expected<'_>,
    ) -> Result<Claims, Unverified> {
        let now_ms = expected.now_ms;
        let keys = self.keys(egress, false, now_ms).await?;
        match verify(token, &keys, expected) {
            Err(Forged::UnknownKey) => {
                let keys = self.keys(egress, true, now_ms).await?;
                Ok(verify(token, &keys, expected)?)
            }
            other => Ok(other?),
        }
    }

    async fn keys(&self, egress: &Egress, missed: bool, now_ms: i64) -> Result<KeySet, Unverified> {
        let mut missed = missed;
        loop {
            // Made before the state is looked at, so that no answer comes in between unheard.
            let answered = self.answered.notified();
            let turn = self.turn(missed, now_ms);
            match turn {
                Turn::Use(keys) => return Ok(keys),
                Turn::None(why) => return Err(Unverified::NoKeys(why)),
                Turn::Wait => answered.await,
                Turn::Ask => {
                    let asking = Asking(self);
                    let found = KeySet::fetch(egress, &self.url).await;
                    let mut state = self.lock();
                    let (keys, why) = match found {
                        Ok(keys) => (Some(keys), None),
                        Err(why) => (None, Some(why)),
                    };
                    state.cached.answered(keys, now_ms);
                    state.why = why;
                    drop(state);
                    drop(asking);
                }
            }
            // Whoever asked or waited has the newest that there is.
            missed = false;
        }
    }

    fn turn(&self, missed: bool, now_ms: i64) -> Turn {
        let mut state = self.lock();
        let usable = state.cached.usable(now_ms).cloned();
        if state.asking && (missed || usable.is_none()) {
            return Turn::Wait;
        }
        if !state.asking && state.cached.is_due(missed, now_ms) {
            state.asking = true;
            return Turn::Ask;
        }
        match usable {
            Some(keys) => Turn::Use(keys),
            None => {
                let silent = || Error::Field("jwks_url".to_owned(), "was not answered".to_owned());
                Turn::None(state.why.clone().unwrap_or_else(silent))
            }
        }
    }

    /// Never held across an outgoing call.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who asks; however that ends, also by being dropped, the others go on.
struct Asking<'a>(&'a Keys);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.lock().asking = false;
        self.0.answered.notify_waiters();
    }
}
