//! The laws of the house over one source file: what ARCHITECTURE.md's table and invariants say, as code.

use std::collections::BTreeMap;

use super::{
    paths::named,
    source::{Kind, Token, tokens},
};

/// Every room and its floor. Imports go down only, and rooms of one floor do not see each other.
pub(super) const ROOMS: [(&str, u8); 17] = [
    ("boot", 10),
    ("http", 9),
    ("web", 8),
    ("connect", 7),
    ("lifecycle", 7),
    ("bridge", 7),
    ("calls", 6),
    ("services", 6),
    ("platform", 5),
    ("grants", 4),
    ("apps", 3),
    ("providers", 3),
    ("upstream", 3),
    ("vault", 2),
    ("audit", 2),
    ("egress", 1),
    ("store", 1),
];

/// What stands beside the rooms in `src`.
pub(super) const BESIDE: [&str; 6] = ["env.rs", "lib.rs", "main.rs", "meter.rs", "rate.rs", "trail.rs"];

/// Rooms that the edge must not see, however far below they are.
const NOT_FOR_THE_EDGE: [&str; 5] = ["vault", "store", "egress", "upstream", "providers"];

/// Crates that only one room may name, and what that room is for.
const KEPT_IN_A_ROOM: [(&str, &str, &str); 10] = [
    ("reqwest", "egress", "every outgoing request goes through it"),
    ("hyper::client", "egress", "every outgoing request goes through it"),
    ("hyper_util::client", "egress", "every outgoing request goes through it"),
    ("rusqlite", "store", "it holds all SQL"),
    ("tokio_postgres", "store", "it holds all SQL"),
    ("deadpool_postgres", "store", "it holds all SQL"),
    ("tokio_postgres_rustls", "store", "it holds all SQL"),
    ("chacha20poly1305", "vault", "only it opens a `Sealed`"),
    ("hkdf", "vault", "only it derives keys"),
    // Its signatures are for `providers`, where a client's private key signs.
    ("ring::aead", "vault", "only it opens a `Sealed`"),
];

/// Files that may name such a crate all the same: what they send is no outgoing request of the service.
const EXCEPT: [(&str, &str); 2] = [
    // A command talks to the running server by its local socket.
    ("boot/local.rs", "hyper::client"),
    // The demo plays the person's browser and chat client.
    ("boot/demo/", "hyper::client"),
];

/// What a file of `src` breaks: one line each, beginning with `file:line: `. The file's name is below `src`.
pub(super) fn breaches(file: &str, source: &str) -> Vec<String> {
    let tokens = tokens(source);
    let room = room_of(file);
    let mut breaches = Vec::new();
    for import in named(&tokens, &module_of(file)) {
        if let Some(why) = forbidden(file, room, &import.path) {
            breaches.push(format!("{file}:{}: {} — {why}", import.line, import.path.join("::")));
        }
    }
    for token in &tokens {
        let Kind::Text(text) = &token.kind else { continue };
        if room != "store" && is_sql(text) {
            breaches.push(format!("{file}:{}: SQL outside `store`: {text:?}", token.line));
        }
    }
    if room != "vault" {
        for call in [calls(&tokens, "decrypt"), calls(&tokens, "decrypt_in_place")].concat() {
            breaches.push(format!("{file}:{call}: only `vault` opens a `Sealed`"));
        }
    }
    breaches
}

/// How often the file, its tests left aside, reads a secret (`expose`) or has one opened (`open_sealed`).
pub(super) fn releases(source: &str) -> BTreeMap<&'static str, usize> {
    let tokens = tokens(source);
    let count = |name| (name, calls(&tokens, name).len());
    ["expose", "open_sealed"].map(count).into_iter().filter(|(_, count)| *count > 0).collect()
}

/// The lines on which a method or function of this name is called or passed on.
fn calls(tokens: &[Token], name: &str) -> Vec<usize> {
    let named = |pair: &[Token]| (pair[0].is('.') || pair[0].is(':')) && pair[1].word() == Some(name);
    tokens.windows(2).filter(|pair| named(pair)).map(|pair| pair[1].line).collect()
}

/// `grants/connections.rs` is in `grants`; `env.rs` is `env`.
fn room_of(file: &str) -> &str {
    file.split('/').next().unwrap_or(file).trim_end_matches(".rs")
}

fn module_of(file: &str) -> Vec<String> {
    let mut module: Vec<String> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        module.pop();
    }
    module
}

/// Why the room may not name the path; `None` when it may.
fn forbidden(file: &str, room: &str, path: &[String]) -> Option<String> {
    if path.first().is_some_and(|first| first == "crate") {
        return forbidden_room(room, path.get(1).map(String::as_str));
    }
    let joined = path.join("::");
    let within =
        |kept: &str| joined == kept || joined.strip_prefix(kept).is_some_and(|rest| rest.starts_with("::"));
    let (kept, home, why) = KEPT_IN_A_ROOM.iter().find(|(kept, ..)| within(kept))?;
    if EXCEPT.iter().any(|(place, excepted)| file.starts_with(place) && excepted == kept) {
        return None;
    }
    (room != *home).then(|| format!("only `{home}` may: {why}"))
}

fn forbidden_room(room: &str, target: Option<&str>) -> Option<String> {
    let floor = |name: &str| ROOMS.iter().find(|(room, _)| *room == name).map(|(_, floor)| *floor);
    let Some(target) = target else {
        return Some("the whole crate under another name hides what is used".into());
    };
    if target == room || room == "lib" {
        return None;
    }
    match (room, target) {
        ("main", "boot") => return None,
        ("main", _) => return Some("`main` only starts `boot`".into()),
        ("trail" | "rate", "env") => return None,
        ("env" | "meter" | "trail" | "rate", _) => return Some(format!("`{room}` imports no room")),
        ("store" | "egress", "env" | "rate") => {
            return Some("clock and rng come to the ground floor as arguments".into());
        }
        ("store" | "egress", "trail") => {
            return Some("the ground floor does not know whose request it works for".into());
        }
        (_, "env" | "meter" | "trail" | "rate") => return None,
        ("http" | "web", target) if NOT_FOR_THE_EDGE.contains(&target) => {
            return Some(format!("`{room}` may not see `{target}`"));
        }
        _ => {}
    }
    match (floor(room), floor(target)) {
        (_, None) => Some(format!("`{target}` is no room")),
        (None, _) => Some(format!("`{room}` is no room")),
        (Some(from), Some(to)) if to < from => None,
        (Some(from), Some(to)) if to == from => Some(format!("`{room}` and `{target}` are on one floor")),
        _ => Some(format!("`{target}` is above `{room}`: imports go down only")),
    }
}

fn is_sql(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let after = |first: &str, then: &str| {
        words.iter().position(|word| *word == first).is_some_and(|place| words[place..].contains(&then))
    };
    let pair = |first: &str, then: &str| words.windows(2).any(|pair| pair == [first, then]);
    after("SELECT", "FROM")
        || after("UPDATE", "SET")
        || pair("INSERT", "INTO")
        || pair("DELETE", "FROM")
        || pair("CREATE", "TABLE")
        || pair("ALTER", "TABLE")
        || pair("DROP", "TABLE")
        || words.first() == Some(&"PRAGMA")
}
