//! The members of the wire's objects, read from the source of the types crate.

use crate::router::read;

/// A member of an object.
#[derive(Debug)]
pub(crate) struct Member {
    /// Its name on the wire.
    pub(crate) name: String,
    /// Whether it is always written.
    pub(crate) always: bool,
}

const SOURCES: [&str; 11] =
    ["app", "call", "channel", "context", "deploy", "form", "manifest", "post", "response", "team", "user"];

/// The members of a structure in the order of its source; one that is flattened stands with its own.
pub(crate) fn of(name: &str) -> Vec<Member> {
    let start = format!("pub struct {name} {{\n");
    let body = SOURCES.into_iter().find_map(|file| {
        let source = read(&format!("../types/src/{file}.rs"));
        let (_, rest) = source.split_once(&start)?;
        Some(rest.split("\n}").next().unwrap().to_owned())
    });
    let body = body.unwrap_or_else(|| panic!("the types crate has no {name}"));
    let mut members = Vec::new();
    let mut attributes = String::new();
    for line in body.lines().map(str::trim) {
        if line.starts_with("#[") {
            attributes.push_str(line);
        }
        let Some((name, kind)) = line.strip_prefix("pub ").and_then(|line| line.split_once(": ")) else {
            continue;
        };
        if attributes.contains("flatten") {
            members.extend(of(kind.trim_end_matches(',')));
        } else {
            let renamed = attributes.split("rename = \"").nth(1).and_then(|rest| rest.split('"').next());
            let name = renamed.unwrap_or(name).to_owned();
            members.push(Member { name, always: !attributes.contains("skip_serializing_if") });
        }
        attributes.clear();
    }
    assert!(!members.is_empty(), "{name} has no members: does this still read its source?");
    members
}
