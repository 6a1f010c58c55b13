//! Named steps of a grant's life at which a test may end the process, and rules that a test may switch off to see that it
//! notices. Only where the feature `faults` is built in; elsewhere nothing is left of them.

/// Every step that has a name, in the order of a grant's life.
pub const STEPS: [&str; 9] =
    ["swapped", "kept", "before-claim", "claimed", "replied", "stored", "settled", "leaving", "revoked"];

/// Every rule that can be switched off, with what is not done then.
pub const SABOTAGES: [(&str, &str); 3] = [
    ("release-before-durable", "readers are given a new token before it is durable"),
    ("skip-the-fence", "an earlier request's late reply is written over a later one's"),
    ("forget-the-intent", "nothing durable says that a request is sent"),
];

#[cfg(feature = "faults")]
mod armed {
    use std::time::Duration;

    /// Ends the process here, if this is the step that the file has that `TESSERA_FAULT_FILE` names.
    pub(crate) fn point(name: &str) {
        let armed =
            std::env::var("TESSERA_FAULT_FILE").ok().and_then(|file| std::fs::read_to_string(file).ok());
        if armed.is_some_and(|step| step == name) {
            // No destructor, no flush, no goodbye: as `kill -9` has it.
            std::process::abort();
        }
    }

    /// Whether the rule of this name is switched off, by `TESSERA_SABOTAGE`.
    pub(crate) fn sabotaged(rule: &str) -> bool {
        std::env::var("TESSERA_SABOTAGE").is_ok_and(|name| name == rule)
    }

    /// Another length of a lease, ms, from `TESSERA_LEASE_MS`: shorter than a request may take.
    pub(crate) fn lease_ms() -> Option<i64> {
        std::env::var("TESSERA_LEASE_MS").ok()?.parse().ok()
    }

    /// What a newborn token may lack of its life, ms: nothing, so that one refresh can follow another at once.
    pub(crate) fn moment(_usual: i64) -> i64 {
        0
    }

    /// How long a write is late that should have come first.
    pub(crate) const LATE: Duration = Duration::from_secs(2);
}

#[cfg(not(feature = "faults"))]
mod armed {
    use std::time::Duration;

    /// Nothing.
    #[inline]
    pub(crate) fn point(_name: &str) {}

    /// Never.
    #[inline]
    pub(crate) fn sabotaged(_rule: &str) -> bool {
        false
    }

    /// None.
    #[inline]
    pub(crate) fn lease_ms() -> Option<i64> {
        None
    }

    /// What it is.
    #[inline]
    pub(crate) fn moment(usual: i64) -> i64 {
        usual
    }

    /// Not at all.
    pub(crate) const LATE: Duration = Duration::ZERO;
}

pub(crate) use armed::{LATE, lease_ms, moment, point, sabotaged};
