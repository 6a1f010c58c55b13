//! `tessera new`: what it writes, and what it refuses.

use std::path::Path;
use std::process::Command;

use tessera_testkit::child::run;

use crate::process::tessera;

/// In this folder; whether it ended well, its code, and what it printed.
fn new(folder: &Path, words: &[&str]) -> (Option<i32>, String) {
    let mut command: Command = tessera(&[&["new"], words].concat());
    command.current_dir(folder);
    let (status, text) = run(command);
    (status.code(), text)
}

#[test]
fn a_folder_holds_an_app_of_that_name_and_says_how_to_run_it() {
    let folder = tempfile::tempdir().unwrap();
    let (code, text) = new(folder.path(), &["tea-time", "--port", "4711"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("cd tea-time") && text.contains("tessera dev http://localhost:4711"), "{text}");
    let read = |name: &str| std::fs::read_to_string(folder.path().join("tea-time").join(name)).unwrap();
    let main = read("src/main.rs");
    assert!(main.contains("const APP_ID: &str = \"tea-time\";") && main.contains("\"4711\""), "{main}");
    for name in ["Cargo.toml", "src/main.rs", "src/provider.rs", "src/tests.rs", "README.md"] {
        let text = read(name);
        assert!(!text.contains("my-app") && !text.contains("My App") && !text.contains("4000"), "{name}");
    }
    let cargo: toml::Table = read("Cargo.toml").parse().unwrap();
    let driver = cargo["dependencies"]["tessera-driver"]["path"].as_str().unwrap();
    assert!(Path::new(driver).join("src/lib.rs").is_file(), "{driver}");
}

#[test]
fn nothing_that_is_there_is_written_over_and_bad_names_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(new(folder.path(), &["tea-time", "--python"]).0, Some(0));
    // The data folder holds a root key: whichever template it is, it is not for a repository.
    let ignored = std::fs::read_to_string(folder.path().join("tea-time/.gitignore")).unwrap();
    assert!(ignored.contains("/tessera-dev-data/"), "{ignored}");
    let before = std::fs::read_to_string(folder.path().join("tea-time/app.py")).unwrap();
    let (code, text) = new(folder.path(), &["tea-time"]);
    assert!(code == Some(1) && text.contains("not empty"), "{text}");
    assert_eq!(std::fs::read_to_string(folder.path().join("tea-time/app.py")).unwrap(), before);
    assert!(!folder.path().join("tea-time/Cargo.toml").exists());

    std::fs::create_dir(folder.path().join("empty")).unwrap();
    assert_eq!(new(folder.path(), &["empty", "--python"]).0, Some(0));
    for bad in ["ab", "a b c", "../out", "...", "a-name-that-is-longer-than-the-32-bytes"] {
        let (code, text) = new(folder.path(), &["--", bad]);
        assert!(code == Some(1) && text.contains(bad), "{bad}: {text}");
    }
    let (code, text) = new(folder.path(), &["driven", "--driver", "nowhere"]);
    assert!(code == Some(1) && text.contains("crates/driver"), "{text}");
    assert!(!folder.path().join("driven").exists(), "a refusal leaves nothing behind");
}
