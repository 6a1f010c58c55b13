//! Named steps of a refresh at which a test may end the process, and rules that a test may switch off to see that it
//! notices. Only where the feature `faults` is built in; elsewhere nothing is left of them.

/// Ends the process here, if this is the step that `TESSERA_FAULT` names.
#[cfg(feature = "faults")]
pub(super) fn point(name: &str) {
    if std::env::var("TESSERA_FAULT").is_ok_and(|step| step == name) {
        // No destructor, no flush, no goodbye: as `kill -9` has it.
        std::process::abort();
    }
}

/// Nothing.
#[cfg(not(feature = "faults"))]
#[inline]
pub(super) fn point(_name: &str) {}

/// Whether the rule of this name is switched off, by `TESSERA_SABOTAGE`.
#[cfg(feature = "faults")]
pub(super) fn sabotaged(rule: &str) -> bool {
    std::env::var("TESSERA_SABOTAGE").is_ok_and(|name| name == rule)
}

/// Never.
#[cfg(not(feature = "faults"))]
#[inline]
pub(super) fn sabotaged(_rule: &str) -> bool {
    false
}
