//! What values become: names, nulls, repeated members, and complaints about types.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails as a test does")]

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json as value};
use tessera_types::{Call, Form, OAuth2App, RawJson, json};

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Outer {
    name: String,
    at: i64,
    on: bool,
    ratio: f64,
    words: Vec<String>,
    values: BTreeMap<String, Value>,
    inner: Inner,
    maybe: Option<Inner>,
    list: Vec<Inner>,
    by_name: BTreeMap<String, Inner>,
    data: RawJson,
    kind: Kind,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Inner {
    a: String,
    b: u8,
    deep: Option<Box<Inner>>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Plain,
    Fancy,
}

fn read<T: DeserializeOwned>(text: &str) -> T {
    json::from_slice_strict(text.as_bytes()).unwrap()
}

fn refused<T: DeserializeOwned>(text: &str) -> String {
    let error = json::from_slice_strict::<T>(text.as_bytes()).map(drop).unwrap_err();
    assert!(error.is_type(), "{text}: {error}");
    error.to_string()
}

#[test]
fn names_match_in_any_case_but_the_exact_one_first() {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Two {
        key: String,
        #[serde(rename = "KEY")]
        upper: String,
    }
    assert_eq!(read::<OAuth2App>(r#"{"CLIENT_ID":"x","Remote_Root_URL":"y"}"#).client_id, "x");
    let two: Two = read(r#"{"KEY":"1","key":"2","kEy":"3"}"#);
    assert_eq!((two.key.as_str(), two.upper.as_str()), ("3", "1"));
    // Go folds the Kelvin sign and the long s, too.
    assert_eq!(read::<Two>("{\"\u{212a}ey\":\"k\"}").key, "k");
    assert_eq!(read::<Outer>("{\"word\u{17f}\":[\"s\"]}").words, ["s"]);
    assert_eq!(read::<Outer>(r#"{"n\u0061me":"escaped"}"#).name, "escaped");
}

#[test]
fn unknown_members_are_ignored_and_null_leaves_the_default() {
    assert_eq!(read::<Outer>("null"), Outer::default());
    let nulls = r#"{"name":null,"at":null,"on":null,"ratio":null,"words":null,"values":null,"inner":null,
        "maybe":null,"list":null,"by_name":null,"data":null,"kind":null,"x":{"y":[1,{"z":"]"}]}}"#;
    assert_eq!(read::<Outer>(nulls), Outer::default());
    assert_eq!(read::<Vec<String>>(r#"[null,"a"]"#), ["", "a"]);
    assert_eq!(read::<Vec<Option<i64>>>("[null,1]"), [None, Some(1)]);
    assert_eq!(read::<Vec<Inner>>("[null]"), [Inner::default()]);
    assert_eq!(read::<BTreeMap<String, bool>>(r#"{"a":null}"#), BTreeMap::from([("a".to_owned(), false)]));
    assert_eq!(read::<Vec<String>>("null"), Vec::<String>::new());
    assert!(read::<RawJson>(" null ").is_null());
}

#[test]
fn of_repeated_scalars_lists_and_untyped_values_the_last_wins() {
    let outer: Outer = read(
        r#"{"name":"1","NAME":"2","at":1,"at":2,"words":["a","b"],"Words":["c"],"data":{"a":1},"data":[2],
            "list":[{"a":"x"}],"list":[{"b":1}],"on":true,"on":null,"kind":"plain","Kind":"fancy"}"#,
    );
    assert_eq!((outer.name.as_str(), outer.at, outer.on), ("2", 2, true));
    assert_eq!(outer.words, ["c"]);
    assert_eq!(outer.data.get(), "[2]");
    assert_eq!(outer.list, [Inner { b: 1, ..Inner::default() }]);
    assert_eq!(outer.kind, Kind::Fancy);
    assert!(read::<Outer>(r#"{"data":1,"data":null}"#).data.is_null());
    assert!(read::<Outer>(r#"{"words":["a"],"words":null}"#).words.is_empty());
}

#[test]
fn repeated_objects_and_maps_are_merged_member_by_member() {
    let outer: Outer = read(
        r#"{"inner":{"a":"1","b":1},"values":{"x":{"p":1},"y":1},"INNER":{"b":2,"deep":{"a":"d"}},
            "values":{"x":{"q":2},"z":3},"inner":{"deep":{"b":9}},"inner":null,
            "maybe":{"a":"lost"},"maybe":null,"maybe":{"b":4}}"#,
    );
    let deep = Inner { a: "d".to_owned(), b: 9, deep: None };
    assert_eq!(outer.inner, Inner { a: "1".to_owned(), b: 2, deep: Some(Box::new(deep)) });
    assert_eq!(value!(outer.values), value!({"x": {"q": 2}, "y": 1, "z": 3}));
    assert_eq!(outer.maybe, Some(Inner { b: 4, ..Inner::default() }));
    assert_eq!(read::<Outer>(r#"{"values":{"a":1},"values":null}"#).values, BTreeMap::new());
}

#[test]
fn calls_and_forms_may_be_strings_and_the_last_wins_whole() {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Holder {
        call: Call,
        form: Option<Form>,
    }
    let holder: Holder = read(r#"{"call":"/path","form":"/source"}"#);
    assert_eq!(holder.call.path, "/path");
    assert_eq!(holder.form.unwrap().source.unwrap().path, "/source");
    let holder: Holder =
        read(r#"{"call":{"path":"/a","state":1},"Call":{"PATH":"/b"},"form":{"TITLE":"t"}}"#);
    assert_eq!((holder.call.path.as_str(), holder.call.state), ("/b", None));
    assert_eq!(holder.form.unwrap().title, "t");
    assert_eq!(
        read::<Call>(r#"{"path":"/a","path":null,"expand":{"app":"all"},"expand":{"Locale":"all"}}"#).path,
        "/a"
    );
}

#[test]
fn strings_may_carry_any_escape() {
    let text = r#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#;
    assert_eq!(read::<String>(text), "\"\\/\u{8}\u{c}\n\r\té😀");
    for (text, said) in [
        (r#""\ud800""#, "\u{fffd}"),
        (r#""\udc00x""#, "\u{fffd}x"),
        (r#""\ud800\n""#, "\u{fffd}\n"),
        (r#""\ud800\u0041""#, "\u{fffd}A"),
        (r#""\ud800\ud83d\ude00""#, "\u{fffd}😀"),
    ] {
        assert_eq!(read::<String>(text), said);
        assert_eq!(read::<Value>(text), value!(said));
        assert_eq!(read::<RawJson>(text).get(), text);
    }
}

#[test]
fn numbers_are_read_in_the_range_of_their_type() {
    assert_eq!(read::<i64>("-9223372036854775808"), i64::MIN);
    assert_eq!(read::<u64>("18446744073709551615"), u64::MAX);
    assert_eq!(read::<f64>("-1.5e2"), -150.0);
    let text = r#"[1,-1,1.5,18446744073709551615,1e3,true,"x",null,{"a":[]}]"#;
    assert_eq!(read::<Value>(text), serde_json::from_str::<Value>(text).unwrap());
    for (text, number) in [("1.0", "1.0"), ("1e3", "1e3"), ("9223372036854775808", "9223372036854775808")] {
        let complaint =
            format!("json: cannot unmarshal number {number} into Go struct field Outer.at of type int64");
        assert_eq!(refused::<Outer>(&format!(r#"{{"at":{text}}}"#)), complaint);
    }
    assert_eq!(refused::<f64>("1e400"), "json: cannot unmarshal number 1e400 into Go value of type float64");
    assert_eq!(
        refused::<Value>("1e400"),
        "json: cannot unmarshal number 1e400 into Go value of type float64"
    );
    assert_eq!(read::<RawJson>("1e400").get(), "1e400");
}

#[test]
fn a_wrong_type_is_told_with_gos_names_and_path() {
    for (text, complaint) in [
        (r#""x""#, "string into Go value of type apps.Outer"),
        (r#"{"name":1}"#, "number into Go struct field Outer.name of type string"),
        (r#"{"NAME":true}"#, "bool into Go struct field Outer.name of type string"),
        (r#"{"at":"1"}"#, "string into Go struct field Outer.at of type int64"),
        (r#"{"on":"true"}"#, "string into Go struct field Outer.on of type bool"),
        (r#"{"on":{}}"#, "object into Go struct field Outer.on of type bool"),
        (r#"{"ratio":[]}"#, "array into Go struct field Outer.ratio of type float64"),
        (r#"{"words":"a"}"#, "string into Go struct field Outer.words of type []string"),
        (r#"{"words":[1]}"#, "number into Go struct field Outer.words of type string"),
        (r#"{"values":[]}"#, "array into Go struct field Outer.values of type map[string]interface {}"),
        (r#"{"inner":1}"#, "number into Go struct field Outer.inner of type apps.Inner"),
        (r#"{"list":{}}"#, "object into Go struct field Outer.list of type []apps.Inner"),
        (r#"{"list":[{"b":300}]}"#, "number 300 into Go struct field Inner.list.b of type uint8"),
        (r#"{"by_name":{"x":{"a":[]}}}"#, "array into Go struct field Inner.by_name.a of type string"),
        (r#"{"maybe":{"deep":{"a":1}}}"#, "number into Go struct field Inner.maybe.deep.a of type string"),
        (r#"{"kind":1}"#, "number into Go struct field Outer.kind of type string"),
    ] {
        assert_eq!(refused::<Outer>(text), format!("json: cannot unmarshal {complaint}"), "{text}");
    }
    // The rows of the wire specification.
    for (text, complaint) in [
        (r#""x""#, "string into Go value of type apps.OAuth2App"),
        ("[1]", "array into Go value of type apps.OAuth2App"),
        (r#"{"client_id":1}"#, "number into Go struct field OAuth2App.client_id of type string"),
    ] {
        assert_eq!(refused::<OAuth2App>(text), format!("json: cannot unmarshal {complaint}"));
    }
}

#[test]
fn no_complaint_holds_a_string_of_the_document() {
    assert!(!refused::<Kind>(r#""canary""#).contains("canary"));
    assert!(!refused::<Outer>(r#"{"at":"canary"}"#).contains("canary"));
    assert!(!refused::<std::net::IpAddr>(r#""canary""#).contains("canary"));
    assert_eq!(format!("{:?}", read::<RawJson>(r#""canary""#)), "RawJson(8 bytes)");
}

#[test]
fn raw_values_are_kept_as_sent_under_any_reader() {
    let text = r#"{"b": 1.50, "a":"\u0041\ud800", "n":123456789012345678901234567890}"#;
    let raw: RawJson = read(&format!(" {text}\n"));
    assert_eq!(raw.get(), text);
    assert_eq!(serde_json::from_str::<RawJson>(text).unwrap(), raw);
    assert_eq!(serde_json::to_string(&raw).unwrap(), text);
    let pair: (RawJson, Option<RawJson>) = serde_json::from_str("[null, {\"x\": 1}]").unwrap();
    assert!(pair.0.is_null());
    assert_eq!(pair.1.unwrap().get(), "{\"x\": 1}");
    let inside = serde_json::from_value::<RawJson>(value!({"a": 1})).unwrap();
    assert_eq!(inside.get(), r#"{"a":1}"#);
    assert_eq!(raw.to::<BTreeMap<String, RawJson>>().unwrap()["b"].get(), "1.50");
}
