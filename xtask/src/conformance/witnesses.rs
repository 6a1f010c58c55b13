//! Which program saw which requirement: a line of the OAuth2 wire that one program alone has seen may be that
//! program's habit.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Outcome, checklist, counts::Counts};

/// The sections of which each line needs two programs.
const TWICE: [&str; 2] = ["OA", "OC"];

/// What was seen, by program.
#[derive(Default)]
pub(crate) struct Witnesses {
    seen: BTreeMap<&'static str, BTreeSet<String>>,
    /// A line for each program, for people.
    told: Vec<String>,
}

impl Witnesses {
    /// Takes in what a program said.
    pub(crate) fn hear(&mut self, program: &'static str, text: &str, counts: Counts) {
        let seen = checklist::passed_ids(text);
        self.told.push(format!("{program}: {} behaviours, {} requirements", counts.passed, seen.len()));
        self.seen.insert(program, seen);
    }

    /// How much each saw.
    pub(crate) fn told(&self) -> &[String] {
        &self.told
    }

    /// Names the lines of the OAuth2 wire that fewer than two programs have seen.
    pub(crate) fn judge(&self) -> Outcome<()> {
        let lonely: Vec<String> =
            checklist::ids_of(&TWICE)?.into_iter().filter(|id| self.of(id) < 2).collect();
        match lonely.is_empty() {
            true => Ok(()),
            false => Err(format!("seen by fewer than two programs: {}", lonely.join(", "))),
        }
    }

    fn of(&self, id: &str) -> usize {
        self.seen.values().filter(|seen| seen.contains(id)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_one_program_saw_or_that_failed_is_named() {
        let all = checklist::ids_of(&TWICE).unwrap();
        assert!(all.len() > 40, "{all:?}");
        let line = |id: &String| format!("test x::{}_it ... ok\n", id.to_lowercase().replace('-', "_"));
        let everything: String = all.iter().map(line).collect();
        let mut witnesses = Witnesses::default();
        witnesses.hear("go", &everything, Counts::default());
        assert!(witnesses.judge().unwrap_err().ends_with(&all.join(", ")));
        let one_failed = everything.replacen("... ok", "... FAILED", 1);
        witnesses.hear("node", &one_failed, Counts::default());
        assert!(witnesses.judge().unwrap_err().ends_with(&format!(": {}", all[0])));
        witnesses.hear("node", &everything, Counts::default());
        assert_eq!(witnesses.judge(), Ok(()));
    }
}
