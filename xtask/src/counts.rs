//! Reads what test runners print: closing lines for the counts, test lines for the checklist.

/// How many tests a runner, or several of them, reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// Marked `#[ignore]`, or skipped by the runner on its own account.
    pub(crate) ignored: u64,
    /// How many closing lines were read: none means that no runner came to its end.
    pub(crate) runners: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
        self.runners += other.runners;
    }
}

/// How one test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Failed,
    Ignored,
}

/// Sums the closing lines of libtest (`test result: ok. 3 passed; …`) and nextest (`Summary […] …`).
pub(crate) fn sum(output: &str) -> Counts {
    let mut total = Counts::default();
    for line in output.lines() {
        if let Some(counts) = closing_line(&plain(line)) {
            total += counts;
        }
    }
    total
}

fn closing_line(line: &str) -> Option<Counts> {
    let line = line.trim();
    let figures = if let Some(rest) = line.strip_prefix("test result: ") {
        rest.split_once(". ")?.1
    } else {
        // Summary [   0.100s] 7 tests run: 6 passed (1 slow), 1 failed, 2 skipped
        line.strip_prefix("Summary [")?.split_once("run: ")?.1
    };
    let mut counts = Counts { runners: 1, ..Counts::default() };
    for part in figures.split([';', ',']) {
        let mut words = part.split_whitespace();
        let (Some(Ok(number)), Some(what)) = (words.next().map(str::parse::<u64>), words.next()) else {
            continue;
        };
        match what {
            "passed" => counts.passed += number,
            "failed" | "timed" | "exec" => counts.failed += number,
            "ignored" => counts.ignored += number,
            _ => {}
        }
    }
    Some(counts)
}

/// Reads one test's line: `test path::name ... ok` (libtest), `PASS [ 0.1s] package path::name` (nextest).
pub(crate) fn test_line(line: &str) -> Option<(String, Verdict)> {
    let line = plain(line);
    let line = line.trim();
    if let Some(rest) = line.strip_prefix("test ") {
        let (name, verdict) = rest.rsplit_once(" ... ")?;
        let verdict = match verdict.split([',', ' ']).next()? {
            "ok" => Verdict::Passed,
            "FAILED" => Verdict::Failed,
            "ignored" => Verdict::Ignored,
            _ => return None,
        };
        return Some((name.trim_end_matches(" - should panic").to_owned(), verdict));
    }
    let (word, rest) = line.split_once(' ')?;
    let verdict = match word {
        "PASS" => Verdict::Passed,
        "FAIL" | "SIGABRT" | "SIGSEGV" | "TIMEOUT" => Verdict::Failed,
        "SKIP" => Verdict::Ignored,
        _ => return None,
    };
    let name = rest.trim_start().strip_prefix('[')?.split_once(']')?.1.split_whitespace().last()?;
    Some((name.to_owned(), verdict))
}

/// The line without terminal colours, which nextest prints when asked to.
fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            characters.by_ref().find(|end| end.is_ascii_alphabetic());
        } else {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_several_binaries_are_summed() {
        let output = "\
running 2 tests\n\
test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.01s\n\
test result: FAILED. 5 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s\n";
        assert_eq!(sum(output), Counts { passed: 17, failed: 2, ignored: 1, runners: 2 });
    }

    #[test]
    fn nextest_summary_is_read_and_its_filtered_tests_are_not_ignored_ones() {
        let output =
            "     Summary [   2.013s] 9 tests run: 7 passed (1 slow), 1 failed, 1 timed out, 4 skipped\n";
        assert_eq!(sum(output), Counts { passed: 7, failed: 2, ignored: 0, runners: 1 });
        let coloured =
            "\u{1b}[32;1m     Summary\u{1b}[0m [   0.013s] \u{1b}[1m1\u{1b}[0m test run: 1 passed, 0 skipped";
        assert_eq!(sum(coloured).passed, 1);
    }

    #[test]
    fn prose_is_no_closing_line() {
        assert_eq!(sum("the test result: is fine\nSummary of 3 passed\ntest result: odd"), Counts::default());
    }

    #[test]
    fn test_lines_are_read() {
        let ok = |name: &str, verdict| Some((name.to_owned(), verdict));
        assert_eq!(test_line("test wire::c_oa_01_store ... ok"), ok("wire::c_oa_01_store", Verdict::Passed));
        assert_eq!(test_line("test a::b ... FAILED"), ok("a::b", Verdict::Failed));
        assert_eq!(test_line("test a::b ... ignored, takes an hour"), ok("a::b", Verdict::Ignored));
        assert_eq!(test_line("test a::b - should panic ... ok"), ok("a::b", Verdict::Passed));
        assert_eq!(
            test_line("test src/lib.rs - client (line 3) ... ok"),
            ok("src/lib.rs - client (line 3)", Verdict::Passed)
        );
        assert_eq!(
            test_line("        PASS [   0.004s] tessera-types ids::os_01_x"),
            ok("ids::os_01_x", Verdict::Passed)
        );
        assert_eq!(test_line("  FAIL [   0.004s] (2/9) tessera-types a::b"), ok("a::b", Verdict::Failed));
        assert_eq!(test_line("test result: ok. 1 passed; 0 failed"), None);
        assert_eq!(test_line("---- a::b stdout ----"), None);
    }
}
