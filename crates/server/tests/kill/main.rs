//! The real binary, killed at every named step of a grant's life, and started again (`cargo xtask crash`).
//!
//! Not a test of cargo's harness but a program: `xtask` builds it with the feature `faults` and runs it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool of tests that speaks to its terminal, and fails loudly"
)]

mod deck;
mod outside;
mod paused;
mod round;
mod speech;
mod stage;
mod table;

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tessera_server::grants::fault::SABOTAGES;
use tokio::time::Instant;

use deck::{Deck, Step};
use paused::Pair;
use stage::Stage;
use table::{Ended, Table};

/// Kills Tessera at every step of a grant's life, and says what was lost.
#[derive(Parser, Clone)]
struct Options {
    /// How many times.
    #[arg(long, default_value_t = 200)]
    rounds: u32,
    /// Switches a rule off: then something must be lost, and the run ends there.
    #[arg(long)]
    sabotage: Option<String>,
    /// Names the rules that can be switched off.
    #[arg(long)]
    list_sabotage: bool,
    /// Where chance begins.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Also writes the table to this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Leaves out what needs PostgreSQL.
    #[arg(long)]
    without_postgres: bool,
    /// Also switches off each rule in turn, and prints as cargo's tests do what all of that shows.
    #[arg(long)]
    as_tests: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if options.list_sabotage {
        for (name, about) in SABOTAGES {
            println!("{name:24}{about}");
        }
        return ExitCode::SUCCESS;
    }
    let known = |name: &String| SABOTAGES.iter().any(|(known, _)| known == name);
    if let Some(name) = options.sabotage.as_ref().filter(|name| !known(name)) {
        eprintln!("no rule is called {name}: --list-sabotage names them");
        return ExitCode::from(2);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if options.as_tests {
        return speech::tests(&options, |options| runtime.block_on(run(options)));
    }
    if options.without_postgres && options.sabotage.as_deref() == Some("skip-the-fence") {
        eprintln!("skip-the-fence needs two processes, and so PostgreSQL");
        return ExitCode::from(2);
    }
    let table = runtime.block_on(run(&options));
    print!("{}", table.text());
    if let Some(file) = &options.json {
        std::fs::write(file, table.json(options.seed).to_string()).unwrap();
    }
    if table.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn run(options: &Options) -> Table {
    let began = Instant::now();
    let mut table = Table::default();
    let mut deck = Deck::shuffled_by(options.seed, !options.without_postgres, options.sabotage.as_deref());
    let mut stage: Option<Stage> = None;
    let mut pair: Option<Pair> = None;
    for round in 1..=options.rounds {
        let (step, kind) = deck.draw();
        let ended = match step {
            Step::LateAmongOthers | Step::LateAlone => {
                if pair.is_none() {
                    pair = Some(Pair::open(options.sabotage.as_deref()).await);
                }
                pair.as_mut().unwrap().round(step).await
            }
            _ => {
                if stage.is_none() {
                    stage = Some(Stage::open(options.sabotage.as_deref()).await);
                }
                stage.as_mut().unwrap().round(step, kind).await
            }
        };
        if let Ended::Wrong(why) = &ended {
            println!("round {round}: {} at a provider that {}: {why}", step.name(), kind.name());
        }
        let stop = options.sabotage.is_some() && ended.is_bad();
        table.note(step, kind, ended);
        progress(round, options.rounds, began, &table);
        if stop {
            break;
        }
    }
    table.took(began.elapsed());
    table
}

fn progress(round: u32, of: u32, began: Instant, table: &Table) {
    let mut out = std::io::stderr();
    let every = if out.is_terminal() { 10 } else { 500 };
    if !round.is_multiple_of(every) && round != of {
        return;
    }
    let rate = f64::from(round) / began.elapsed().as_secs_f64();
    let end = if out.is_terminal() && round != of { '\r' } else { '\n' };
    let _ = write!(out, "{round} of {of} rounds, {rate:.1}/s, {} not allowed{end}", table.bad());
    let _ = out.flush();
}
