//! `cargo xtask browser` and `screenshots`: the demo in Chromium, driven by the Node project in `conformance/browser`.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Outcome,
    counts::{self, Counts},
    process::{self, cargo, output, run as run_command, tee, works},
};

/// What `npm ci` writes last: as old as the installation.
const INSTALLED: &str = "node_modules/.package-lock.json";
const LOCK: &str = "package-lock.json";
/// The oldest Node that the tests, and the library that drives Chromium, run on.
const OLDEST_NODE: u32 = 18;
/// What Chromium is called, as `conformance/browser/lib/chromium.js` has it too.
const CHROMIUMS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Builds the server and runs the tests on it.
pub(crate) fn run() -> Outcome<bool> {
    if let Some(missing) = missing() {
        return Err(missing);
    }
    let mut command = tests()?;
    let (text, ended) = tee(&mut command, |line| println!("{line}"))?;
    let Counts { passed, failed, .. } = counts::sum(&text);
    println!("{passed} passed, {failed} failed");
    Ok(ended.is_ok() && failed == 0 && passed > 0)
}

/// The pictures of the README, anew.
pub(crate) fn screenshots() -> Outcome<bool> {
    if let Some(missing) = missing() {
        return Err(missing);
    }
    let binary = prepare()?;
    let mut command = node(["screenshots.js"], &binary);
    run_command(command.arg(process::root().join("docs/images")))?;
    Ok(true)
}

/// One line about what this machine lacks for these tests, and how to get it.
pub(crate) fn missing() -> Option<String> {
    let mut lacks = Vec::new();
    match output(Command::new("node").arg("--version").stderr(std::process::Stdio::null())) {
        Ok(version) if major(&version).is_some_and(|major| major >= OLDEST_NODE) => {}
        Ok(version) => lacks.push(format!("Node {OLDEST_NODE} (there is {})", version.trim())),
        Err(_) => lacks.push("Node (nodejs)".to_owned()),
    }
    if !works(Command::new("npm").arg("--version")) {
        lacks.push("npm".to_owned());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).any(|folder| CHROMIUMS.iter().any(|name| folder.join(name).is_file()));
    if !found && std::env::var_os("TESSERA_TEST_CHROMIUM").is_none() {
        lacks.push("Chromium".to_owned());
    }
    (!lacks.is_empty()).then(|| {
        format!(
            "browser tests: no {} here: `apt-get install nodejs npm chromium` brings it",
            lacks.join(", ")
        )
    })
}

fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// The command that runs the tests, with all that it needs in its place. They print what cargo's tests print.
pub(crate) fn tests() -> Outcome<Command> {
    let binary = prepare()?;
    Ok(node(["--test", "--test-reporter=./reporter.js"], &binary))
}

/// The server is built, and the Node project has its two libraries.
fn prepare() -> Outcome<PathBuf> {
    run_command(&mut cargo(["build", "--quiet", "-p", "tessera-server", "--bin", "tessera"]))?;
    let project = project();
    if is_stale(&project) {
        let mut install = Command::new("npm");
        // The browser is Debian's: none is downloaded.
        install.args(["ci", "--ignore-scripts", "--no-fund", "--no-audit"]).current_dir(&project);
        run_command(&mut install)?;
    }
    Ok(process::target_directory()?.join("debug/tessera"))
}

fn node<const N: usize>(arguments: [&str; N], binary: &Path) -> Command {
    let mut command = Command::new("node");
    command.args(arguments).current_dir(project()).env("TESSERA_BIN", binary);
    command
}

fn project() -> PathBuf {
    process::root().join("conformance/browser")
}

/// Whether nothing is installed, or something else than the lock says.
fn is_stale(project: &Path) -> bool {
    let changed = |name: &str| project.join(name).metadata().and_then(|file| file.modified()).ok();
    match (changed(INSTALLED), changed(LOCK)) {
        (Some(installed), Some(lock)) => installed < lock,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_node_are_read() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("20"), None);
    }

    #[test]
    fn what_is_older_than_the_lock_is_installed_anew() {
        let project = tempfile::tempdir().unwrap();
        assert!(is_stale(project.path()));
        std::fs::create_dir(project.path().join("node_modules")).unwrap();
        let write = |name: &str, seconds| {
            let file = std::fs::File::create(project.path().join(name)).unwrap();
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds)).unwrap();
        };
        write(LOCK, 10);
        assert!(is_stale(project.path()));
        write(INSTALLED, 11);
        assert!(!is_stale(project.path()));
        write(LOCK, 12);
        assert!(is_stale(project.path()));
    }

    #[test]
    fn the_lock_names_no_registry_and_two_libraries() {
        let text = std::fs::read_to_string(project().join(LOCK)).unwrap();
        assert!(!text.contains("http") && !text.contains("resolved"), "see conformance/browser/.npmrc");
        let lock: serde_json::Value = serde_json::from_str(&text).unwrap();
        let names: Vec<&String> = lock["packages"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["", "node_modules/axe-core", "node_modules/playwright-core"]);
    }
}
