//! What is written, byte for byte as Go writes it.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails as a test does")]

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json as value;
use tessera_types::{RawJson, json};

fn written<T: Serialize + ?Sized>(value: &T) -> String {
    String::from_utf8(json::to_vec(value).unwrap()).unwrap()
}

#[test]
fn what_could_end_a_script_is_escaped() {
    assert_eq!(written("<a href='x'>&</a>"), r#""\u003ca href='x'\u003e\u0026\u003c/a\u003e""#);
    assert_eq!(written("\u{2028}é\u{2029}"), "\"\\u2028é\\u2029\"");
    assert_eq!(written("\"\\/\n\r\t\u{8}\u{c}\u{1}\u{7f}"), "\"\\\"\\\\/\\n\\r\\t\\b\\f\\u0001\u{7f}\"");
    assert_eq!(written(&BTreeMap::from([("<k>", "&")])), r#"{"\u003ck\u003e":"\u0026"}"#);
}

#[test]
fn raw_values_are_compacted_and_escaped_but_otherwise_kept() {
    let text =
        " { \"b <\" : [ 1.50 , 1e400,\t\"a  \\\" & \\\\\" ] ,\r\n \"a\" : \"\\u003C\\ud800 \u{2028}\" } ";
    let raw = RawJson::from_slice(text.as_bytes()).unwrap();
    let compact = r#"{"b \u003c":[1.50,1e400,"a  \" \u0026 \\"],"a":"\u003C\ud800 \u2028"}"#;
    assert_eq!(written(&raw), compact);
    assert_eq!(written(&(&raw, Some(&raw))), format!("[{compact},{compact}]"));
    assert_eq!(RawJson::from_value(&raw).unwrap().get(), compact);
    assert_eq!(written(&RawJson::default()), "null");
}

#[test]
fn floats_are_written_in_gos_notation() {
    for (number, text) in [
        (0.0, "0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (-2.5e300, "-2.5e+300"),
        (0.000_001, "0.000001"),
        (1.5e-7, "1.5e-7"),
        (f64::NAN, "null"),
    ] {
        assert_eq!(written(&number), text);
    }
    assert_eq!(
        written(&value!({"b": 1, "a": [u64::MAX, i64::MIN]})),
        r#"{"a":[18446744073709551615,-9223372036854775808],"b":1}"#
    );
}

#[test]
fn what_is_written_is_read_again() {
    let sent = value!({"a<": ["\u{2028}", 1.25, null, true, {"x": "\"\\"}], "b": "é😀\u{0}"});
    assert_eq!(json::from_slice_strict::<serde_json::Value>(&json::to_vec(&sent).unwrap()).unwrap(), sent);
}

#[test]
fn what_json_cannot_say_is_an_error() {
    let error = json::to_vec(&BTreeMap::from([(vec![1], 1)])).unwrap_err();
    assert!(!error.is_syntax() && !error.is_type() && !error.is_utf8());
    assert_eq!(error.to_string(), "json: key must be a string");
}
