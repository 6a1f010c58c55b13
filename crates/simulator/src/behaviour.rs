//! How the simulator behaves where providers differ.

use std::time::Duration;

/// The switches of a simulated provider. The defaults are those of a strict, ordinary provider, near Google's.
///
/// Every way in which a provider may differ, or misbehave, is a field here and read where the step happens, so
/// that one can be flipped while a flow is under way: see
/// [`Simulator::change_behaviour`](crate::Simulator::change_behaviour).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Behaviour {
    /// How long an access token lives, in whole seconds; told to the client as `expires_in`. Default: one hour.
    pub token_life: Duration,
    /// How long an authorization code may wait to be exchanged, in whole seconds. Default: ten minutes, the most
    /// that RFC 6749 §4.1.2 recommends.
    pub code_life: Duration,
    /// Whether each refresh gives a new refresh token and ends the old one (RFC 6749 §6). Default: no, as Google.
    pub rotate_refresh_tokens: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            token_life: Duration::from_secs(3600),
            code_life: Duration::from_secs(600),
            rotate_refresh_tokens: false,
        }
    }
}

/// `life` in seconds, for adding to a clock reading.
pub(crate) fn seconds(life: Duration) -> i64 {
    i64::try_from(life.as_secs()).unwrap_or(i64::MAX)
}
