//! The licence and the source of every dependency, judged by `deny.toml` from what `cargo metadata` says.
//!
//! The same file serves cargo-deny, which few machines have; this check needs nothing but cargo.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{Outcome, process, spdx};

/// How Cargo begins the name of a registry; a repository or an archive begins otherwise.
const REGISTRY: &str = "registry+";

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    /// Absent for the workspace's own crates and for path dependencies.
    source: Option<String>,
    manifest_path: String,
}

/// The parts of `deny.toml` that this check reads; cargo-deny knows the others.
#[derive(Deserialize)]
struct Law {
    licenses: Licences,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Banned>,
}

#[derive(Deserialize)]
struct Banned {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

/// Prints what breaks the law and, as information, crates present in several major versions.
pub(crate) fn run() -> Outcome<bool> {
    let root = process::root();
    let law_file = root.join("deny.toml");
    let law = std::fs::read_to_string(&law_file)
        .map_err(|error| error.to_string())
        .and_then(|text| toml::from_str::<Law>(&text).map_err(|error| error.to_string()))
        .map_err(|error| format!("cannot read {}: {error}", law_file.display()))?;
    let mut command = process::cargo(["metadata", "--format-version", "1", "--locked"]);
    let metadata: Metadata = serde_json::from_str(&process::output(&mut command)?)
        .map_err(|error| format!("`{}` printed what we cannot read: {error}", process::shown(&command)))?;

    for line in several_majors(&metadata.packages) {
        println!("note: {line}");
    }
    let broken = judge(&metadata.packages, &law, &root.to_string_lossy());
    for line in &broken {
        println!("licences: {line}");
    }
    println!("licences: {} packages, {} against deny.toml", metadata.packages.len(), broken.len());
    Ok(broken.is_empty())
}

/// The registry that most packages come from.
fn main_registry(packages: &[Package]) -> Option<&str> {
    let mut counts = BTreeMap::new();
    for source in packages.iter().filter_map(|package| package.source.as_deref()) {
        if source.starts_with(REGISTRY) {
            *counts.entry(source).or_insert(0usize) += 1;
        }
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(source, _)| source)
}

/// One line for each package that breaks the law.
fn judge(packages: &[Package], law: &Law, root: &str) -> Vec<String> {
    let mut broken = Vec::new();
    // A build has one default registry: what most packages come from. Another one, or a repository, stands out.
    let registry = main_registry(packages);
    for package in packages {
        let mut refuse = |why: String| broken.push(format!("{} {}: {why}", package.name, package.version));
        match package.license.as_deref().map(|text| spdx::satisfied(text, &law.licenses.allow)) {
            Some(Ok(true)) => {}
            Some(Ok(false)) => refuse(format!(
                "its licence `{}` needs one that `[licenses] allow` in deny.toml lacks",
                package.license.as_deref().unwrap_or_default()
            )),
            Some(Err(error)) => refuse(format!("its licence is no SPDX expression: {error}")),
            None => refuse("it names no licence".into()),
        }
        match package.source.as_deref() {
            Some(source) if Some(source) == registry => {}
            Some(other) => {
                refuse(format!("it comes from {other}, not from the registry that all others come from"))
            }
            None if package.manifest_path.starts_with(root) => {}
            None => refuse(format!("it comes from outside the workspace: {}", package.manifest_path)),
        }
        if let Some(ban) = law.bans.deny.iter().find(|ban| ban.name == package.name) {
            refuse(format!("it is banned: {}", ban.reason));
        }
    }
    broken
}

/// Crates that are there in more than one major version (for 0.x: minor version).
fn several_majors(packages: &[Package]) -> Vec<String> {
    let mut majors: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for package in packages {
        let mut parts = package.version.split('.');
        let major = match (parts.next(), parts.next()) {
            (Some("0"), Some(minor)) => format!("0.{minor}"),
            (major, _) => major.unwrap_or_default().to_owned(),
        };
        majors.entry(&package.name).or_default().insert(major);
    }
    majors.retain(|_, versions| versions.len() > 1);
    majors
        .into_iter()
        .map(|(name, versions)| {
            format!("{name} is there as {}", versions.into_iter().collect::<Vec<_>>().join(" and "))
        })
        .collect()
}

/// `cargo xtask advisories`: cargo-deny over the advisory database, which it fetches from the network.
pub(crate) fn advisories() -> Outcome<bool> {
    if !process::works(&mut process::cargo(["deny", "--version"])) {
        return Err("cargo-deny is not here: `cargo install --locked cargo-deny` brings it".into());
    }
    process::run(&mut process::cargo(["deny", "check", "advisories"])).map(|()| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn law() -> Law {
        toml::from_str(
            "[licenses]\nallow = ['MIT']\n[bans]\nmultiple-versions = 'allow'\n\
             deny = [{ crate = 'openssl', reason = 'rustls does that' }]",
        )
        .unwrap()
    }

    fn package(name: &str, version: &str, license: Option<&str>, source: Option<&str>) -> Package {
        Package {
            name: name.into(),
            version: version.into(),
            license: license.map(Into::into),
            source: source.map(Into::into),
            manifest_path: "/elsewhere/Cargo.toml".into(),
        }
    }

    #[test]
    fn a_lawful_package_passes() {
        assert!(judge(&[package("a", "1.0.0", Some("MIT"), Some("registry+a"))], &law(), "/here").is_empty());
    }

    #[test]
    fn each_breach_is_named() {
        let registry = Some("registry+a");
        let cases = [
            (package("a", "1.0.0", Some("GPL-3.0"), registry), "its licence `GPL-3.0` needs"),
            (package("b", "1.0.0", None, registry), "it names no licence"),
            (package("c", "1.0.0", Some("MIT"), Some("git+https://example.org/c")), "it comes from git+"),
            (package("d", "1.0.0", Some("MIT"), None), "it comes from outside the workspace"),
            (package("openssl", "0.10.1", Some("MIT"), registry), "it is banned: rustls does that"),
        ];
        let two = [
            package("a", "1.0.0", Some("MIT"), registry),
            package("b", "1.0.0", Some("MIT"), registry),
            package("e", "1.0.0", Some("MIT"), Some("registry+elsewhere")),
        ];
        assert!(judge(&two, &law(), "/here")[0].contains("it comes from registry+elsewhere"));
        for (package, expected) in cases {
            let broken = judge(std::slice::from_ref(&package), &law(), "/here");
            assert_eq!(broken.len(), 1, "{broken:?}");
            assert!(broken[0].contains(expected), "{broken:?}");
        }
    }

    #[test]
    fn several_major_versions_are_told() {
        let packages = ["1.0.0", "1.9.0", "2.0.0", "0.3.1"].map(|version| package("a", version, None, None));
        assert_eq!(several_majors(&packages), ["a is there as 0.3 and 1 and 2"]);
    }
}
