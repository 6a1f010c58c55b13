//! What Go calls a type that Rust calls otherwise, for error texts.

/// The Go name of the Rust type of that full name: `Vec<String>` is `[]string`, a struct is of package `apps`.
pub(super) fn named(rust: &str) -> String {
    let rust = rust.trim().trim_start_matches('&');
    let (path, arguments) = match rust.split_once('<') {
        Some((path, arguments)) => (path, arguments.strip_suffix('>').unwrap_or(arguments)),
        None => (rust, ""),
    };
    let name = path.rsplit("::").next().unwrap_or(path);
    match name {
        "String" | "str" => "string".to_owned(),
        "bool" => "bool".to_owned(),
        "f64" => "float64".to_owned(),
        "i64" | "isize" => "int64".to_owned(),
        "u64" | "usize" => "uint64".to_owned(),
        "i32" => "int32".to_owned(),
        "u32" => "uint32".to_owned(),
        "Value" | "RawJson" | "RawValue" => "interface {}".to_owned(),
        "Map" => "map[string]interface {}".to_owned(),
        "Option" | "Box" | "Arc" => named(arguments),
        "Vec" | "BTreeSet" | "HashSet" => format!("[]{}", named(split(arguments).0)),
        "BTreeMap" | "HashMap" => {
            let (key, rest) = split(arguments);
            format!("map[{}]{}", named(key), named(split(rest).0))
        }
        _ => format!("apps.{name}"),
    }
}

/// The first argument, and the others.
fn split(arguments: &str) -> (&str, &str) {
    let mut open = 0_i32;
    for (at, character) in arguments.char_indices() {
        match character {
            '<' | '(' => open += 1,
            '>' | ')' => open -= 1,
            ',' if open == 0 => return (&arguments[..at], &arguments[at + 1..]),
            _ => {}
        }
    }
    (arguments, "")
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn lists_maps_and_structs_are_named_as_in_go() {
        let name = |rust| named(rust);
        assert_eq!(name(std::any::type_name::<Vec<String>>()), "[]string");
        assert_eq!(name(std::any::type_name::<Option<Vec<Vec<i64>>>>()), "[][]int64");
        assert_eq!(
            name(std::any::type_name::<std::collections::BTreeMap<String, Vec<bool>>>()),
            "map[string][]bool"
        );
        assert_eq!(
            name(std::any::type_name::<std::collections::HashMap<String, serde_json::Value>>()),
            "map[string]interface {}"
        );
        assert_eq!(name("tessera_types::form::Binding"), "apps.Binding");
    }
}
