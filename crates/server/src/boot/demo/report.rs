//! What the demo says, and how: lines for people, or one JSON object a line.

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::Error;

/// A step is a handful of requests; one that takes longer will not end.
const STEP: Duration = Duration::from_secs(90);

/// A step that did not go as it should.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) expected: String,
    pub(super) seen: String,
}

impl Failure {
    /// With what was expected and what came instead, both in a person's words.
    pub(super) fn new(expected: impl Into<String>, seen: impl ToString) -> Self {
        Self { expected: expected.into(), seen: seen.to_string() }
    }
}

/// Prints as it goes.
#[derive(Debug)]
pub(super) struct Report {
    json: bool,
    /// How many steps were begun.
    steps: AtomicUsize,
    since: Instant,
}

impl Report {
    pub(super) fn new(json: bool) -> Self {
        Self { json, steps: AtomicUsize::new(0), since: Instant::now() }
    }

    /// Takes a step, and prints what came of it.
    pub(super) async fn step<T>(
        &self,
        name: &str,
        step: impl Future<Output = Result<(T, String), Failure>>,
    ) -> Result<T, Error> {
        let number = self.steps.fetch_add(1, Ordering::Relaxed) + 1;
        let begun = Instant::now();
        let done = timeout(STEP, step).await.unwrap_or_else(|_| {
            let seconds = STEP.as_secs();
            Err(Failure::new(format!("an end of the step within {seconds} seconds"), "none: something hangs"))
        });
        let took = begun.elapsed().as_millis();
        match done {
            Ok((value, seen)) => {
                self.say(
                    || format!("  ok {number:>2}. {name}: {seen}"),
                    || json!({ "step": number, "name": name, "ok": true, "seen": seen, "ms": took }),
                );
                Ok(value)
            }
            Err(Failure { expected, seen }) => {
                let text = format!(
                    "FAIL {number:>2}. {name}\n         expected: {expected}\n         seen:     {seen}"
                );
                self.say(
                    || text,
                    || {
                        json!({ "step": number, "name": name, "ok": false, "expected": expected, "seen": seen,
                                "ms": took })
                    },
                );
                Err(Error::Step)
            }
        }
    }

    /// Says the same thing in the form that was asked for.
    pub(super) fn say(&self, text: impl FnOnce() -> String, json: impl FnOnce() -> Value) {
        let line = if self.json { json().to_string() } else { text() };
        // Whoever does not want to read on, `head` for instance, may stop: the demo goes on.
        let _ = writeln!(std::io::stdout(), "{line}");
    }

    /// All steps were taken.
    pub(super) fn all_well(&self) {
        let steps = self.steps.load(Ordering::Relaxed);
        let seconds = self.since.elapsed().as_secs_f32();
        self.say(
            || format!("All {steps} steps went as they should, in {seconds:.1} seconds."),
            || json!({ "ok": true, "steps": steps }),
        );
    }

    /// The demo ended before its end.
    pub(super) fn stopped(&self, why: &str) {
        self.say(|| format!("The demo stopped: {why}"), || json!({ "ok": false, "error": why }));
    }

    /// What the server said last, for whoever looks for the reason of a failure.
    pub(super) fn server_log(&self, log: &str) {
        if log.is_empty() {
            return;
        }
        let indented: String = log.lines().map(|line| format!("\n    {line}")).collect();
        self.say(
            || format!("The server's last words:{indented}"),
            || json!({ "server_log": log.lines().collect::<Vec<_>>() }),
        );
    }
}
