//! `cargo xtask conformance`: programs that nobody here wrote drive the real binary (`conformance/`).

mod programs;
mod speech;
mod tools;
mod witnesses;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{
    Outcome,
    counts::{self, Counts},
    process::{self, cargo, run as run_command, tee},
};

pub(crate) use programs::{PROGRAMS, Program};
pub(crate) use witnesses::Witnesses;

/// What the programs are given: the binaries under test.
pub(crate) struct Built {
    tessera: PathBuf,
    hello_oauth2: PathBuf,
}

/// Builds the binaries under test.
pub(crate) fn build() -> Outcome<Built> {
    run_command(&mut cargo(["build", "--quiet", "-p", "tessera-server", "-p", "hello-oauth2"]))?;
    let folder = process::target_directory()?.join("debug");
    Ok(Built { tessera: folder.join("tessera"), hello_oauth2: folder.join("hello-oauth2") })
}

/// Runs some of the programs by name, or all.
pub(crate) fn run(names: &[String]) -> Outcome<bool> {
    if let Some(unknown) = names.iter().find(|name| PROGRAMS.iter().all(|one| one.name != name.as_str())) {
        let known = PROGRAMS.map(|one| one.name).join(", ");
        return Err(format!("conformance/ has no program `{unknown}`: there are {known}"));
    }
    let asked = |program: &&Program| names.is_empty() || names.iter().any(|name| name == program.name);
    let built = build()?;
    let (mut sum, mut witnesses) = (Counts::default(), Witnesses::default());
    for program in PROGRAMS.iter().filter(asked) {
        if let Some(missing) = program.missing() {
            return Err(missing);
        }
        let (text, ended) = program.run(&built, |line| println!("{line}"))?;
        let counts = counts::sum(&text);
        sum += counts;
        witnesses.hear(program.name, &text, counts);
        if let Err(message) = ended {
            println!("failed: {message}");
            // One that died before it named a failed test has failed all the same.
            sum.failed += u64::from(counts.failed == 0);
        }
    }
    println!();
    witnesses.told().iter().for_each(|line| println!("{line}"));
    if names.is_empty()
        && let Err(message) = witnesses.judge()
    {
        sum.failed += 1;
        println!("failed: {message}");
    }
    println!("{} passed, {} failed", sum.passed, sum.failed);
    Ok(sum.failed == 0 && sum.passed > 0)
}

/// The pictures of the README, anew.
pub(crate) fn screenshots() -> Outcome<bool> {
    let Some(browser) = PROGRAMS.iter().find(|one| one.name == "browser") else { return Ok(false) };
    if let Some(missing) = browser.missing() {
        return Err(missing);
    }
    let (built, folder) = (build()?, browser.folder());
    (browser.prepare)(&folder)?;
    let mut command = Command::new("node");
    command.arg("screenshots.js").arg(process::root().join("docs/images")).current_dir(folder);
    run_command(command.env("TESSERA_BIN", built.tessera))?;
    Ok(true)
}

impl Program {
    /// One line about what this machine lacks for it, and how to get it.
    pub(crate) fn missing(&self) -> Option<String> {
        let lacks: Vec<String> = self.needs.iter().filter_map(|tool| tool.lack()).collect();
        (!lacks.is_empty()).then(|| format!("conformance/{}: {}", self.name, lacks.join("; ")))
    }

    /// Installs what it needs of Debian's packages and a strict run may bring.
    pub(crate) fn install(&self) -> Outcome<()> {
        self.needs.iter().try_for_each(tools::Tool::install)
    }

    /// Puts in place what it needs, runs it, and gives what it said as cargo's tests would have, with how it ended.
    /// A program that ended badly without naming a failed test has failed as a whole.
    pub(crate) fn run(&self, built: &Built, mut each: impl FnMut(&str)) -> Outcome<(String, Outcome<()>)> {
        let folder = self.folder();
        (self.prepare)(&folder)?;
        let mut command = (self.command)(&folder);
        command.current_dir(&folder).env("TESSERA_BIN", &built.tessera);
        command.env("HELLO_OAUTH2_BIN", &built.hello_oauth2);
        let mut speech = speech::Speech::new(self.name, self.speaks);
        let (_, ended) = tee(&mut command, |line| speech.hear(line).iter().for_each(|said| each(said)))?;
        let text = speech.end(ended.is_ok(), &mut each);
        Ok((text, ended))
    }

    fn folder(&self) -> PathBuf {
        process::root().join("conformance").join(self.name)
    }
}

/// Whether one file is older than another, or is not there.
fn is_stale(made: &Path, from: &Path) -> bool {
    let changed = |path: &Path| path.metadata().and_then(|file| file.modified()).ok();
    match (changed(made), changed(from)) {
        (Some(made), Some(from)) => made < from,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_what_it_is_made_from_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, seconds| {
            let file = std::fs::File::create(folder.path().join(name)).unwrap();
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds)).unwrap();
        };
        let stale = || is_stale(&folder.path().join("made"), &folder.path().join("from"));
        assert!(stale());
        write("from", 10);
        assert!(stale());
        write("made", 11);
        assert!(!stale());
        write("from", 12);
        assert!(stale());
    }

    #[test]
    fn every_folder_is_a_program_and_no_lock_names_a_registry() {
        let folder = process::root().join("conformance");
        let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let mut found: Vec<String> = entries
            .filter(|path| path.is_dir())
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        found.sort();
        let mut known = PROGRAMS.map(|program| program.name.to_owned());
        known.sort();
        assert_eq!(found, known);
        for program in known {
            for lock in ["package-lock.json", "requirements.txt"] {
                let Ok(text) = std::fs::read_to_string(folder.join(&program).join(lock)) else { continue };
                assert!(!text.contains("\"resolved\"") && !text.contains("--index"), "{program}/{lock}");
            }
        }
    }
}
