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
