//! What programs say of their tests, in the words of cargo's own, so that whoever counts or lists them reads one form.

use crate::counts::Verdict;

/// How a program says what happened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// As cargo's tests do, closing line included.
    Cargo,
    /// As `go test -v` does.
    Go,
    /// Whatever it likes, and at the end `N passed, N failed`.
    Sum,
}

/// Listens to one program.
pub(super) struct Speech {
    program: &'static str,
    speaks: Speaks,
    passed: u64,
    failed: u64,
    ignored: u64,
    /// Go's tests and how they ended.
    ended: Vec<(String, Verdict)>,
    /// Whether a closing line was heard.
    closed: bool,
    text: String,
}

impl Speech {
    pub(super) fn new(program: &'static str, speaks: Speaks) -> Self {
        let (passed, failed, ignored) = (0, 0, 0);
        let (ended, closed, text) = (Vec::new(), false, String::new());
        Self { program, speaks, passed, failed, ignored, ended, closed, text }
    }

    /// What to print for a line of the program's.
    pub(super) fn hear(&mut self, line: &str) -> Option<String> {
        let said = match self.speaks {
            Speaks::Cargo => {
                self.closed |= line.starts_with("test result: ");
                Some(line.to_owned())
            }
            Speaks::Go => self.go(line),
            Speaks::Sum => match sum(line) {
                Some((passed, failed)) => {
                    (self.passed, self.failed, self.closed) = (passed, failed, true);
                    None
                }
                None => Some(line.to_owned()),
            },
        };
        if let Some(said) = &said {
            self.text.push_str(said);
            self.text.push('\n');
        }
        said
    }

    /// The end: closes in cargo's words, where the program did not. Gives all that was said.
    pub(super) fn end(mut self, well: bool, each: &mut impl FnMut(&str)) -> String {
        let mut closing = Vec::new();
        self.count();
        if self.speaks != Speaks::Cargo {
            if !self.closed && self.speaks == Speaks::Sum || !well && self.failed == 0 {
                self.failed += 1;
                closing.push(format!("test {}::whole ... FAILED", self.program));
            }
            let word = if self.failed == 0 { "ok" } else { "FAILED" };
            closing.push(format!(
                "test result: {word}. {} passed; {} failed; {} ignored",
                self.passed, self.failed, self.ignored
            ));
        }
        for line in closing {
            each(&line);
            self.text.push_str(&line);
            self.text.push('\n');
        }
        self.text
    }

    /// `--- PASS: TestStore/c_oa_01_… (0.01s)`, with as much before it as the test is deep.
    fn go(&mut self, line: &str) -> Option<String> {
        let told = line.trim_start();
        let Some((verdict, rest)) = told.strip_prefix("--- ").and_then(|rest| rest.split_once(": ")) else {
            let noise = ["=== RUN", "=== PAUSE", "=== CONT", "=== NAME", "PASS"].iter();
            return (!noise.clone().any(|word| told.starts_with(word))).then(|| line.to_owned());
        };
        let name = rest.rsplit_once(" (").map_or(rest, |(name, _)| name).replace('/', "::");
        let (word, verdict) = match verdict {
            "PASS" => ("ok", Verdict::Passed),
            "SKIP" => ("ignored", Verdict::Ignored),
            _ => ("FAILED", Verdict::Failed),
        };
        let said = format!("test {}::{name} ... {word}", self.program);
        self.ended.push((name, verdict));
        Some(said)
    }

    /// Counts Go's tests. One that holds others is none of its own, unless it failed and none of them did.
    fn count(&mut self) {
        for (name, verdict) in &self.ended {
            let inner = format!("{name}::");
            let mut within = self.ended.iter().filter(|(other, _)| other.starts_with(&inner)).peekable();
            let counts = match (within.peek(), verdict) {
                (None, _) => true,
                (Some(_), Verdict::Failed) => within.all(|(_, verdict)| *verdict != Verdict::Failed),
                (Some(_), _) => false,
            };
            match verdict {
                _ if !counts => {}
                Verdict::Passed => self.passed += 1,
                Verdict::Failed => self.failed += 1,
                Verdict::Ignored => self.ignored += 1,
            }
        }
    }
}

/// `N passed, N failed`.
fn sum(line: &str) -> Option<(u64, u64)> {
    let (passed, failed) = line.trim().split_once(" passed, ")?;
    Some((passed.parse().ok()?, failed.strip_suffix(" failed")?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counts::{self, Counts, test_line};

    fn heard(speaks: Speaks, lines: &[&str], well: bool) -> (String, Counts) {
        let mut speech = Speech::new("go", speaks);
        for line in lines {
            speech.hear(line);
        }
        let text = speech.end(well, &mut |_| ());
        let counts = counts::sum(&text);
        (text, counts)
    }

    #[test]
    fn gos_tests_are_counted_and_named_as_ours_are() {
        let lines = [
            "=== RUN   TestStore",
            "=== RUN   TestStore/c_oa_01_stored",
            "    store_test.go:10: a word",
            "    --- PASS: TestStore/c_oa_01_stored (0.01s)",
            "    --- FAIL: TestStore/c_oa_02_refused (0.01s)",
            "    --- SKIP: TestStore/later (0.00s)",
            "--- FAIL: TestStore (0.02s)",
            "FAIL",
        ];
        let (text, counts) = heard(Speaks::Go, &lines, false);
        assert_eq!(counts, Counts { passed: 1, failed: 1, ignored: 1, runners: 1 });
        let named: Vec<_> = text.lines().filter_map(test_line).collect();
        assert_eq!(named[0], ("go::TestStore::c_oa_01_stored".to_owned(), Verdict::Passed));
        assert_eq!(named.len(), 4);
        assert!(text.contains("a word") && !text.contains("=== RUN"), "{text}");
    }

    #[test]
    fn a_go_test_that_failed_by_itself_counts_though_all_within_passed() {
        let lines = ["--- FAIL: TestX (0.1s)", "    --- PASS: TestX/a (0.1s)", "--- PASS: TestY (0.1s)"];
        assert_eq!(
            heard(Speaks::Go, &lines, false).1,
            Counts { passed: 2, failed: 1, ignored: 0, runners: 1 }
        );
    }

    #[test]
    fn a_program_that_dies_without_naming_a_test_has_failed() {
        assert_eq!(heard(Speaks::Go, &["panic: x"], false).1.failed, 1);
        assert_eq!(heard(Speaks::Sum, &["Traceback"], true).1.failed, 1);
        let (text, counts) = heard(Speaks::Sum, &["a word", "7 passed, 0 failed"], true);
        assert_eq!(counts, Counts { passed: 7, runners: 1, ..Counts::default() });
        assert!(!text.contains("7 passed, 0 failed"), "one closing line is enough: {text}");
        assert_eq!(heard(Speaks::Sum, &["7 passed, 2 failed"], false).1.failed, 2);
        // What speaks cargo's words and dies counts nothing: whoever ran it sees how it ended.
        assert_eq!(heard(Speaks::Cargo, &["oh"], false).1, Counts::default());
    }
}
