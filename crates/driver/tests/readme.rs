//! The quick start is the same wherever it stands.

#![expect(clippy::expect_used, clippy::panic, reason = "a helper of tests that fails is a test that fails")]

use std::path::Path;

fn quick_start(readme: &Path) -> String {
    let text =
        std::fs::read_to_string(readme).unwrap_or_else(|error| panic!("{}: {error}", readme.display()));
    let (_, marked) = text
        .split_once("<!-- quick start -->\n")
        .unwrap_or_else(|| panic!("{} has no <!-- quick start --> block", readme.display()));
    let (_, code) = marked.split_once('\n').expect("the mark is followed by a block of code");
    code.split_once("\n```").expect("the block ends").0.to_owned()
}

fn here(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn the_quick_start_has_at_most_25_lines() {
    let lines = quick_start(&here("README.md")).lines().count();
    assert!(lines <= 25, "{lines} lines");
}

#[test]
fn the_root_readme_has_the_same_quick_start() {
    assert_eq!(quick_start(&here("../../README.md")), quick_start(&here("README.md")));
}
