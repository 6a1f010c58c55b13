//! What every setting is, said once: in the comments of `config.rs`. From there it comes into the settings file that
//! `tessera config` prints and into `docs/config.md`.

use std::fmt::Write as _;

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::config::Config;

/// Width of the comments in a settings file.
const WIDTH: usize = 100;

/// One setting.
pub(super) struct Setting {
    section: String,
    key: String,
    kind: String,
    default: String,
    what: String,
    /// What its section is about.
    about: String,
}

/// All settings, in the order of the code.
///
/// # Errors
/// When the defaults do not encode, which a test would have shown.
pub(super) fn settings() -> Result<Vec<Setting>, toml::ser::Error> {
    let generator = SchemaSettings::default().with(|settings| settings.inline_subschemas = true);
    let schema = generator.into_generator().into_root_schema_for::<Config>();
    let schema = schema.as_value();
    // The encoder keeps the code's order, which the schema does not.
    let defaults = toml::to_string(&Config::default())?;
    let mut section = String::new();
    let mut found = Vec::new();
    for line in defaults.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_owned();
        } else if let Some((key, default)) = line.split_once(" = ") {
            let about = &schema["properties"][&section];
            let this = &about["properties"][key];
            found.push(Setting {
                section: section.clone(),
                key: key.to_owned(),
                kind: kind_of(this),
                default: default.to_owned(),
                what: said_of(this),
                about: said_of(about),
            });
        }
    }
    Ok(found)
}

/// The comment, as one paragraph.
fn said_of(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn kind_of(schema: &Value) -> String {
    match schema["type"].as_str() {
        _ if schema["oneOf"].is_array() => {
            let words = schema["oneOf"].as_array().map(Vec::as_slice).unwrap_or_default();
            let words = words.iter().filter_map(|word| word["const"].as_str());
            words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ")
        }
        Some("boolean") => "true or false".to_owned(),
        Some("integer") => "whole number".to_owned(),
        Some("number") => "number".to_owned(),
        Some("array") => "list of texts".to_owned(),
        _ => "text".to_owned(),
    }
}

impl Setting {
    fn variable(&self) -> String {
        format!("TESSERA_{}__{}", self.section, self.key).to_uppercase()
    }
}

/// Settings by section, each section once.
fn sections(settings: &[Setting]) -> impl Iterator<Item = &[Setting]> {
    settings.chunk_by(|one, next| one.section == next.section)
}

/// A settings file in which everything is as it would be without it.
pub(super) fn file(settings: &[Setting]) -> String {
    let mut text = String::from(
        "# Every setting of Tessera with its default. Write down only what shall differ: unknown keys are refused.\n",
    );
    for section in sections(settings) {
        let Some(first) = section.first() else { continue };
        text.push('\n');
        comment(&mut text, &first.about);
        let _ = writeln!(text, "[{}]", first.section);
        for setting in section {
            comment(&mut text, &setting.what);
            let _ = writeln!(text, "{} = {}", setting.key, setting.default);
        }
    }
    text
}

fn comment(text: &mut String, said: &str) {
    let mut line = String::from("#");
    for word in said.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(text, "{line}");
            line.truncate(1);
        }
        let _ = write!(line, " {word}");
    }
    let _ = writeln!(text, "{line}");
}

/// The page `docs/config.md`.
pub(super) fn page(settings: &[Setting]) -> String {
    let mut text = String::from(INTRODUCTION);
    for section in sections(settings) {
        let Some(first) = section.first() else { continue };
        let _ = write!(text, "\n## `[{}]`\n\n{}\n\n", first.section, first.about);
        text.push_str("| key | type | default | what it does |\n|---|---|---|---|\n");
        for setting in section {
            let Setting { key, kind, default, what, .. } = setting;
            let cells = [what, kind, default].map(|cell| cell.replace('|', "\\|"));
            let [what, kind, default] = cells;
            let _ = writeln!(text, "| `{key}`<br>`{}` | {kind} | `{default}` | {what} |", setting.variable());
        }
    }
    text
}

const INTRODUCTION: &str = "\
# Settings

This page is made from the code by `cargo run -q -p tessera-server -- config --markdown > docs/config.md`; a test fails
where the two differ. `tessera config` prints the same as a settings file.

Settings are read from the file that `tessera serve --config FILE` names, and every one of them also from the environment,
by the name below its key: that wins over the file. In the environment the items of a list are parted by commas. The
options of the command line win over both. An unknown key, or a value that does not fit, stops the start, with the key's
name and what to write. What is secret can be given as a file (`…_file`), so that it stands in no settings file.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_a_settings_file_that_changes_nothing() {
        let settings = settings().unwrap();
        let text = file(&settings);
        let read: Config = toml::from_str(&text).unwrap();
        assert_eq!(toml::to_string(&read).unwrap(), toml::to_string(&Config::default()).unwrap());
        assert!(text.contains("\n# Where the service listens: `ADDRESS:PORT`.\nlisten = "), "{text}");
        assert!(text.lines().all(|line| line.len() <= 110), "{text}");
    }

    #[test]
    fn every_setting_says_what_it_does_and_every_section_what_it_is_about() {
        let settings = settings().unwrap();
        assert!(settings.len() > 15);
        for Setting { section, key, what, about, kind, .. } in &settings {
            assert!(
                what.len() > 10 && about.len() > 5 && !kind.is_empty(),
                "{section}.{key}: {what:?} {about:?}"
            );
        }
    }

    #[test]
    fn every_variable_is_one_that_is_read() {
        for setting in settings().unwrap() {
            let value = setting.default.trim_matches(['"', '[', ']']).to_owned();
            let read = Config::load(None, std::iter::once((setting.variable(), value)));
            assert!(read.is_ok(), "{}: {:?}", setting.variable(), read.err());
        }
    }
}
