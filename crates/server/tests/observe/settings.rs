//! Settings say of themselves what they are.

use std::path::Path;
use std::process::Command;

use tessera_testkit::child::run;

use crate::TESSERA;

fn tessera(words: &[&str]) -> String {
    let mut command = Command::new(TESSERA);
    command.args(words);
    let (status, text) = run(command);
    assert!(status.success(), "{text}");
    text
}

#[test]
fn the_page_of_settings_is_what_the_program_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/config.md");
    let page = std::fs::read_to_string(page).unwrap();
    let now = tessera(&["config", "--markdown"]);
    assert!(
        page == now,
        "docs/config.md is not what the settings are: renew it with\n\
         cargo run -q -p tessera-server -- config --markdown > docs/config.md"
    );
}

/// What the program can say, with the breaks of its source's lines taken out.
fn sources() -> String {
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut all = String::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    let lines: Vec<&str> = all.split("\\\n").collect();
    let joined = lines.iter().enumerate().map(|(at, line)| if at == 0 { line } else { line.trim_start() });
    joined.collect::<String>().replace("\\\"", "\"")
}

#[test]
fn what_the_page_for_administrators_quotes_is_what_the_program_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, table) = page.split_once("\n## When it does not work\n").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let rows: Vec<&str> =
        table.lines().filter_map(|row| row.strip_prefix("| `")?.split('`').next()).collect();
    assert!(rows.len() > 15, "{rows:?}");
    let sources = sources();
    for row in rows {
        // What differs from case to case stands there as three dots, and a setting's name before its trouble.
        for piece in row.split('…').flat_map(|piece| piece.split(": ")) {
            let piece = piece.trim_matches([' ', '(', ')', ',', ':']);
            assert!(sources.contains(piece), "nothing says {piece:?}, yet the page quotes {row:?}");
        }
    }
}

#[test]
fn traces_are_refused_by_a_program_that_was_built_without_them() {
    let data = tempfile::tempdir().unwrap();
    let refused = |name, value| {
        let mut command = tessera_testkit::child::serve(TESSERA, data.path());
        let (status, text) = run({
            command.env(name, value);
            command
        });
        assert_eq!(status.code(), Some(1), "{text}");
        text
    };
    if cfg!(not(feature = "otel")) {
        assert!(refused("TESSERA_TRACE__ENDPOINT", "http://localhost:4318").contains("--features otel"));
    }
    assert!(refused("TESSERA_TRACE__RATIO", "2").contains("trace.ratio: 2 is out of range"));
    assert!(refused("TESSERA_TRACE__RATIO", "half").contains("TESSERA_TRACE__RATIO: write a number"));
}
