//! Strings and member names.

use std::borrow::Cow;

/// What a quoted, checked string says. A surrogate without its other half becomes U+FFFD, as in Go.
pub(super) fn decoded(quoted: &str) -> Cow<'_, str> {
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        let (said, left) = unescaped(escape);
        out.push(said);
        rest = left;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Reads what follows a backslash.
fn unescaped(escape: &str) -> (char, &str) {
    let mut chars = escape.chars();
    let said = match chars.next() {
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('u') => return unicode(chars.as_str()),
        Some(itself) => itself,
        None => char::REPLACEMENT_CHARACTER,
    };
    (said, chars.as_str())
}

/// Reads what follows `\u`: one unit, or two when they are a pair.
fn unicode(text: &str) -> (char, &str) {
    let Some((first, rest)) = unit(text) else { return (char::REPLACEMENT_CHARACTER, "") };
    if let Some(said) = char::from_u32(first) {
        return (said, rest);
    }
    let second = rest.strip_prefix("\\u").and_then(unit);
    if let (0xd800..=0xdbff, Some((second @ 0xdc00..=0xdfff, after))) = (first, second) {
        let pair = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER), after);
    }
    (char::REPLACEMENT_CHARACTER, rest)
}

fn unit(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    Some((u32::from_str_radix(digits, 16).ok()?, rest))
}

/// Which of `fields` a member fills: the one of exactly that name, or else the first that differs in case only.
pub(super) fn field_of(fields: &[&str], name: &str) -> Option<usize> {
    let exact = fields.iter().position(|field| *field == name);
    exact.or_else(|| fields.iter().position(|field| same_folded(field, name)))
}

/// Go folds beside ASCII the two other characters whose simple folding is an ASCII letter.
fn same_folded(field: &str, name: &str) -> bool {
    let folded = |c: char| match c {
        'ſ' => 's',
        '\u{212a}' => 'k',
        _ => c.to_ascii_lowercase(),
    };
    field.chars().map(folded).eq(name.chars().map(folded))
}
