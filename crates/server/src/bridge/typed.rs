//! What somebody typed, against what an App offers: which of its commands is meant, and what its fields are filled with.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tessera_types::{Binding, Field, RawJson};

/// What a text leads to.
pub(super) enum Found<'a> {
    /// A command, what stands behind it, and the labels that led there.
    Binding {
        /// It.
        binding: &'a Binding,
        /// The rest of the text.
        rest: &'a str,
        /// `/connect/now`.
        path: String,
    },
    /// None: what there is.
    Help {
        /// In words.
        text: String,
        /// Whether that was all that was asked: nothing was typed.
        asked: bool,
    },
}

/// The command that a text begins with: as many of its words as are labels.
pub(super) fn find<'a>(level: &[&'a Binding], text: &'a str, word: &str) -> Found<'a> {
    let mut level = level.to_vec();
    let (mut rest, mut path, mut said) = (text.trim(), String::new(), format!("/{word}"));
    loop {
        let (first, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let Some(binding) = level.iter().copied().find(|binding| !first.is_empty() && binding.label == first)
        else {
            return Found::Help { text: help(&level, &said, first), asked: first.is_empty() };
        };
        rest = after.trim_start();
        let _ = write!(path, "/{}", binding.location.trim_start_matches('/'));
        let _ = write!(said, " {first}");
        if binding.bindings.is_empty() {
            return Found::Binding { binding, rest, path };
        }
        level = binding.bindings.iter().collect();
    }
}

fn help(level: &[&Binding], said: &str, first: &str) -> String {
    if level.is_empty() {
        return format!("`{said}` has no commands for you here.");
    }
    let mut text = match first {
        "" => format!("`{said}` is followed by one of these:\n"),
        _ => format!("`{said}` knows no `{}`. It is followed by one of these:\n", plain(first)),
    };
    for binding in level {
        let hint = if binding.hint.is_empty() { String::new() } else { format!(" {}", binding.hint) };
        let _ =
            writeln!(text, "- `{said} {}{}` {}", plain(&binding.label), plain(&hint), binding.description);
    }
    text
}

/// Without what would end the code that it stands in.
pub(super) fn plain(text: &str) -> String {
    text.replace('`', "'")
}

/// The values of a command's fields, by flags and places, as the framework's own clients read them: `--name value`, or the
/// word in the place that the field has.
pub(super) fn values(fields: &[Field], text: &str) -> Result<BTreeMap<String, RawJson>, String> {
    let mut values = BTreeMap::new();
    let mut words = split(text)?.into_iter().peekable();
    let mut place = 1;
    while let Some(word) = words.next() {
        let flag = if word.quoted { None } else { word.text.strip_prefix("--") };
        let (field, value) = match flag {
            Some(flag) => {
                let (name, given) =
                    flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)));
                let field = fields.iter().find(|field| label(field) == name);
                let field = field.ok_or_else(|| unknown(fields, &format!("--{name}")))?;
                let value = match (given, field.kind.as_str()) {
                    (Some(given), _) => given.to_owned(),
                    (None, "bool") => "true".to_owned(),
                    (None, _) => words
                        .next()
                        .map(|word| word.text)
                        .ok_or_else(|| format!("`--{name}` needs a value."))?,
                };
                (field, value)
            }
            None => {
                let field = fields.iter().find(|field| field.position == place);
                place += 1;
                match field.or_else(|| fields.iter().find(|field| field.position == -1)) {
                    None => return Err(unknown(fields, &word.text)),
                    Some(field) if field.position == -1 => {
                        let mut all = word.text;
                        for more in words.by_ref() {
                            let _ = write!(all, " {}", more.text);
                        }
                        (field, all)
                    }
                    Some(field) => (field, word.text),
                }
            }
        };
        values.insert(field.name.clone(), value_of(field, &value)?);
    }
    let missing = fields
        .iter()
        .find(|field| field.is_required && !values.contains_key(&field.name) && field.value.is_none());
    if let Some(field) = missing {
        return Err(format!("`--{}` is missing. {}", plain(label(field)), field.description));
    }
    for field in fields {
        if let Some(value) = &field.value
            && !values.contains_key(&field.name)
        {
            values.insert(field.name.clone(), value.clone());
        }
    }
    Ok(values)
}

pub(super) fn label(field: &Field) -> &str {
    if field.label.is_empty() { &field.name } else { &field.label }
}

fn unknown(fields: &[Field], word: &str) -> String {
    let flags: Vec<String> = fields
        .iter()
        .filter(|field| field.kind != "markdown")
        .map(|field| format!("`--{}`", plain(label(field))))
        .collect();
    match flags.is_empty() {
        true => format!("This command takes nothing more, and `{}` least of all.", plain(word)),
        false => format!("This command does not know `{}`. It takes {}.", plain(word), flags.join(", ")),
    }
}

/// A value as the field's type has it.
fn value_of(field: &Field, text: &str) -> Result<RawJson, String> {
    let raw = |value: serde_json::Value| RawJson::from_value(&value).map_err(|error| error.to_string());
    match field.kind.as_str() {
        "bool" => match text {
            "true" | "false" => raw((text == "true").into()),
            _ => Err(format!("`--{}` is `true` or `false`.", plain(label(field)))),
        },
        "static_select" => {
            let option = field.options.iter().find(|option| option.value == text || option.label == text);
            let option = option.ok_or_else(|| {
                let all: Vec<String> =
                    field.options.iter().map(|option| format!("`{}`", plain(&option.value))).collect();
                format!("`--{}` is one of {}.", plain(label(field)), all.join(", "))
            })?;
            raw(serde_json::json!({"label": option.label, "value": option.value}))
        }
        "dynamic_select" => raw(serde_json::json!({"label": text, "value": text})),
        // Whom or what it means is found out afterwards.
        "user" | "channel" => raw(text.into()),
        _ => raw(text.into()),
    }
}

struct Word {
    text: String,
    quoted: bool,
}

/// Words, with double quotes around what has blanks in it, and a backslash before a quote that is meant.
fn split(text: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut characters = text.trim().chars().peekable();
    while let Some(&first) = characters.peek() {
        if first.is_whitespace() {
            characters.next();
            continue;
        }
        let mut word = Word { text: String::new(), quoted: first == '"' };
        let mut open = false;
        while let Some(&character) = characters.peek() {
            if character.is_whitespace() && !open {
                break;
            }
            characters.next();
            match character {
                '"' => open = !open,
                '\\' => word.text.push(characters.next().unwrap_or('\\')),
                other => word.text.push(other),
            }
        }
        if open {
            return Err("A quote is not closed.".to_owned());
        }
        words.push(word);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, kind: &str, position: i64) -> Field {
        Field { name: name.into(), kind: kind.into(), position, ..Field::default() }
    }

    fn read(fields: &[Field], text: &str) -> Result<serde_json::Value, String> {
        values(fields, text).map(|values| serde_json::to_value(values).unwrap())
    }

    #[test]
    fn flags_places_and_quotes_fill_fields() {
        let fields = [field("to", "text", 1), field("all", "bool", 0), field("rest", "text", -1)];
        for (text, expected) in [
            ("", serde_json::json!({})),
            ("ann", serde_json::json!({"to": "ann"})),
            (
                r#""ann lee" --all hello there"#,
                serde_json::json!({"to": "ann lee", "all": true, "rest": "hello there"}),
            ),
            (r#"--to="a \"b\"" --all=false"#, serde_json::json!({"to": "a \"b\"", "all": false})),
            (r#""--to" x"#, serde_json::json!({"to": "--to", "rest": "x"})),
        ] {
            assert_eq!(read(&fields, text), Ok(expected), "{text}");
        }
        for wrong in ["--nobody x", "--to", "\"open", "--all=maybe"] {
            assert!(read(&fields, wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_required_is_asked_for_and_a_choice_is_one_of_its_options() {
        let options = vec![tessera_types::SelectOption {
            label: "Red".into(),
            value: "r".into(),
            ..Default::default()
        }];
        let color = Field { options, is_required: true, ..field("color", "static_select", 1) };
        assert_eq!(
            read(std::slice::from_ref(&color), "Red"),
            Ok(serde_json::json!({"color": {"label": "Red", "value": "r"}}))
        );
        assert!(read(std::slice::from_ref(&color), "").unwrap_err().contains("`--color` is missing"));
        assert!(read(std::slice::from_ref(&color), "blue").unwrap_err().contains("one of `r`"));
    }
}
