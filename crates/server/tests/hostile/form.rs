//! What every error looks like, whatever went wrong.

use tessera_testkit::wire::Answer;

/// Words that belong into our source, our log or our disk, and never into an answer.
const INNER: [&str; 12] = [
    "sqlite",
    "panicked",
    "thread '",
    ".rs:",
    "crates/",
    "rusqlite",
    "postgres",
    "SELECT ",
    "INSERT ",
    "unwrap",
    "tessera.db",
    "keys.db",
];

/// Errors of the framework's routes are one text; those of REST v4 are Mattermost's JSON.
pub(crate) fn check(answer: &Answer, cell: &str) {
    let text = answer.text();
    for word in INNER {
        assert!(!answer.whole().contains(word), "{cell}: {word} in {answer:?}");
    }
    if answer.status < 400 {
        return;
    }
    if answer.status == 405 && answer.body.is_empty() {
        return;
    }
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{cell}: {answer:?}");
    match answer.header("content-type") {
        Some("application/json") => {
            let error = answer.json();
            assert_eq!(error["status_code"], answer.status, "{cell}: {text}");
            assert!(!error["id"].as_str().unwrap().is_empty(), "{cell}: {text}");
            assert!(!error["message"].as_str().unwrap().is_empty(), "{cell}: {text}");
        }
        Some("text/plain; charset=utf-8") => {
            let line = text.strip_suffix('\n').unwrap_or_else(|| panic!("{cell}: no newline: {text:?}"));
            assert!(!line.is_empty() && !line.ends_with('\n'), "{cell}: {text:?}");
        }
        other => panic!("{cell}: an error of type {other:?}: {text:?}"),
    }
}
