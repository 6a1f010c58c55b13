//! Complaints about the text itself, word for word those of Go 1.26's `encoding/json`.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails as a test does")]

use serde_json::Value;
use tessera_types::{OAuth2App, RawJson, json};

fn strict(text: &[u8]) -> String {
    json::valid_strict(text).unwrap_err().to_string()
}

fn stream(text: &[u8]) -> String {
    json::from_slice_stream::<Value>(text).unwrap_err().to_string()
}

#[test]
fn every_state_of_gos_scanner_has_its_complaint() {
    for (text, complaint) in [
        // The rows of the wire specification.
        ("test", "invalid character 'e' in literal true (expecting 'r')"),
        ("", "unexpected end of JSON input"),
        (r#"{"a":1"#, "unexpected end of JSON input"),
        ("{a:1}", "invalid character 'a' looking for beginning of object key string"),
        (r#"{"a":1} x"#, "invalid character 'x' after top-level value"),
        (r#"{"a" 1}"#, "invalid character '1' after object key"),
        ("[1,]", "invalid character ']' looking for beginning of value"),
        // Where a value, a name or a separator should stand.
        ("]", "invalid character ']' looking for beginning of value"),
        ("[,1]", "invalid character ',' looking for beginning of value"),
        (r#"{"a":}"#, "invalid character '}' looking for beginning of value"),
        (r#"{"a":1,}"#, "invalid character '}' looking for beginning of object key string"),
        (r#"{"a":1 "b"}"#, "invalid character '\"' after object key:value pair"),
        (r#"{"a":[1]]"#, "invalid character ']' after object key:value pair"),
        ("[1 2]", "invalid character '2' after array element"),
        ("[01]", "invalid character '1' after array element"),
        ("[{}}", "invalid character '}' after array element"),
        ("01", "invalid character '1' after top-level value"),
        ("1 2", "invalid character '2' after top-level value"),
        ("{}{}", "invalid character '{' after top-level value"),
        // Literals.
        ("nulL", "invalid character 'L' in literal null (expecting 'l')"),
        ("nail", "invalid character 'a' in literal null (expecting 'u')"),
        ("fa1se", "invalid character '1' in literal false (expecting 'l')"),
        ("truex", "invalid character 'x' after top-level value"),
        // Strings.
        ("\"\n\"", r"invalid character '\n' in string literal"),
        ("\"\u{1f}\"", r"invalid character '\x1f' in string literal"),
        (r#""\q""#, "invalid character 'q' in string escape code"),
        (r#""\u12g4""#, r"invalid character 'g' in \u hexadecimal character escape"),
        // Numbers.
        ("-a", "invalid character 'a' in numeric literal"),
        ("+1", "invalid character '+' looking for beginning of value"),
        (".5", "invalid character '.' looking for beginning of value"),
        ("1.x", "invalid character 'x' after decimal point in numeric literal"),
        ("[1.]", "invalid character ']' after decimal point in numeric literal"),
        ("1ex", "invalid character 'x' in exponent of numeric literal"),
        ("1e+]", "invalid character ']' in exponent of numeric literal"),
    ] {
        assert_eq!(strict(text.as_bytes()), complaint, "{text}");
        assert!(json::valid_strict(text.as_bytes()).unwrap_err().is_syntax(), "{text}");
    }
}

#[test]
fn an_early_end_is_told_as_go_tells_it() {
    for (text, complaint) in [
        ("tru", "invalid character ' ' in literal true (expecting 'e')"),
        ("-", "invalid character ' ' in numeric literal"),
        ("1.", "invalid character ' ' after decimal point in numeric literal"),
        ("1e", "invalid character ' ' in exponent of numeric literal"),
        (r#""\"#, "invalid character ' ' in string escape code"),
        (r#""\u1"#, r"invalid character ' ' in \u hexadecimal character escape"),
        (r#""a"#, "unexpected end of JSON input"),
        ("{", "unexpected end of JSON input"),
        (r#"{"a""#, "unexpected end of JSON input"),
        (r#"{"a":"#, "unexpected end of JSON input"),
        (r#"{"a":1,"#, "unexpected end of JSON input"),
        ("[", "unexpected end of JSON input"),
        ("[1", "unexpected end of JSON input"),
        ("[1,", "unexpected end of JSON input"),
    ] {
        assert_eq!(strict(text.as_bytes()), complaint, "{text}");
        assert_eq!(stream(text.as_bytes()), "unexpected EOF", "{text}");
    }
    for text in ["", " ", "\r\n\t"] {
        assert_eq!(strict(text.as_bytes()), "unexpected end of JSON input");
        assert_eq!(stream(text.as_bytes()), "EOF");
    }
}

#[test]
fn characters_are_quoted_as_go_quotes_them() {
    for (text, quoted) in [
        ("'", r"'\''"),
        ("\\", r"'\\'"),
        ("\u{7f}", r"'\x7f'"),
        ("\0", r"'\x00'"),
        ("\u{7}", r"'\a'"),
        ("\u{8}", r"'\b'"),
        ("\u{b}", r"'\v'"),
        ("\u{c}", r"'\f'"),
        ("é", "'Ã'"),
        ("\u{feff}1", "'ï'"),
    ] {
        let complaint = format!("invalid character {quoted} looking for beginning of value");
        assert_eq!(strict(text.as_bytes()), complaint);
        assert_eq!(stream(text.as_bytes()), complaint);
    }
}

#[test]
fn a_stream_is_read_up_to_the_end_of_its_first_value() {
    for (text, first) in [
        (&b"{\"a\":[1]} x"[..], "{\"a\":[1]}"),
        (b"{\"a\":[1]}\xff", "{\"a\":[1]}"),
        (b" \n\"x\"\"", "\"x\""),
        (b"12x", "12"),
        (b"null]", "null"),
        (b"[] []", "[]"),
        (b"7", "7"),
    ] {
        assert_eq!(json::from_slice_stream::<RawJson>(text).unwrap().get(), first);
    }
    assert_eq!(stream(b"{a:1}"), "invalid character 'a' looking for beginning of object key string");
}

#[test]
fn invalid_utf8_is_told_apart() {
    for text in [&b"\"\xff\""[..], b"{\"a\":\"\xc3\"}", b"\xed\xa0\x80", b"[\x80"] {
        let error = json::from_slice_strict::<Value>(text).unwrap_err();
        assert!(error.is_utf8() && !error.is_syntax() && !error.is_type());
        assert_eq!(error.to_string(), "invalid UTF-8 in JSON text");
        assert_eq!(stream(text), "invalid UTF-8 in JSON text");
    }
}

#[test]
fn a_value_of_another_type_is_no_syntax_error() {
    let error = json::from_slice_strict::<OAuth2App>(b"[1]").unwrap_err();
    assert!(error.is_type() && !error.is_syntax() && !error.is_utf8());
    assert_eq!(error.to_string(), "json: cannot unmarshal array into Go value of type apps.OAuth2App");
}
