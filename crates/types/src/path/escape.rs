//! Percent-encoding, as Go's `net/url` has it for paths and fragments.

use std::fmt;

/// What is being encoded: it decides which of the reserved characters stay as they are (RFC 3986 section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All of a path, so that `/` stays.
    Path,
    /// What comes after `#`.
    Fragment,
}

/// A percent sign without two hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EscapeError(String);

impl fmt::Display for EscapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid URL escape {}", super::quote(&self.0))
    }
}

/// Decodes once.
pub(super) fn decode(text: &[u8]) -> Result<Vec<u8>, EscapeError> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        if first != b'%' {
            decoded.push(first);
            rest = after;
            continue;
        }
        let digits = after.first_chunk::<2>().and_then(|[high, low]| Some(hex(*high)? << 4 | hex(*low)?));
        let Some(byte) = digits else {
            return Err(EscapeError(super::lossy(&rest[..rest.len().min(3)])));
        };
        decoded.push(byte);
        rest = &after[2..];
    }
    Ok(decoded)
}

/// Decodes until nothing changes. A percent sign that is meant as one cannot be told from half an escape: an error.
pub(super) fn decode_fully(text: &[u8]) -> Result<Vec<u8>, EscapeError> {
    let mut text = text.to_vec();
    loop {
        let decoded = decode(&text)?;
        if decoded == text {
            return Ok(text);
        }
        text = decoded;
    }
}

/// Encodes what may not stand in such a part.
pub(super) fn encode(text: &[u8], part: Part) -> String {
    let mut encoded = String::with_capacity(text.len());
    for &byte in text {
        if stays(byte, part) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Encodes, but as `sent` has it where that is well-formed and means the same.
pub(super) fn encode_as_sent(text: &[u8], sent: &str, part: Part) -> String {
    let allowed = |byte: u8| matches!(byte, b'!' | b'\'' | b'(' | b')' | b'*' | b'[' | b']' | b'%');
    let well_formed = sent.bytes().all(|byte| allowed(byte) || stays(byte, part));
    if well_formed && decode(sent.as_bytes()).is_ok_and(|decoded| decoded == text) {
        sent.to_owned()
    } else {
        encode(text, part)
    }
}

fn stays(byte: u8, part: Part) -> bool {
    match byte {
        b'-' | b'_' | b'.' | b'~' => true,
        b'$' | b'&' | b'+' | b',' | b'/' | b':' | b';' | b'=' | b'@' => true,
        b'?' | b'!' | b'(' | b')' | b'*' => part == Part::Fragment,
        byte => byte.is_ascii_alphanumeric(),
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_an_escape_is_named() {
        for (text, named) in
            [("%", "%"), ("a%b", "%b"), ("%4", "%4"), ("a%zzz", "%zz"), ("%C3%A", "%A"), ("%%%", "%%%")]
        {
            let error = decode(text.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), format!("invalid URL escape \"{named}\""));
        }
    }

    #[test]
    fn the_sent_form_survives_only_if_it_means_the_same() {
        assert_eq!(encode_as_sent(b"a/b", "a%2Fb", Part::Path), "a%2Fb");
        assert_eq!(encode_as_sent(b"a/c", "a%2Fb", Part::Path), "a/c");
        assert_eq!(encode_as_sent(b"a/b c", "a%2fb c", Part::Path), "a/b%20c");
        assert_eq!(encode("é?#[]!".as_bytes(), Part::Path), "%C3%A9%3F%23%5B%5D%21");
    }
}
