use super::*;

const KEY: [u8; 32] = [7; 32];

fn open(dir: &Path) -> Audit {
    Audit::open(dir, Zeroizing::new(KEY), Sync::Always, Env::system()).unwrap()
}

async fn record(audit: &Audit, app: &str) {
    audit.record(Entry::allowed(Act::ConnectionReleased, "user", app, "req").detail("x\"y\n")).await.unwrap();
}

#[tokio::test]
async fn os_54_a_removed_or_altered_line_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let audit = open(dir.path());
    for app in ["one", "two", "three"] {
        record(&audit, app).await;
    }
    assert_eq!(verify(&path, &KEY).unwrap(), Verdict::Whole { entries: 3 });
    assert_eq!(verify(&path, &[8; 32]).unwrap(), Verdict::BrokenAt { line: 1 });

    let whole = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    std::fs::write(&path, format!("{}\n{}\n", lines[0], lines[2])).unwrap();
    assert_eq!(verify(&path, &KEY).unwrap(), Verdict::BrokenAt { line: 2 });
    std::fs::write(&path, whole.replace("\"two\"", "\"2\"")).unwrap();
    assert_eq!(verify(&path, &KEY).unwrap(), Verdict::BrokenAt { line: 2 });
}

#[tokio::test]
async fn a_line_cut_off_by_a_crash_is_dropped_and_the_chain_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let audit = open(dir.path());
    record(&audit, "one").await;
    drop(audit);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend_from_slice(b"{\"n\":2,\"at\":12");
    std::fs::write(&path, bytes).unwrap();

    let audit = open(dir.path());
    record(&audit, "two").await;
    assert_eq!(verify(&path, &KEY).unwrap(), Verdict::Whole { entries: 2 });
    assert!(std::fs::read_to_string(&path).unwrap().contains("\"n\":2,"));
}

#[tokio::test]
async fn a_second_process_is_told_that_the_log_is_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let _first = open(dir.path());
    let second = Audit::open(dir.path(), Zeroizing::new(KEY), Sync::Soon, Env::system());
    assert!(matches!(second, Err(Error::Busy(_))));
}

/// Act and version of lines about one row, oldest first, and how the row of a version then compares.
fn judged(lines: &[(&str, i64)], version: i64) -> Judged {
    let mut history = History::of(1);
    for (act, version) in lines {
        let outcome = if act.starts_with("row_") { "done" } else { "allowed" };
        let text = format!(
            r#"{{"at":1,"act":"{act}","outcome":"{outcome}","actor":"u","app":"a","row":{{"table":"connections","user":"u","generation":{version},"print":"p{version}"}}"#
        );
        history.hear(History::told(&text).unwrap());
    }
    let place = RowPlace { table: Table::Connections, app: "a".into(), user: "u".into() };
    history.judge(&place, Some((version, &format!("p{version}"))))
}

/// A store that came right after a disconnect may be confirmed before it: what is no finding then is one where the
/// version went back, so versions must not (`grants/versions.rs`).
#[test]
fn os_40_a_removal_that_is_confirmed_late_is_told_by_versions_that_grow() {
    let story = |anew: i64| {
        [
            ("connection_stored", 7),
            ("row_written", 7),
            ("connection_removed", 7),
            ("connection_stored", anew),
            ("row_written", anew),
            ("row_removed", 7),
            ("connection_stored", anew + 1),
            ("row_written", anew + 1),
        ]
    };
    assert_eq!(judged(&story(8), 9), Judged::Fine);
    assert!(matches!(judged(&story(6), 7), Judged::Wrong(_)), "a version came twice");
}
