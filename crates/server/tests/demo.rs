//! `tessera demo --headless` as people run it: the binary itself, nothing prepared.

#![cfg(feature = "demo")]
#![expect(clippy::unwrap_used, reason = "what cannot be had ends the test")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn demo(temporary: &Path, settings: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tessera"));
    command.args(["demo", "--headless", "--json"]).env("TMPDIR", temporary).envs(settings.iter().copied());
    command.output().unwrap()
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
