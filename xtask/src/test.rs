//! `cargo xtask test`: every check and test that this machine can run, timed, and a closing line with the sum.

use std::{process::Command, time::Duration};

use tokio::time::Instant;

use crate::{
    Outcome, conformance,
    counts::{self, Counts},
    crash, licences,
    needs::{self, NEEDS, Need},
    process::{cargo, root, run as run_command, shown, tee, works},
};

/// What the steps have shown so far.
struct Tally {
    counts: Counts,
    /// One line for each failure, printed again at the end.
    failures: Vec<String>,
    /// One line for each thing that this machine cannot run: what, why, and how to get it.
    left_out: Vec<String>,
    /// Whether something left out is a failure.
    strict: bool,
}

/// Runs all steps; `Ok(false)` when one of them failed. With `strict` nothing may be left out.
pub(crate) fn run(strict: bool) -> Outcome<bool> {
    let mut tally = Tally { counts: Counts::default(), failures: vec![], left_out: vec![], strict };

    tally.component("rustfmt", "fmt", &["fmt", "--check"]);
    if works(&mut cargo(["fmt", "--version"])) {
        // What authors are given is formatted for them, and no crate of ours holds it.
        let formatted =
            ["--check", "--edition", "2024", "--config", "max_width=100,use_small_heuristics=Max"];
        let mut rustfmt = Command::new("rustfmt");
        rustfmt.args(formatted).arg("crates/server/scaffold/rust/src/main.rs").current_dir(root());
        tally.check("scaffold", &mut rustfmt);
    }
    tally.component("clippy", "clippy", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    tally.check(
        "documentation",
        cargo(["doc", "--no-deps", "--workspace", "--document-private-items"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    );
    tally.step("licences", || licences::run().and_then(|good| good.then_some(()).ok_or("see above".into())));
    tally.check("features", &mut cargo(["check", "-p", "tessera-server", "--no-default-features"]));
    tally.check(
        "traces",
        &mut cargo(["test", "-p", "tessera-server", "--features", "otel", "--test", "observe", "traces"]),
    );
    tally.check("benchmark", &mut cargo(["check", "-p", "xtask", "--features", "bench"]));
    tally.tests();
    tally.crash();
    tally.programs();
    tally.ignored();

    Ok(tally.close())
}

impl Tally {
    /// A check by a component of the toolchain, which a minimal Rust may lack.
    fn component(&mut self, component: &str, subcommand: &str, arguments: &[&str]) {
        if works(&mut cargo([subcommand, "--version"])) {
            self.check(component, &mut cargo(arguments.iter().copied()));
        } else {
            self.leave_out(format!(
                "{component}: this toolchain lacks it: `rustup component add {component}` brings it"
            ));
        }
    }

    /// A check that is one command and has no counts of its own: it counts as one.
    fn check(&mut self, name: &str, command: &mut Command) {
        println!("==> {name}: {}", shown(command));
        self.step(name, || run_command(command));
    }

    fn step(&mut self, name: &str, work: impl FnOnce() -> Outcome<()>) {
        let start = Instant::now();
        let outcome = work();
        self.finish(name, start.elapsed(), &outcome);
        match outcome {
            Ok(()) => self.counts.passed += 1,
            Err(message) => self.fail(format!("{name}: {message}")),
        }
    }

    fn finish(&self, name: &str, took: Duration, outcome: &Outcome<()>) {
        let word = if outcome.is_ok() { "ok" } else { "FAILED" };
        println!("<== {name}: {word} in {:.1} s", took.as_secs_f64());
    }

    fn fail(&mut self, line: String) {
        self.counts.failed += 1;
        self.failures.push(line);
    }

    fn leave_out(&mut self, line: String) {
        if self.strict {
            self.fail(format!("nothing may be left out here: {line}"));
        } else {
            self.left_out.push(line);
        }
    }

    fn tests(&mut self) {
        let mut missing = needs::missing();
        for need in &missing {
            self.leave_out(format!("tests named *{}*: {}", need.word, need.how_to_get));
        }
        // A strict run starts these tests all the same, so that each says for itself what it lacks.
        if self.strict {
            missing.clear();
        }
        for mut command in runners(&missing, self.strict) {
            self.runner(&mut command);
        }
    }

    fn ignored(&mut self) {
        if self.counts.ignored > 0 {
            self.leave_out(format!(
                "{} ignored tests: remove `#[ignore]` (or mark a documentation example `no_run`)",
                self.counts.ignored
            ));
        }
    }

    /// The server, killed at every step of a grant's life.
    fn crash(&mut self) {
        if let Some(lacks) = crash::lacks() {
            self.leave_out(lacks);
        }
        println!("==> crash");
        let start = Instant::now();
        match crash::tests(|line| println!("{line}")) {
            Ok((text, ended)) => self.heard("crash", start, &text, ended),
            Err(message) => self.fail(format!("crash: {message}")),
        }
    }

    /// The programs that nobody here wrote.
    fn programs(&mut self) {
        let built = match conformance::build() {
            Ok(built) => built,
            Err(message) => return self.fail(format!("conformance: {message}")),
        };
        let (mut witnesses, mut all) = (conformance::Witnesses::default(), true);
        for program in &conformance::PROGRAMS {
            // Nothing may be left out here, so it is brought; that it could not be is told by what is missing still.
            if self.strict
                && let Err(message) = program.install()
            {
                println!("{message}");
            }
            if let Some(missing) = program.missing() {
                self.leave_out(missing);
                all = false;
                continue;
            }
            println!("==> conformance/{}", program.name);
            let start = Instant::now();
            match program.run(&built, |line| println!("{line}")) {
                Ok((text, ended)) => {
                    witnesses.hear(program.name, &text, counts::sum(&text));
                    self.heard(program.name, start, &text, ended);
                }
                Err(message) => self.fail(format!("conformance/{}: {message}", program.name)),
            }
        }
        witnesses.told().iter().for_each(|line| println!("{line}"));
        if all {
            self.step("two programs for each line of the OAuth2 wire", || witnesses.judge());
        }
    }

    fn runner(&mut self, command: &mut Command) {
        println!("==> tests: {}", shown(command));
        let start = Instant::now();
        let (text, ended) = match tee(command, |line| println!("{line}")) {
            Ok(both) => both,
            Err(message) => return self.fail(format!("tests: {message}")),
        };
        self.heard("tests", start, &text, ended);
    }

    /// Counts what a runner said, and holds it against how it ended.
    fn heard(&mut self, name: &str, start: Instant, text: &str, ended: Outcome<()>) {
        self.finish(name, start.elapsed(), &ended);
        let counts = counts::sum(text);
        self.counts += counts;
        for line in text.lines() {
            if let Some((test, counts::Verdict::Failed)) = counts::test_line(line) {
                self.failures.push(format!("test {test}"));
            }
        }
        // A runner that did not compile, or was killed, reports no failed test of its own.
        match ended {
            Err(message) if counts.failed == 0 => self.fail(format!("{name}: {message}")),
            Ok(()) if counts.runners == 0 => self.fail(format!("{name}: the runner printed no closing line")),
            _ => {}
        }
    }

    fn close(self) -> bool {
        println!();
        for line in &self.left_out {
            println!("left out: {line}");
        }
        for line in &self.failures {
            println!("failed: {line}");
        }
        println!("{} passed, {} failed", self.counts.passed, self.counts.failed);
        self.counts.failed == 0
    }
}

/// The commands that run all tests: nextest and the documentation's tests, or cargo's own runner for both.
/// A strict run keeps to cargo's: nextest does not tell ignored tests from those that it was told to leave out.
fn runners(missing: &[&Need], strict: bool) -> Vec<Command> {
    let mut commands = if !strict && works(&mut cargo(["nextest", "--version"])) {
        let mut fast = cargo(["nextest", "run", "--workspace", "--no-fail-fast"]);
        if !missing.is_empty() {
            let without: Vec<String> =
                missing.iter().map(|need| format!("not test({})", need.word)).collect();
            fast.args(["-E", &without.join(" and ")]);
        }
        // Nextest prints on standard error, where we could not count.
        let script = format!("exec {} 2>&1", shell_words(&fast));
        let mut merged = Command::new("sh");
        merged.args(["-c", &script]).current_dir(crate::process::root());
        vec![merged, libtest(&["test", "--workspace", "--doc", "--no-fail-fast"], missing)]
    } else {
        vec![libtest(&["test", "--workspace", "--no-fail-fast"], missing)]
    };
    commands.iter_mut().for_each(|command| tell(command, missing));
    commands
}

/// Cargo's own runner over the workspace, without the tests that need what is missing.
pub(crate) fn libtest(arguments: &[&str], missing: &[&Need]) -> Command {
    let mut command = cargo(arguments.iter().copied());
    if !missing.is_empty() {
        command.arg("--");
    }
    for need in missing {
        command.args(["--skip", need.word]);
    }
    tell(&mut command, missing);
    command
}

/// Tells the tests where they stand.
fn tell(command: &mut Command, missing: &[&Need]) {
    for need in &NEEDS {
        let absent = missing.iter().any(|lacked| lacked.word == need.word);
        command.env(need.variable, if absent { "absent" } else { "required" });
    }
}

fn shell_words(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| format!("'{}'", word.to_string_lossy().replace('\'', r"'\''")))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(strict: bool) -> Tally {
        Tally { counts: Counts::default(), failures: vec![], left_out: vec![], strict }
    }

    #[test]
    fn what_is_left_out_is_a_failure_only_where_nothing_may_be() {
        let mut lenient = tally(false);
        lenient.leave_out("x: why: how".into());
        assert_eq!((lenient.counts.failed, lenient.left_out.len()), (0, 1));

        let mut strict = tally(true);
        strict.leave_out("x: why: how".into());
        assert_eq!((strict.counts.failed, strict.left_out.len()), (1, 0));
        assert!(!strict.close());
    }

    #[test]
    fn a_runner_that_dies_without_a_closing_line_counts_as_failed() {
        let mut dead = tally(false);
        dead.runner(Command::new("sh").args(["-c", "echo 'test a ... ok'; exit 101"]));
        assert_eq!(dead.counts, Counts { passed: 0, failed: 1, ..Counts::default() });

        let mut silent = tally(false);
        silent.runner(&mut Command::new("true"));
        assert_eq!(silent.counts.failed, 1);

        let mut good = tally(false);
        good.runner(Command::new("sh").args(["-c", "echo 'test result: ok. 2 passed; 0 failed; 0 ignored'"]));
        assert_eq!(good.counts, Counts { passed: 2, runners: 1, ..Counts::default() });
    }

    #[test]
    fn tests_that_need_what_is_missing_are_filtered_by_name_and_told_so() {
        let [postgres, python, ..] = &NEEDS;
        let command = libtest(&["test", "--workspace"], &[postgres]);
        assert_eq!(shown(&command), "cargo test --workspace -- --skip postgres");
        let told = |need: &Need| {
            let found = command.get_envs().find(|(name, _)| *name == need.variable);
            found.and_then(|(_, value)| value).unwrap().to_owned()
        };
        assert_eq!((told(postgres), told(python)), ("absent".into(), "required".into()));
        let command = libtest(&["test"], &[postgres, python]);
        assert_eq!(shown(&command), "cargo test -- --skip postgres --skip in_python");
    }
}
