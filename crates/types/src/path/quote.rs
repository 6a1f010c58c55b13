//! Texts in error messages, quoted as Go's `%q` does.

/// In double quotes, with quotes, backslashes and control characters escaped.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\x07' => quoted.push_str("\\a"),
            '\x08' => quoted.push_str("\\b"),
            '\x0c' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\x0b' => quoted.push_str("\\v"),
            '\0'..='\x1f' | '\x7f' => quoted.push_str(&format!("\\x{:02x}", u32::from(character))),
            // What moves, joins or hides its neighbours must not do so in a log or a terminal.
            '\u{80}'..='\u{a0}'
            | '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' => quoted.push_str(&format!("\\u{:04x}", u32::from(character))),
            plain => quoted.push(plain),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    #[test]
    fn controls_are_escaped_and_letters_are_not() {
        let text = "a\0\x7f\u{85}é\u{200b}\u{2028}\n\"\\";
        assert_eq!(super::quote(text), r#""a\x00\x7f\u0085é\u200b\u2028\n\"\\""#);
    }
}
