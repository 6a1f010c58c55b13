//! docs/managed.md has every field of a descriptor, with the presets that need it.

use std::collections::BTreeMap;

use tessera_server::providers::Descriptor;
use toml::{Table, Value};

/// Stands for a name that no field has.
const NONE: &str = "no-such-field";

/// The fields that may stand where this text has one that there is not, by the reader's own word.
fn known(text: &str) -> Option<Vec<String>> {
    let error = Descriptor::read(text).unwrap_err().to_string();
    let (_, names) = error.split_once(&format!("unknown field `{NONE}`, expected one of "))?;
    Some(names.split(", ").map(|name| name.trim_matches('`').to_owned()).collect())
}

/// Every field, with those of its tables: `scopes.separator`, `placeholders.NAME.about`.
fn fields() -> Vec<String> {
    let mut all = Vec::new();
    for field in known(&format!("{NONE} = 1")).unwrap() {
        let inner = known(&format!("[{field}]\n{NONE} = 1"));
        let of_each = known(&format!("[{field}.x]\n{NONE} = 1"));
        match (inner, of_each) {
            (Some(inner), _) => all.extend(inner.iter().map(|name| format!("{field}.{name}"))),
            (None, Some(inner)) => {
                all.extend(inner.iter().map(|name| format!("{field}.NAME.{name}")));
                all.push(field);
            }
            (None, None) => all.push(field),
        }
    }
    all
}

/// Whether a preset writes this field.
fn writes(preset: &Value, field: &str) -> bool {
    match field.split_once('.') {
        None => preset.get(field).is_some(),
        Some(("NAME", rest)) => preset.as_table().unwrap().values().any(|inner| writes(inner, rest)),
        Some((table, rest)) => preset.get(table).is_some_and(|inner| writes(inner, rest)),
    }
}

fn presets() -> BTreeMap<String, Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/presets");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path| toml::from_str::<Table>(&std::fs::read_to_string(path).unwrap()).unwrap();
    files
        .map(read)
        .map(|preset| (preset["name"].as_str().unwrap().to_owned(), Value::Table(preset)))
        .collect()
}

#[test]
fn the_guide_has_every_field_of_a_descriptor_and_which_presets_write_it() {
    let guide =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/managed.md")).unwrap();
    let rows: BTreeMap<&str, Vec<&str>> = guide
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .map(|(field, rest)| (field, rest.trim_end_matches(" |").split(" | ").collect()))
        .collect();
    let (fields, presets) = (fields(), presets());
    assert!(fields.len() > 45 && fields.iter().any(|field| field == "placeholders.NAME.form"), "{fields:?}");
    for field in &fields {
        let row =
            rows.get(field.as_str()).unwrap_or_else(|| panic!("docs/managed.md has no row for `{field}`"));
        assert_eq!(row.len(), 4, "type, default, meaning, presets: {field}: {row:?}");
        let by: Vec<&str> = presets
            .iter()
            .filter(|(_, preset)| writes(preset, field))
            .map(|(name, _)| name.as_str())
            .collect();
        let expected = match by.len() {
            0 => "none".to_owned(),
            all if all == presets.len() => "all".to_owned(),
            many @ 9.. => format!("{many} of {}", presets.len()),
            _ => by.join(", "),
        };
        assert_eq!(row[3], expected, "the presets that write `{field}`");
    }
    let described = rows.iter().filter(|(_, cells)| cells.len() == 4).map(|(field, _)| *field);
    let gone: Vec<_> = described.filter(|row| !fields.iter().any(|field| field == row)).collect();
    assert!(gone.is_empty(), "no such fields: {gone:?}");
}
