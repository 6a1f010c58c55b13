//! `cargo xtask crash`: the real binary, built with its faults, killed at every step of a grant's life
//! (`crates/server/tests/kill`).

use std::path::PathBuf;

use clap::Args;

use crate::{
    Outcome, needs,
    process::{cargo, output, tee},
};

/// Rounds of a run that decides whether a commit is good.
const ROUNDS: u32 = 200;

/// What is done how often.
#[derive(Args)]
pub(crate) struct Options {
    /// How many times the server is killed.
    #[arg(long, default_value_t = ROUNDS)]
    rounds: u32,
    /// Switch a rule off: then something must be lost, and the run fails.
    #[arg(long)]
    sabotage: Option<String>,
    /// Name the rules that can be switched off.
    #[arg(long)]
    list_sabotage: bool,
    /// Where chance begins: the same seed plays the same rounds.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Also write the table to this file.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Builds and runs; `Ok(false)` when something was lost that may not be.
pub(crate) fn run(options: &Options) -> Outcome<bool> {
    let mut command = std::process::Command::new(build()?);
    command.args(["--rounds", &options.rounds.to_string(), "--seed", &options.seed.to_string()]);
    if let Some(name) = &options.sabotage {
        command.args(["--sabotage", name]);
    }
    if options.list_sabotage {
        command.arg("--list-sabotage");
    }
    if let Some(file) = &options.json {
        command.arg("--json").arg(file);
    }
    if let Some(lacks) = lacks() {
        eprintln!("left out: {lacks}");
        command.arg("--without-postgres");
    }
    // Its own messages say what is wrong; its status is ours.
    let status = command.status().map_err(|error| format!("cannot start the crash run: {error}"))?;
    Ok(status.success())
}

/// What a run of it needs that is not here: the rest runs without.
pub(crate) fn lacks() -> Option<String> {
    let missing = needs::missing();
    let postgres = missing.iter().find(|need| need.word == "postgres")?;
    Some(format!("the crash run's two processes over one database: {}", postgres.how_to_get))
}

/// The rounds and each rule switched off, said as cargo's tests would, with how it ended.
pub(crate) fn tests(mut each: impl FnMut(&str)) -> Outcome<(String, Outcome<()>)> {
    let mut command = std::process::Command::new(build()?);
    command.args(["--as-tests", "--rounds", &ROUNDS.to_string()]);
    if lacks().is_some() {
        command.arg("--without-postgres");
    }
    tee(&mut command, |line| each(line))
}

/// The program, built together with a server that can be killed at its steps.
fn build() -> Outcome<PathBuf> {
    let built = output(&mut cargo([
        "test",
        "--quiet",
        "-p",
        "tessera-server",
        "--features",
        "faults",
        "--test",
        "kill",
        "--no-run",
        "--message-format",
        "json",
    ]))?;
    let program = built.lines().filter_map(|line| executable(line, "kill")).next_back();
    program.ok_or_else(|| "cargo built the crash run and did not say where it is".into())
}

/// The program in a line of cargo's, if it is this target's.
fn executable(line: &str, target: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    (message["target"]["name"] == target).then_some(())?;
    message["executable"].as_str().map(PathBuf::from)
}

#[cfg(test)]
mod tests_of_reading {
    use super::*;

    #[test]
    fn the_program_is_found_in_what_cargo_says() {
        let line = r#"{"reason":"compiler-artifact","target":{"name":"kill"},"executable":"/t/kill-1"}"#;
        assert_eq!(executable(line, "kill"), Some(PathBuf::from("/t/kill-1")));
        assert_eq!(executable(r#"{"target":{"name":"kill"},"executable":null}"#, "kill"), None);
        assert_eq!(executable(r#"{"target":{"name":"other"},"executable":"/x"}"#, "kill"), None);
        assert_eq!(executable("warning: no JSON", "kill"), None);
    }
}
