//! When a manifest is valid (apps-framework.md section 8.2).

/// What is wrong with an App id, in the wire's words.
pub(crate) fn app_id_problems(id: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if id.len() < 3 {
        problems.push(format!("appID {id} too short, should be 3 bytes"));
    }
    if id.len() > 32 {
        problems.push(format!("appID {id} too long, should be 32 bytes"));
    }
    for character in id.chars().filter(|character| !is_id_character(*character)) {
        problems.push(format!("invalid character '{character}' in appID \"{id}\""));
    }
    problems
}

pub(crate) fn is_id_character(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '-' | '_' | '.')
}
