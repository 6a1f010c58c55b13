//! What a run shows, in the words of cargo's own tests, so that whoever counts or lists those reads this as well.

use std::process::ExitCode;

use tessera_server::grants::fault::SABOTAGES;

use crate::Options;
use crate::table::Table;

/// A run of all rounds, and then one for each rule that is switched off: there something must be lost.
pub(crate) fn tests(options: &Options, run: impl Fn(&Options) -> Table) -> ExitCode {
    let (mut passed, mut failed) = (0, 0);
    let mut say = |name: &str, good: bool| {
        println!("test crash::{name} ... {}", if good { "ok" } else { "FAILED" });
        *(if good { &mut passed } else { &mut failed }) += 1;
    };
    let table = run(options);
    print!("{}", table.text());
    for (step, good) in table.steps() {
        say(step.shows(), good);
    }
    for (rule, about) in SABOTAGES {
        if options.without_postgres && rule == "skip-the-fence" {
            continue;
        }
        println!("with {rule}: {about}");
        let table = run(&Options { sabotage: Some(rule.to_owned()), ..options.clone() });
        say(&format!("os_32_something_is_lost_with_{}", rule.replace('-', "_")), table.bad() > 0);
    }
    let word = if failed == 0 { "ok" } else { "FAILED" };
    println!("test result: {word}. {passed} passed; {failed} failed; 0 ignored");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
