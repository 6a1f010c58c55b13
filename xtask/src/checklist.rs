//! `cargo xtask checklist`: which requirement is proved by which tests, by the ids that tests carry in their names.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::Deserialize;

use crate::{
    Outcome, conformance,
    counts::{Verdict, test_line},
    crash, needs, process, test,
};

/// `docs/requirements.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirements {
    #[serde(rename = "requirement")]
    list: Vec<Requirement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirement {
    /// Such as `C-OA-07` or `OS-03`.
    id: String,
    /// `OA` of `C-OA-07`, `OS` of `OS-03`.
    section: String,
    level: Level,
    /// Whom a security requirement binds; absent for the wire's.
    mode: Option<Mode>,
    text: String,
    /// Asked twice: a test that also carries the word `reference` must pass, and another with this word.
    twin: Option<String>,
    /// What is declared not to be offered, and what happens to who wants it all the same. For what may follow alone.
    not_offered: Option<String>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
enum Level {
    /// The original's own tests assert it.
    #[serde(rename = "pinned")]
    Pinned,
    /// It follows from the original's code.
    #[serde(rename = "code")]
    Code,
    /// Must hold before any release.
    M,
    /// Should hold, may follow.
    S,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    All,
    AppManaged,
    Managed,
}

/// One test of the output that carries at least one id.
struct Proof {
    name: String,
    verdict: Verdict,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Standing {
    Pass,
    Fail,
    Missing,
    NotOffered,
}

/// Runs or reads the tests and prints one line for each id, then the totals of each section. With
/// sections, `Ok(true)` means that every id of them passes; without, that none fails.
pub(crate) fn run(sections: &[String], saved: Option<&Path>) -> Outcome<bool> {
    let requirements = load(&process::root().join("docs/requirements.toml"))?;
    let known: BTreeSet<&str> = requirements.list.iter().map(|entry| entry.section.as_str()).collect();
    let asked: Vec<String> = sections.iter().map(|section| section.to_uppercase()).collect();
    if let Some(section) = asked.iter().find(|section| !known.contains(section.as_str())) {
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        return Err(format!("no section `{section}` in docs/requirements.toml; there are {known}"));
    }
    let output = match saved {
        Some(file) => {
            std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?
        }
        None => run_tests()?,
    };
    Ok(report(&requirements, &asked, &output))
}

fn load(file: &Path) -> Outcome<Requirements> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let requirements = parse(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(requirements)
}

/// Reads and checks the list: ids well formed and once each, sections and levels that fit them.
fn parse(text: &str) -> Outcome<Requirements> {
    let requirements: Requirements = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut seen = BTreeSet::new();
    for entry in &requirements.list {
        let carried = ids_in(&entry.id.to_lowercase().replace('-', "_"));
        if carried != [entry.id.clone()] {
            return Err(format!("`{}` is not of the form C-XX-00 or OS-00", entry.id));
        }
        if !seen.insert(&entry.id) {
            return Err(format!("{} is there twice", entry.id));
        }
        let security = entry.id.starts_with("OS-");
        if entry.section != section_of(&entry.id) {
            return Err(format!("{}: its section is {}", entry.id, section_of(&entry.id)));
        }
        if security != matches!(entry.level, Level::M | Level::S) || security != entry.mode.is_some() {
            return Err(format!("{}: level and mode do not fit the kind of id", entry.id));
        }
        if entry.not_offered.is_some() && entry.level != Level::S {
            return Err(format!("{}: only what should hold may be left out", entry.id));
        }
        if entry.text.trim().is_empty() {
            return Err(format!("{}: its text is empty", entry.id));
        }
    }
    Ok(requirements)
}

fn section_of(id: &str) -> &str {
    if id.starts_with("OS-") { "OS" } else { id.split('-').nth(1).unwrap_or_default() }
}

/// Cargo's own runner over everything; a failing test is an answer, a build that fails is not.
fn run_tests() -> Outcome<String> {
    let missing = needs::missing();
    for need in &missing {
        eprintln!("left out: tests named *{}*: {}", need.word, need.how_to_get);
    }
    let mut command = test::libtest(&["test", "--workspace", "--no-fail-fast"], &missing);
    let (text, ended) = process::tee(&mut command, |_| ())?;
    match ended {
        Err(message) if !text.lines().any(|line| test_line(line).is_some()) => Err(message),
        _ => Ok(text + &run_crash()? + &run_programs()?),
    }
}

/// What killing the server shows.
fn run_crash() -> Outcome<String> {
    if let Some(lacks) = crash::lacks() {
        eprintln!("left out: {lacks}");
    }
    Ok(crash::tests(|_| ())?.0)
}

/// What the programs of `conformance/` that this machine can run say.
fn run_programs() -> Outcome<String> {
    let built = conformance::build()?;
    let mut text = String::new();
    for program in &conformance::PROGRAMS {
        match program.missing() {
            Some(missing) => eprintln!("left out: {missing}"),
            None => text += &program.run(&built, |_| ())?.0,
        }
    }
    Ok(text)
}

fn report(requirements: &Requirements, asked: &[String], output: &str) -> bool {
    let proofs = proofs(output);
    for (id, tests) in &proofs {
        if !requirements.list.iter().any(|entry| entry.id == *id) {
            eprintln!("warning: docs/requirements.toml does not know {id}, carried by {}", names(tests));
        }
    }
    let mut totals: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    for entry in &requirements.list {
        if !asked.is_empty() && !asked.contains(&entry.section) {
            continue;
        }
        let tests = proofs.get(&entry.id).map(Vec::as_slice).unwrap_or_default();
        let (standing, note) = judge(entry, tests);
        let total = totals.entry(&entry.section).or_default();
        total[standing as usize] += 1;
        let word = ["pass", "fail", "missing", "declared not offered"][standing as usize];
        let mut line = format!("{} | {word}", entry.id);
        for part in [names(tests), note] {
            if !part.is_empty() {
                line.push_str(" | ");
                line.push_str(&part);
            }
        }
        println!("{line}");
    }
    println!();
    for (section, [pass, fail, missing, not_offered]) in &totals {
        let rest =
            if *not_offered > 0 { format!(", {not_offered} declared not offered") } else { String::new() };
        println!("{section}: {pass} pass, {fail} fail, {missing} missing{rest}");
    }
    totals.values().all(|[_, fail, missing, _]| *fail == 0 && (asked.is_empty() || *missing == 0))
}

/// The ids that passing tests of an output carry.
pub(crate) fn passed_ids(output: &str) -> BTreeSet<String> {
    let passed = |(id, tests): (String, Vec<Proof>)| {
        tests.iter().all(|test| test.verdict == Verdict::Passed).then_some(id)
    };
    proofs(output).into_iter().filter_map(passed).collect()
}

/// Every id of these sections.
pub(crate) fn ids_of(sections: &[&str]) -> Outcome<Vec<String>> {
    let requirements = load(&process::root().join("docs/requirements.toml"))?;
    let asked = |entry: &Requirement| sections.contains(&entry.section.as_str());
    Ok(requirements.list.into_iter().filter(asked).map(|entry| entry.id).collect())
}

/// The tests of the output by the ids they carry.
fn proofs(output: &str) -> BTreeMap<String, Vec<Proof>> {
    let mut proofs: BTreeMap<String, Vec<Proof>> = BTreeMap::new();
    for (name, verdict) in output.lines().filter_map(test_line) {
        let last = name.rsplit("::").next().unwrap_or_default();
        for id in ids_in(last) {
            proofs.entry(id).or_default().push(Proof { name: name.clone(), verdict });
        }
    }
    proofs
}

/// The ids in a test's own name: `c_oa_01_c_oa_20_put_and_post` carries C-OA-01 and C-OA-20.
fn ids_in(name: &str) -> Vec<String> {
    let number = |word: &str| word.len() == 2 && word.bytes().all(|byte| byte.is_ascii_digit());
    let letters = |word: &str| word.len() == 2 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let words: Vec<&str> = name.split('_').collect();
    let mut ids: Vec<String> = Vec::new();
    for (place, word) in words.iter().enumerate() {
        let id = match (*word, words.get(place + 1), words.get(place + 2)) {
            ("c", Some(section), Some(digits)) if letters(section) && number(digits) => {
                format!("C-{}-{digits}", section.to_uppercase())
            }
            ("os", Some(digits), _) if number(digits) && (place == 0 || words[place - 1] != "c") => {
                format!("OS-{digits}")
            }
            _ => continue,
        };
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

/// How the requirement stands, with a note where the tests' names do not explain it.
fn judge(entry: &Requirement, tests: &[Proof]) -> (Standing, String) {
    if tests.iter().any(|test| test.verdict == Verdict::Failed) {
        return (Standing::Fail, String::new());
    }
    if let Some(declared) = &entry.not_offered {
        return (Standing::NotOffered, declared.clone());
    }
    let passed = |word: &str| {
        tests.iter().any(|test| {
            test.verdict == Verdict::Passed
                && (word.is_empty() || test.name.split(['_', ':']).any(|part| part == word))
        })
    };
    let wanted = match entry.twin.as_deref() {
        Some(twin) => vec!["reference", twin],
        None => vec![""],
    };
    let lacking: Vec<&str> = wanted.into_iter().filter(|word| !passed(word)).collect();
    match lacking.as_slice() {
        [] => (Standing::Pass, String::new()),
        [""] => (Standing::Missing, String::new()),
        words => (Standing::Missing, format!("no passing test named {}", words.join(", nor one named "))),
    }
}

/// The tests, as the line shows them; what did not pass is marked.
fn names(tests: &[Proof]) -> String {
    let shown = tests.iter().map(|test| match test.verdict {
        Verdict::Passed => test.name.clone(),
        Verdict::Failed => format!("{} (failed)", test.name),
        Verdict::Ignored => format!("{} (ignored)", test.name),
    });
    shown.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> Requirements {
        parse(
            r#"
            requirement = [
              { id = "C-OA-07", section = "OA", level = "pinned", text = "too big" },
              { id = "C-OA-11", section = "OA", level = "pinned", text = "bot", twin = "documented" },
              { id = "C-OC-01", section = "OC", level = "code", text = "connect" },
              { id = "OS-03", section = "OS", level = "M", mode = "all", text = "state" },
              { id = "OS-27", section = "OS", level = "S", mode = "managed", text = "PAR", not_offered = "refused" },
            ]"#,
        )
        .unwrap()
    }

    fn standing(id: &str, output: &str) -> (Standing, String) {
        let proofs = proofs(output);
        let requirements = list();
        let entry = requirements.list.iter().find(|entry| entry.id == id).unwrap();
        judge(entry, proofs.get(id).map(Vec::as_slice).unwrap_or_default())
    }

    #[test]
    fn ids_are_read_from_names() {
        assert_eq!(ids_in("c_oa_07_too_big"), ["C-OA-07"]);
        assert_eq!(ids_in("c_oa_01_c_oa_20_put_and_post"), ["C-OA-01", "C-OA-20"]);
        assert_eq!(ids_in("postgres_os_03_c_so_05_one_winner"), ["OS-03", "C-SO-05"]);
        assert_eq!(ids_in("c_os_03"), ["C-OS-03"]);
        assert!(ids_in("macos_03").is_empty());
        assert!(ids_in("c_oa_7").is_empty());
        assert!(ids_in("os_003").is_empty());
    }

    #[test]
    fn only_the_last_segment_carries_ids() {
        assert!(proofs("test c_oa_07::helper ... ok").is_empty());
        assert_eq!(proofs("test wire::c_oa_07_x ... ok")["C-OA-07"][0].name, "wire::c_oa_07_x");
    }

    #[test]
    fn an_id_passes_fails_or_is_missing() {
        assert_eq!(standing("C-OA-07", "test c_oa_07_a ... ok").0, Standing::Pass);
        assert_eq!(standing("C-OA-07", "test c_oa_07_a ... ok\ntest c_oa_07_b ... FAILED").0, Standing::Fail);
        assert_eq!(standing("C-OA-07", "test c_oa_07_a ... ignored").0, Standing::Missing);
        assert_eq!(standing("C-OA-07", "test other ... ok").0, Standing::Missing);
    }

    #[test]
    fn what_is_declared_not_offered_is_said_so_and_fails_where_a_test_of_it_fails() {
        assert_eq!(standing("OS-27", ""), (Standing::NotOffered, "refused".to_owned()));
        assert_eq!(standing("OS-27", "test os_27_x ... FAILED").0, Standing::Fail);
    }

    #[test]
    fn a_twin_needs_both_profiles() {
        let reference = "test reference::c_oa_11_bot ... ok\n";
        let documented = "test c_oa_11_documented_bot ... ok\n";
        assert_eq!(standing("C-OA-11", &format!("{reference}{documented}")).0, Standing::Pass);
        assert_eq!(
            standing("C-OA-11", reference),
            (Standing::Missing, "no passing test named documented".to_owned())
        );
        assert_eq!(
            standing("C-OA-11", &format!("{reference}test c_oa_11_documented ... FAILED")).0,
            Standing::Fail
        );
    }

    #[test]
    fn the_exit_follows_the_sections_asked_for() {
        let asked = |section: &str| vec![section.to_owned()];
        let output = "test c_oc_01_a ... ok\n";
        assert!(report(&list(), &asked("OC"), output));
        assert!(!report(&list(), &asked("OA"), output));
        assert!(report(&list(), &[], output), "missing alone is no failure when nothing was asked for");
        assert!(!report(&list(), &[], "test os_03_x ... FAILED"));
    }

    #[test]
    fn a_wrong_list_is_refused() {
        let one = |entry: &str| parse(&format!("requirement = [{{ {entry} }}]")).map(|_| ()).unwrap_err();
        assert!(one("id='C-OA-7', section='OA', level='pinned', text='x'").contains("not of the form"));
        assert!(one("id='C-OA-07', section='OC', level='pinned', text='x'").contains("its section is OA"));
        assert!(one("id='C-OA-07', section='OA', level='M', text='x'").contains("do not fit"));
        assert!(one("id='OS-07', section='OS', level='M', text='x'").contains("do not fit"));
        let essential = "id='OS-07', section='OS', level='M', mode='all', text='x', not_offered='y'";
        assert!(one(essential).contains("only what should hold"));
        assert!(one("id='C-OA-07', section='OA', level='pinned', text=' '").contains("empty"));
        assert!(one("id='C-OA-07', section='OA', level='pinned', text='x', extra=1").contains("extra"));
        let twice = "{ id='OS-01', section='OS', level='M', mode='all', text='x' },".repeat(2);
        assert!(parse(&format!("requirement = [{twice}]")).map(|_| ()).unwrap_err().contains("twice"));
    }

    #[test]
    fn the_repository_s_own_list_is_whole() {
        let requirements = load(&process::root().join("docs/requirements.toml")).unwrap();
        let count = |section: &str| requirements.list.iter().filter(|entry| entry.section == section).count();
        assert_eq!(count("OS"), 60);
        assert_eq!((count("OA"), count("SO"), count("OC")), (28, 7, 16));
        let twins: Vec<&str> = requirements
            .list
            .iter()
            .filter(|entry| entry.twin.is_some())
            .map(|entry| entry.id.as_str())
            .collect();
        assert_eq!(twins, ["C-OA-11", "C-OA-12", "C-OA-14"]);
    }
}
