//! That the App holds no OAuth2 library is what it is for.

#![expect(clippy::unwrap_used, reason = "a helper of tests that fails is a test that fails")]

use std::process::Command;

/// What a crate of the workspace is made of, itself first: lines like `serde v1.0.1`.
fn made_of(package: &str) -> Vec<String> {
    let mut tree = Command::new(env!("CARGO"));
    tree.args([
        "tree",
        "--offline",
        "--locked",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--package",
        package,
    ]);
    let output = tree.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn the_app_is_made_without_an_oauth2_library() {
    let of_oauth2 = |line: &String| {
        let name = line.split(' ').next().unwrap_or_default();
        name.contains("oauth") || name.contains("openid")
    };
    let made_of_managed = made_of("hello-managed");
    assert!(made_of_managed[0].starts_with("hello-managed v"), "{made_of_managed:?}");
    assert_eq!(made_of_managed.iter().find(|line| of_oauth2(line)), None);
    // The eye that looks sees one where there is one.
    assert!(made_of("hello-oauth2")[1..].iter().any(of_oauth2));
}
