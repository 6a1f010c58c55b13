//! Blocks of posts, from 11.10 on (C.6): how many there may be, and that each action is there and used.

use std::collections::BTreeSet;

use serde_json::Value;

const MOST_BLOCKS: usize = 100;
const DEEPEST: usize = 32;
const MOST_ACTIONS: usize = 50;
const LONGEST_TEXT: usize = 16_000;
const KINDS: [&str; 8] =
    ["text", "image", "divider", "button", "static_select", "container", "collapsible", "column_set"];

/// What is found in a tree of blocks.
#[derive(Default)]
struct Found {
    blocks: usize,
    text: usize,
    actions: BTreeSet<String>,
}

/// Whether props may be kept; in words, why not.
pub(super) fn check(props: &Value) -> Result<(), String> {
    let actions = &props["mm_blocks_actions"];
    let mut found = Found::default();
    if let Some(blocks) = props.get("mm_blocks") {
        let blocks = blocks.as_array().ok_or("mm_blocks is no list")?;
        walk(blocks, 1, &mut found)?;
    } else if actions.is_null() {
        return Ok(());
    }
    if found.blocks > MOST_BLOCKS || found.text > LONGEST_TEXT {
        return Err("there is too much of it".to_owned());
    }
    let known: BTreeSet<String> =
        actions.as_object().into_iter().flatten().map(|(id, _)| id.clone()).collect();
    if known.len() > MOST_ACTIONS {
        return Err("there are too many actions".to_owned());
    }
    for (id, action) in actions.as_object().into_iter().flatten() {
        let fits = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        if !fits || id.is_empty() || !matches!(action["type"].as_str(), Some("external" | "openURL")) {
            return Err(format!("{id} is no action"));
        }
        if action["url"].as_str().is_none_or(str::is_empty) {
            return Err(format!("{id} has no url"));
        }
    }
    // An action of a link in the message is used there; those are not looked for.
    match found.actions == known || found.blocks == 0 {
        true => Ok(()),
        false => Err("actions that are there and those that are used differ".to_owned()),
    }
}

fn walk(blocks: &[Value], depth: usize, found: &mut Found) -> Result<(), String> {
    if depth > DEEPEST {
        return Err("it is nested too deep".to_owned());
    }
    for block in blocks {
        let kind = block["type"].as_str().unwrap_or_default();
        let is_column = kind == "column";
        if !KINDS.contains(&kind) && !is_column {
            return Err(format!("{kind:?} is no block"));
        }
        found.blocks += 1;
        found.text += block["text"].as_str().map_or(0, |text| text.chars().count());
        if let Some(action) = block["action_id"].as_str() {
            found.actions.insert(action.to_owned());
        }
        // Blocks within are under one name or another, by kind.
        for within in block.as_object().into_iter().flatten().filter_map(|(_, value)| value.as_array()) {
            let blocks: Vec<Value> = within.iter().filter(|one| one["type"].is_string()).cloned().collect();
            walk(&blocks, depth + 1, found)?;
        }
    }
    Ok(())
}

/// The kind of the block that has an action.
pub(super) fn kind_of(blocks: &Value, action: &str) -> Option<String> {
    match blocks {
        Value::Array(list) => list.iter().find_map(|one| kind_of(one, action)),
        Value::Object(members) => {
            if members.get("action_id").is_some_and(|id| id == action) {
                return members.get("type").and_then(Value::as_str).map(str::to_owned);
            }
            members.values().find_map(|one| kind_of(one, action))
        }
        _ => None,
    }
}
