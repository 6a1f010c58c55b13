//! Every route stands in docs/api.md.

use std::fs;
use std::path::Path;

/// The documentation writes an address as the router does, below the prefix that its source names.
#[test]
fn every_route_is_documented() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(here.join(path)).unwrap();
    let docs = read("../../docs/api.md");
    let constants = read("../types/src/routes.rs");
    let mut found = 0;
    let mut missing = Vec::new();
    for (source, prefix) in [("src/http/mod.rs", ""), ("src/http/v4/mod.rs", "/api/v4")] {
        let source = read(source);
        for route in source.split(".route(").skip(1) {
            let (path, prefix) = address(route.trim_start(), prefix, &constants);
            found += 1;
            let whole = format!("`{prefix}{path}`");
            if !docs.contains(&whole) {
                missing.push(whole);
            }
        }
    }
    assert!(found > 40, "only {found} routes found: does this test still read the router?");
    assert!(missing.is_empty(), "docs/api.md says nothing of {missing:#?}");
}

/// The path of a route and what it is below, from the source behind `.route(`.
fn address(route: &str, prefix: &'static str, constants: &str) -> (String, &'static str) {
    let prefixes = [
        ("&api(", "/plugins/com.mattermost.apps/api/v1"),
        ("&app(", "/plugins/com.mattermost.apps/apps/{app}"),
        ("&ours(", "/plugins/com.mattermost.apps/tessera/v1"),
    ];
    for (call, prefix) in prefixes {
        if let Some(rest) = route.strip_prefix(call) {
            return (text(rest, constants), prefix);
        }
    }
    (text(route, constants), prefix)
}

/// A literal, or the constant of the types crate that is named.
fn text(source: &str, constants: &str) -> String {
    let quoted = |text: &str| text.split('"').nth(1).map(str::to_owned);
    if source.starts_with('"') {
        return quoted(source).unwrap();
    }
    let end = source.find([')', ',']).unwrap();
    let name = source[..end].trim_start_matches('&').trim_start_matches("routes::");
    let line = constants.lines().find(|line| line.contains(&format!("const {name}:")));
    line.and_then(quoted).unwrap_or_else(|| panic!("no path for {name}"))
}
