//! What programs need of the machine, and how to get it.

use std::process::{Command, Stdio};

use crate::{
    Outcome,
    process::{output, run, works},
};

/// One such thing.
pub(crate) struct Tool {
    /// What the machine lacks, in words; nothing if it is there.
    check: fn() -> Option<String>,
    /// How to get it.
    how_to_get: &'static str,
    /// Debian's packages that bring it, where a strict run may install them by itself.
    packages: &'static [&'static str],
}

impl Tool {
    /// Installs its packages, if it is lacking and has any.
    pub(super) fn install(&self) -> Outcome<()> {
        if self.packages.is_empty() || (self.check)().is_none() {
            return Ok(());
        }
        let root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
        let apt_get = |arguments: &[&str]| {
            let mut command = Command::new(if root { "env" } else { "sudo" });
            command.args(if root { &[][..] } else { &["env"] });
            run(command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(arguments))
        };
        apt_get(&["update", "-q"])?;
        let install = ["install", "-q", "-y", "--no-install-recommends"];
        apt_get(&[&install[..], self.packages].concat())
    }

    /// What is lacking, and how to get it.
    pub(super) fn lack(&self) -> Option<String> {
        (self.check)().map(|lacks| format!("{lacks}: {}", self.how_to_get))
    }
}

pub(super) const NODE_18: Tool =
    Tool { check: || node(18), how_to_get: "`apt-get install nodejs` brings it", packages: &[] };
pub(super) const NODE_20: Tool = Tool {
    check: || node(20),
    how_to_get: "Debian 13 has it, and so have nodejs.org's packages",
    packages: &[],
};
pub(super) const NPM: Tool = Tool {
    check: || (!works(Command::new("npm").arg("--version"))).then(|| "no npm here".to_owned()),
    how_to_get: "`apt-get install npm` brings it",
    packages: &[],
};
pub(super) const CHROMIUM: Tool = Tool {
    check: chromium,
    how_to_get: "`apt-get install chromium fonts-dejavu-core` brings it",
    packages: &["chromium", "fonts-dejavu-core"],
};
pub(super) const GO: Tool = Tool {
    check: go,
    how_to_get: "Debian 13's golang-go is one, and it fetches the one that go.mod names",
    packages: &[],
};
pub(super) const PYTHON: Tool =
    Tool { check: python, how_to_get: "`apt-get install python3 python3-venv` brings it", packages: &[] };

/// What Chromium is called, as `conformance/browser/lib/chromium.js` has it too.
const CHROMIUMS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

fn version(program: &str, argument: &str) -> Option<String> {
    let version = output(Command::new(program).arg(argument).stderr(Stdio::null())).ok()?;
    Some(version.trim().to_owned())
}

fn node(oldest: u32) -> Option<String> {
    let Some(version) = version("node", "--version") else { return Some(format!("no Node {oldest} here")) };
    match node_major(&version) {
        Some(major) if major >= oldest => None,
        _ => Some(format!("Node {oldest} is needed, and this is {version}")),
    }
}

/// 20 of `v20.20.2`.
fn node_major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

fn chromium() -> Option<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).any(|folder| CHROMIUMS.iter().any(|name| folder.join(name).is_file()));
    let named = std::env::var_os("TESSERA_TEST_CHROMIUM").is_some();
    (!found && !named).then(|| "no Chromium here".to_owned())
}

/// From 1.21 on, Go fetches the version that a module names.
fn go() -> Option<String> {
    let Some(version) = version("go", "version") else { return Some("no Go here".to_owned()) };
    match go_minor(&version) {
        Some(minor) if minor >= 21 => None,
        _ => Some(format!("Go 1.21 is needed, and this is {version}")),
    }
}

/// 26 of `go version go1.26.8 linux/amd64`.
fn go_minor(version: &str) -> Option<u32> {
    let number = version.split_whitespace().nth(2)?.strip_prefix("go1.")?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn python() -> Option<String> {
    let script = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";
    let fits = works(Command::new("python3").args(["-c", script]));
    (!fits).then(|| "no Python 3.11 with venv here".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(node_major("v20.20.2"), Some(20));
        assert_eq!(node_major("20"), None);
        assert_eq!(go_minor("go version go1.26.8 linux/amd64"), Some(26));
        assert_eq!(go_minor("go version go1.22rc1 linux/amd64"), Some(22));
        assert_eq!(go_minor("go version devel"), None);
    }

    #[test]
    fn what_is_lacking_is_told_with_how_to_get_it() {
        let tool = Tool {
            check: || Some("no tea here".to_owned()),
            how_to_get: "a kettle brings it",
            packages: &[],
        };
        assert_eq!(tool.lack().unwrap(), "no tea here: a kettle brings it");
        assert!(Tool { check: || None, ..tool }.lack().is_none());
    }
}
