//! Providers: descriptors, the requests that are made from them, and what replies mean.

#![expect(clippy::unwrap_used, reason = "what cannot be had ends the test")]

mod assertions;
mod descriptors;
mod failures;
mod golden;
mod guide;
mod id_tokens;
mod keys;
mod metadata;
mod polls;
mod probes;
#[cfg(feature = "demo")]
mod protocols;
mod replies;
mod signer;
#[cfg(feature = "demo")]
mod simulated;
#[cfg(feature = "demo")]
mod stage;
mod still;
