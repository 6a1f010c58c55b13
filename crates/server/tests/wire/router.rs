//! The routes of the service, read from the source of its routers.

use std::fs;
use std::path::Path;

/// The sources that call `.route(`, and what their paths are below.
const SOURCES: [(&str, &str); 4] = [
    ("src/http/mod.rs", ""),
    ("src/http/v4/mod.rs", "/api/v4"),
    ("src/http/health.rs", ""),
    ("src/web/sign_in.rs", ""),
];

/// Others that do: routers of the data folder's socket and of tests, neither of which HTTP clients reach; and those of what is
/// there beside a Mattermost alone, which `documented.rs` looks at by their names.
const OTHERS: [&str; 7] = [
    "src/boot/local.rs",
    "src/boot/provider/socket.rs",
    "src/boot/demo/browser/tests.rs",
    "src/http/agreement.rs",
    "src/http/from_mattermost.rs",
    "src/http/own_host.rs",
    "src/http/relay.rs",
];

const METHODS: [&str; 5] = ["delete", "get", "patch", "post", "put"];

/// An address and the methods that it answers.
#[derive(Debug)]
pub(crate) struct Route {
    /// As the router writes it, whole.
    pub(crate) path: String,
    /// In lower case, by the alphabet.
    pub(crate) methods: Vec<&'static str>,
}

/// A file of the repository, from this crate's folder.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Every route that any router has.
pub(crate) fn routes() -> Vec<Route> {
    let mut known: Vec<&str> = SOURCES.into_iter().map(|(source, _)| source).chain(OTHERS).collect();
    known.sort_unstable();
    assert_eq!(routers("src"), known, "a router that nobody here reads");
    let constants = read("../types/src/routes.rs");
    let mut routes = Vec::new();
    for (source, prefix) in SOURCES {
        let source = read(source);
        let before = routes.len();
        for route in source.split(".route(").skip(1) {
            let route = route.split(';').next().unwrap().trim_start();
            let (path, prefix) = address(route, prefix, &constants);
            let methods = methods(route, &source);
            assert!(!methods.is_empty(), "{path} has no method: does this still read the router?");
            routes.push(Route { path: format!("{prefix}{path}"), methods });
        }
        assert!(routes.len() > before, "no routes found: does this still read the router?");
    }
    assert!(routes.len() > 55, "only {} routes found: does this still read the router?", routes.len());
    routes
}

/// The sources below a folder that call `.route(`, by the alphabet.
fn routers(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            found.extend(routers(&path));
        } else if read(&path).contains(".route(") {
            found.push(path);
        }
    }
    found.sort_unstable();
    found
}

/// The methods that are named behind an address, there or in the function that is called for them.
fn methods(route: &str, source: &str) -> Vec<&'static str> {
    let named = |text: &str| {
        METHODS.into_iter().filter(|method| is_called(text, method)).collect::<Vec<&'static str>>()
    };
    let found = named(route);
    if !found.is_empty() {
        return found;
    }
    let (before, _) = route.rsplit_once("())").unwrap_or_else(|| panic!("no method in {route}"));
    let function = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
    let (_, body) = source.split_once(&format!("fn {function}()")).unwrap();
    named(body.split("\n}").next().unwrap())
}

fn is_called(text: &str, method: &str) -> bool {
    text.match_indices(&format!("{method}("))
        .any(|(at, _)| !text[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ':')))
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
