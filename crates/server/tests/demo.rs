//! `tessera demo --headless`, also `--managed`, as people run it: the binary itself, nothing prepared.

#![cfg(feature = "demo")]
#![expect(clippy::unwrap_used, reason = "what cannot be had ends the test")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn demo(temporary: &Path, settings: &[(&str, &str)]) -> Output {
    run(temporary, &[], settings)
}

fn run(temporary: &Path, words: &[&str], settings: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tessera"));
    command.args(["demo", "--headless", "--json"]).args(words);
    command.env("TMPDIR", temporary).envs(settings.iter().copied()).output().unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_walk_ends_well_and_leaves_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let output = demo(temporary.path(), &[]);
    let lines = lines(&output);
    assert!(output.status.success(), "{lines:#?}");
    let names: Vec<_> = lines.iter().filter_map(|line| line["name"].as_str()).collect();
    for name in [
        "list and install the App as sysadmin",
        "configure as sysadmin",
        "connect as user-1",
        "send as user-1",
        "send as user-2",
        "disconnect as user-1",
        "send as user-1 again",
    ] {
        assert_eq!(names.iter().filter(|known| **known == name).count(), 2, "{name}: {names:#?}");
    }
    let killed = names.iter().position(|name| name.contains("SIGKILL")).unwrap();
    let second = names.iter().rposition(|name| name.contains("list and install")).unwrap();
    assert!(killed < second, "{names:#?}");
    assert_eq!(temporary.path().read_dir().unwrap().count(), 0, "the temporary folder stays behind");
}

/// The walk must be able to fail: a server that lets no App lead to an unknown provider stops it at connect.
#[test]
fn the_walk_ends_at_the_step_that_fails() {
    let temporary = tempfile::tempdir().unwrap();
    let output = demo(temporary.path(), &[("TESSERA_CONNECT__ORIGINS", "strict")]);
    let lines = lines(&output);
    assert_eq!(output.status.code(), Some(1), "{lines:#?}");
    let failed: Vec<_> = lines.iter().filter(|line| line["ok"] == false).collect();
    assert_eq!(failed.len(), 1, "{lines:#?}");
    assert_eq!(failed[0]["name"], "connect as user-1");
    assert!(failed[0]["seen"].as_str().unwrap().contains("connect.origins"), "{}", failed[0]);
    assert_eq!(temporary.path().read_dir().unwrap().count(), 0, "the temporary folder stays behind");
}

#[test]
fn the_walk_with_a_managed_app_sees_a_token_end_and_a_grant_revoked() {
    let temporary = tempfile::tempdir().unwrap();
    let output = run(temporary.path(), &["--managed"], &[]);
    let lines = lines(&output);
    assert!(output.status.success(), "{lines:#?}");
    let names: Vec<_> = lines.iter().filter_map(|line| line["name"].as_str()).collect();
    assert_eq!(
        names,
        [
            "list and install the App as sysadmin",
            "give the App a provider record as sysadmin",
            "sign in as user-1 and user-2",
            "connect as user-1",
            "send as user-1",
            "send as user-2",
            "wait until the token has ended",
            "send as user-1 after its end",
            "disconnect as user-1",
            "ask the provider about the last token",
            "send as user-1 again",
            "what the provider saw",
        ]
    );
    assert_eq!(temporary.path().read_dir().unwrap().count(), 0, "the temporary folder stays behind");
}

/// It, too, must be able to fail: a person who may call Apps once a minute gets as far as the link.
#[test]
fn the_walk_with_a_managed_app_ends_at_the_step_that_fails() {
    let temporary = tempfile::tempdir().unwrap();
    let output = run(temporary.path(), &["--managed"], &[("TESSERA_LIMITS__CALLS_PER_MINUTE", "1")]);
    let lines = lines(&output);
    assert_eq!(output.status.code(), Some(1), "{lines:#?}");
    let failed: Vec<_> = lines.iter().filter(|line| line["ok"] == false).collect();
    assert_eq!(failed.len(), 1, "{lines:#?}");
    assert_eq!(failed[0]["name"], "send as user-1");
    assert!(failed[0]["seen"].as_str().unwrap().contains("status 429"), "{}", failed[0]);
    assert_eq!(temporary.path().read_dir().unwrap().count(), 0, "the temporary folder stays behind");
}
