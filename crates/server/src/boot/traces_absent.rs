//! In place of `traces.rs` in a tessera that was built without them.

use tracing_subscriber::layer::Identity;

use super::config::{self, Config};

/// Nothing.
pub(super) struct Traces;

/// Nothing, and a word to whoever asks for more.
pub(super) fn open(config: &Config) -> Result<Traces, config::Error> {
    match config.trace.endpoint.is_empty() {
        true => Ok(Traces),
        false => Err(config::Error::new(
            "trace.endpoint",
            "this tessera was built without traces: build it with `--features otel`, or leave the setting empty",
        )),
    }
}

impl Traces {
    /// No layer for the log.
    pub(super) fn layer(&self) -> Option<Identity> {
        None
    }

    /// Nothing is left to be sent.
    pub(super) async fn close(self) {}
}
