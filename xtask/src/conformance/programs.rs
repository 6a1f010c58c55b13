//! The programs: what each needs, and how it is run.

use std::path::Path;
use std::process::Command;

use super::is_stale;
use super::speech::Speaks;
use super::tools::{self, Tool};
use crate::{
    Outcome,
    process::{self, run as run_command},
};

/// One folder of `conformance/`.
pub(crate) struct Program {
    /// The folder's name.
    pub(crate) name: &'static str,
    /// What the machine must have.
    pub(super) needs: &'static [Tool],
    /// Installs what the folder's own lists name, if that is not there yet.
    pub(super) prepare: fn(&Path) -> Outcome<()>,
    /// Runs it.
    pub(super) command: fn(&Path) -> Command,
    /// How it says what happened.
    pub(super) speaks: Speaks,
}

/// All of them.
pub(crate) const PROGRAMS: [Program; 4] = [
    Program {
        name: "browser",
        needs: &[tools::NODE_18, tools::NPM, tools::CHROMIUM],
        prepare: npm,
        command: |_| node("test"),
        speaks: Speaks::Cargo,
    },
    Program {
        name: "node",
        needs: &[tools::NODE_20, tools::NPM, tools::GO],
        prepare: |folder| npm(folder).and_then(|()| go_modules(&folder.with_file_name("go"))),
        command: |_| node("test"),
        speaks: Speaks::Cargo,
    },
    Program {
        name: "go",
        needs: &[tools::GO],
        prepare: go_modules,
        command: |_| {
            let mut command = Command::new("go");
            // What the program under test is, the cache of results cannot see.
            command.args(["test", "-count=1", "-v", "./..."]);
            command
        },
        speaks: Speaks::Go,
    },
    Program {
        name: "openapi",
        needs: &[tools::PYTHON],
        prepare: virtual_environment,
        command: |folder| {
            let mut command = Command::new(python(folder));
            command.arg("run.py");
            command
        },
        speaks: Speaks::Sum,
    },
];

fn node(tests: &str) -> Command {
    let mut command = Command::new("node");
    command.args(["--test", "--test-reporter=../reporter.js", tests]);
    command
}

fn npm(folder: &Path) -> Outcome<()> {
    // What `npm ci` writes last.
    if !is_stale(&folder.join("node_modules/.package-lock.json"), &folder.join("package-lock.json")) {
        return Ok(());
    }
    let mut install = Command::new("npm");
    // Nothing of what is installed runs, and no browser is downloaded: that is Debian's.
    install.args(["ci", "--ignore-scripts", "--no-fund", "--no-audit"]).current_dir(folder);
    run_command(&mut install)
}

fn go_modules(folder: &Path) -> Outcome<()> {
    run_command(Command::new("go").args(["mod", "download"]).current_dir(folder))
}

/// In the target folder: the project's own has no room for what is installed.
fn environment(folder: &Path) -> std::path::PathBuf {
    let target = process::target_directory().unwrap_or_else(|_| folder.join("target"));
    target.join("conformance-openapi")
}

fn python(folder: &Path) -> std::path::PathBuf {
    environment(folder).join("bin/python")
}

fn virtual_environment(folder: &Path) -> Outcome<()> {
    let (made, list) = (environment(folder), folder.join("requirements.txt"));
    let installed = made.join("installed");
    if !is_stale(&installed, &list) {
        return Ok(());
    }
    run_command(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&made))?;
    let mut install = Command::new(python(folder));
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&list);
    run_command(&mut install)?;
    std::fs::write(&installed, "").map_err(|error| format!("{}: {error}", installed.display()))
}
