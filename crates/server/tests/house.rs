//! The law of the house: ARCHITECTURE.md's table of rooms and the absences it promises, proved over the source.
//!
//! A breach is a change of design: change the table, with its reason, or change the import.

#[path = "house/crates.rs"]
mod crates;
#[path = "house/law.rs"]
mod law;
#[path = "house/paths.rs"]
mod paths;
#[path = "house/source.rs"]
mod source;

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

const GOLDEN: &str = "tests/expose.golden";
const UPDATE: &str = "TESSERA_UPDATE_GOLDEN";

fn server() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file below `src`, as its name there and its text; files that are tests through and through left out.
fn sources() -> io::Result<Vec<(String, String)>> {
    let src = server().join("src");
    let mut found = Vec::new();
    let mut open = vec![src.clone()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            let name = path.strip_prefix(&src).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            if path.is_dir() {
                open.push(path);
            } else if name.ends_with(".rs")
                && !name.split('/').any(|part| part.trim_end_matches(".rs") == "tests")
            {
                found.push((name, fs::read_to_string(path)?));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn manifests() -> io::Result<Vec<PathBuf>> {
    let root = server().join("../..");
    let mut found = Vec::new();
    for parent in ["crates", "examples"] {
        for entry in fs::read_dir(root.join(parent))? {
            let manifest = entry?.path().join("Cargo.toml");
            if manifest.is_file() {
                found.push(manifest);
            }
        }
    }
    found.push(root.join("xtask/Cargo.toml"));
    Ok(found)
}

#[test]
fn every_import_goes_down_and_every_trade_stays_in_its_room() {
    let breaches: Vec<String> =
        sources().unwrap().iter().flat_map(|(file, source)| law::breaches(file, source)).collect();
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

#[test]
fn src_holds_rooms_and_nothing_else() {
    for entry in fs::read_dir(server().join("src")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        let room = law::ROOMS.iter().any(|(room, _)| *room == name.trim_end_matches(".rs"));
        assert!(room || law::BESIDE.contains(&name.as_str()), "src/{name} is no room: see ARCHITECTURE.md");
    }
}

#[test]
fn the_places_that_read_secrets_are_the_known_ones() {
    let mut found = String::new();
    for (file, source) in sources().unwrap() {
        for (call, count) in law::releases(&source) {
            writeln!(found, "{file} {call} {count}").unwrap();
        }
    }
    let golden = server().join(GOLDEN);
    if std::env::var_os(UPDATE).is_some() {
        fs::write(&golden, &found).unwrap();
    }
    let known = fs::read_to_string(&golden).unwrap_or_default();
    let gone: Vec<String> = known
        .lines()
        .filter(|line| !found.lines().any(|now| now == *line))
        .map(|line| format!("- {line}"))
        .collect();
    let new: Vec<String> = found
        .lines()
        .filter(|line| !known.lines().any(|then| then == *line))
        .map(|line| format!("+ {line}"))
        .collect();
    assert!(
        gone.is_empty() && new.is_empty(),
        "\n{}\nA secret is read in another place than crates/server/{GOLDEN} says (file, call, count). When the\n\
         place is right, accept it with `{UPDATE}=1 cargo test -p tessera-server --test house` and say why in the\n\
         commit; when it is not, keep the secret in its type.\n",
        [gone, new].concat().join("\n"),
    );
}

#[test]
fn crates_depend_in_one_direction() {
    for manifest in manifests().unwrap() {
        let text = fs::read_to_string(&manifest).unwrap();
        // The developer tool drives the service from outside and is no part of it.
        let breaches = crates::breaches(&text).unwrap();
        assert!(breaches.is_empty(), "\n{}: {}\n", manifest.display(), breaches.join("\n"));
    }
}

// The checker itself: each law must catch its breach.

/// Asserts that the snippet, as that file, is reported once with this text.
fn assert_caught(file: &str, source: &str, expected: &str) {
    let breaches = law::breaches(file, source);
    assert!(breaches.len() == 1 && breaches[0].contains(expected), "{source}: {breaches:?}");
}

#[test]
fn lawful_source_passes() {
    let source = r#"
        //! `crate::http::Router` in a comment, and /* crate::boot */ too.
        use std::{collections::BTreeMap, sync::Arc};
        use crate::{env::Env, store::{self, Keys as K}, vault::{Place, Vault}};
        use super::Grants;
        const NAME: &str = "crate::web::Page";
        fn f<'a>(c: char) -> impl Iterator<Item = &'a str> + use<'a> { let _ = ('"', '\'', c, b'"'); r"crate::http".lines() }
        #[cfg(test)]
        mod tests { use crate::http::Router; fn g() { crate::boot::run(); } }
        pub(crate) fn update() -> &'static str { "Select an App and update its settings from here" }
    "#;
    assert_eq!(law::breaches("grants/connections.rs", source), Vec::<String>::new());
}

#[test]
fn an_import_upwards_is_caught_in_every_spelling() {
    let caught = |source: &str| assert_caught("vault/root.rs", source, "`grants` is above `vault`");
    caught("use crate::grants::Grants;");
    caught("use crate::{env::Env, grants::{Grants as G}};");
    caught("use crate::grants as g;");
    caught("use crate::{store::Keys, grants};");
    caught("fn f() { let x = crate::grants::Grants::new(); }");
    caught("use super::super::grants::Grants;");
    caught("mod inner { use super::super::super::grants; }");
    caught("use tessera_server::grants;");
    caught("macro_rules! m { () => { $crate::grants::f() } }");
    caught("type T = Vec<Option<crate::grants::Error>>;");
    caught("#[from] crate::grants::Error");
}

#[test]
fn each_segment_of_a_group_is_judged() {
    let breaches = law::breaches("vault/mod.rs", "use crate::{boot, store, http::{Router, Other}};");
    assert_eq!(breaches.len(), 3, "{breaches:?}");
    assert!(breaches[0].starts_with("vault/mod.rs:1: crate::boot — "), "{breaches:?}");
}

#[test]
fn neighbours_do_not_see_each_other() {
    assert_caught("apps/mod.rs", "use crate::providers::Preset;", "on one floor");
    assert_caught("connect/mod.rs", "use crate::lifecycle;", "on one floor");
}

#[test]
fn the_edge_does_not_see_the_cellar() {
    for room in ["vault", "store", "egress", "upstream", "providers"] {
        for edge in ["http", "web"] {
            let source = format!("use crate::{room}::Thing;");
            assert_caught(&format!("{edge}/routes.rs"), &source, &format!("`{edge}` may not see `{room}`"));
        }
    }
}

#[test]
fn the_light_switch_is_above_the_ground_floor() {
    assert_caught("store/mod.rs", "use crate::env::Clock;", "as arguments");
    assert_caught("env.rs", "use crate::store::Store;", "`env` imports no room");
    assert_caught("rate.rs", "use crate::store::Store;", "`rate` imports no room");
    assert_caught("store/mod.rs", "use crate::rate::Limit;", "as arguments");
    assert!(law::breaches("rate.rs", "use crate::env::Env;").is_empty());
    assert!(law::breaches("grants/mod.rs", "use crate::rate::Limit;").is_empty());
    assert!(law::breaches("vault/mod.rs", "use crate::env::Env;").is_empty());
    assert!(law::breaches("store/mod.rs", "use crate::meter::Timing;").is_empty());
    assert!(law::breaches("upstream/mod.rs", "use crate::trail::Trail;").is_empty());
    assert_caught("egress/mod.rs", "use crate::trail::Trail;", "whose request");
    assert_caught("meter.rs", "use crate::env::Env;", "`meter` imports no room");
    assert_caught("trail.rs", "use crate::http::Rooms;", "`trail` imports no room");
}

#[test]
fn the_front_door_and_odd_names_are_judged() {
    assert!(law::breaches("main.rs", "use tessera_server::boot; fn main() { boot::main() }").is_empty());
    assert_caught("main.rs", "use tessera_server::store::Store;", "`main` only starts `boot`");
    assert_caught("boot/mod.rs", "use crate::helpers::f;", "`helpers` is no room");
    assert_caught("boot/mod.rs", "use crate::*;", "`*` is no room");
    assert_caught("boot/mod.rs", "use crate as house;", "hides what is used");
}

#[test]
fn clients_sql_and_ciphers_stay_in_their_rooms() {
    assert_caught("upstream/mod.rs", "use reqwest::Client;", "only `egress` may");
    assert_caught("upstream/mod.rs", "use hyper::{body::Bytes, client::conn::http1};", "only `egress` may");
    assert_caught("boot/mod.rs", "fn f() { reqwest::Client::builder(); }", "only `egress` may");
    assert_caught("boot/mod.rs", "use rusqlite::Connection;", "only `store` may");
    assert_caught("grants/mod.rs", "use chacha20poly1305::aead::Aead;", "only `vault` may");
    assert_caught("providers/mod.rs", "use ring::{aead, signature};", "only `vault` may");
    assert_caught("grants/mod.rs", "fn f() { key.decrypt(nonce, text) }", "only `vault` opens");
    assert_caught("grants/mod.rs", r#"const Q: &str = "SELECT id FROM apps";"#, "SQL outside");
    assert_caught("apps/mod.rs", "const Q: &str = r#\"\n  DELETE FROM apps\"#;", "SQL outside");
    assert!(
        law::breaches("store/apps.rs", "use rusqlite::Row; const Q: &str = \"SELECT id FROM apps\";")
            .is_empty()
    );
    assert!(law::breaches("egress/mod.rs", "use reqwest::Client;").is_empty());
    assert!(law::breaches("http/mod.rs", "use hyper::body::Body; use hyper_util::rt::TokioIo;").is_empty());
}

#[test]
fn reads_of_secrets_are_counted_outside_tests() {
    let source = "
        fn f() { a.expose(); map(SecretBytes::expose); b
            .expose() /* c.expose() */; vault.open_sealed(&place, &sealed) }
        fn expose() {}
        #[cfg(test)]
        mod tests { fn g() { a.expose(); } }";
    assert_eq!(law::releases(source).into_iter().collect::<Vec<_>>(), [("expose", 3), ("open_sealed", 1)]);
}

#[test]
fn dependencies_in_the_wrong_direction_are_caught() {
    let caught = |name: &str, rest: &str, expected: &str| {
        let breaches = crates::breaches(&format!("[package]\nname = '{name}'\n{rest}")).unwrap();
        assert!(breaches.len() == 1 && breaches[0].contains(expected), "{rest}: {breaches:?}");
    };
    caught("tessera-driver", "[dependencies]\ntessera-server.workspace = true", "does not know the service");
    caught(
        "tessera-driver",
        "[dev-dependencies]\ntessera-server.workspace = true",
        "hold without the service",
    );
    caught("tessera-types", "[dependencies]\ntokio = '1'\nserde = '1'", "zeroize only");
    caught("tessera-server", "[dependencies]\ntessera-testkit.workspace = true", "only dev-dependencies");
    caught(
        "tessera-server",
        "[target.'cfg(unix)'.dependencies]\ntessera-simulator = '1'",
        "make it optional",
    );
    caught("tessera-simulator", "[dependencies]\ntessera-types = '1'", "knows nothing of us");
    let lawful = "[package]\nname = 'tessera-server'\n[dependencies]\ntessera-simulator = { optional = true, path = 'x' }\n\
                  [dev-dependencies]\ntessera-testkit.workspace = true";
    assert_eq!(crates::breaches(lawful).unwrap(), Vec::<String>::new());
}
