//! Every developer command of the project: `cargo xtask test`, `ci`, `checklist`, `conformance`, `crash`, `screenshots`, `bench`, `licences`, `advisories`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks to its terminal")]

mod bench;
mod checklist;
mod conformance;
mod counts;
mod crash;
mod licences;
mod needs;
mod process;
mod spdx;
mod test;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// What a command ends with: a message that names what failed and what to do.
type Outcome<T> = Result<T, String>;

/// Developer commands of Tessera.
#[derive(Parser)]
#[command(name = "xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run every check and every test that this machine can run, and name what it cannot.
    Test,
    /// The same with nothing left out: what cannot run is a failure (as with CI=true).
    Ci,
    /// Say for each requirement in docs/requirements.toml whether its tests pass.
    Checklist {
        /// Print and judge only these sections, such as OA,SO,OC; every id of them must pass.
        #[arg(long, value_delimiter = ',')]
        section: Vec<String>,
        /// Judge this saved output of `cargo test` instead of running the tests.
        #[arg(long)]
        from: Option<PathBuf>,
    },
    /// Run the programs of `conformance/` against the real binary (part of `test`).
    Conformance {
        /// Only these, such as browser or go.
        programs: Vec<String>,
    },
    /// Kill the server at every step of a grant's life, and say what was lost (part of `test`).
    Crash(crash::Options),
    /// Take the pictures of the README anew.
    Screenshots,
    /// Measure release builds against a bare handler and the disk, and judge the targets.
    Bench {
        /// Also write the figures, raw ones included, to this file.
        #[arg(long)]
        json: Option<PathBuf>,
    },
    /// Check the licence and the source of every dependency against deny.toml.
    Licences,
    /// Ask the advisory database about every dependency (needs the network and cargo-deny).
    Advisories,
    /// The measuring part of `bench`; runs from the release build.
    #[command(hide = true)]
    BenchRun(bench::Options),
    /// The Mattermost that `bench` reads beside.
    #[command(hide = true)]
    BenchMattermost,
    /// The provider of the managed App of `bench`.
    #[command(hide = true)]
    BenchProvider,
    /// The bare handler that `bench` compares with.
    #[command(hide = true)]
    BenchBare {
        /// The file whose bytes every answer carries.
        #[arg(long)]
        body: PathBuf,
    },
    /// One run of the load generator.
    #[command(hide = true)]
    BenchLoad(bench::load::Options),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Test => test::run(std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")),
        Task::Ci => test::run(true),
        Task::Checklist { section, from } => checklist::run(&section, from.as_deref()),
        Task::Conformance { programs } => conformance::run(&programs),
        Task::Crash(options) => crash::run(&options),
        Task::Screenshots => conformance::screenshots(),
        Task::Bench { json } => bench::build_and_run(json.as_deref()),
        Task::Licences => licences::run(),
        Task::Advisories => licences::advisories(),
        Task::BenchRun(options) => bench::run(&options),
        Task::BenchMattermost => bench::mattermost::run(),
        Task::BenchProvider => bench::provider::run(),
        Task::BenchBare { body } => bench::bare::run(&body),
        Task::BenchLoad(options) => bench::load::run(&options),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
