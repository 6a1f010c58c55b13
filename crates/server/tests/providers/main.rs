//! Providers: descriptors, the requests that are made from them, and what replies mean.

#![expect(clippy::unwrap_used, reason = "what cannot be had ends the test")]

mod descriptors;
mod failures;
mod golden;
mod metadata;
mod replies;
#[cfg(feature = "demo")]
mod simulated;
#[cfg(feature = "demo")]
mod stage;
mod still;
