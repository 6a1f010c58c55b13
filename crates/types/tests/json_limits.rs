//! Hostile texts: deep, broken, and made to be read again and again.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails as a test does")]

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use tessera_types::{Binding, Call, CallResponse, Manifest, OAuth2App, RawJson, json};

fn nested(depth: usize, inner: &str) -> String {
    format!("{}{inner}{}", "[".repeat(depth), "]".repeat(depth))
}

/// Runs on a stack as small as a worker thread's.
fn on_small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap()
}

#[test]
fn nesting_is_carried_to_ten_thousand_and_no_further() {
    on_small_stack(|| {
        let deepest = nested(10_000, "");
        assert!(json::valid_strict(deepest.as_bytes()).is_ok());
        let raw = RawJson::from_slice(deepest.as_bytes()).unwrap();
        assert_eq!(raw.get(), deepest);
        assert_eq!(json::to_vec(&raw).unwrap(), deepest.as_bytes());
        let held = format!(r#"{{"data":{}}}"#, nested(9_999, "{}"));
        assert!(json::valid_strict(held.as_bytes()).is_err());
        let held = format!(r#"{{"data":{}, "type":"ok"}}"#, nested(9_999, ""));
        json::from_slice_strict::<CallResponse>(held.as_bytes()).unwrap();
        for text in [nested(10_001, ""), "[".repeat(100_000), r#"{"a":"#.repeat(100_000)] {
            let error = json::from_slice_strict::<RawJson>(text.as_bytes()).unwrap_err();
            assert!(error.is_syntax());
            let first = &text[..1];
            assert_eq!(error.to_string(), format!("invalid character '{first}' exceeded max depth"));
            assert_eq!(json::from_slice_stream::<Value>(text.as_bytes()).unwrap_err(), error);
        }
    });
}

#[test]
fn typed_readers_stop_before_the_stack_does() {
    on_small_stack(|| {
        assert!(json::from_slice_strict::<Value>(nested(200, "").as_bytes()).is_ok());
        let error = json::from_slice_strict::<Value>(nested(10_000, "").as_bytes()).unwrap_err();
        assert!(error.is_syntax());
        assert_eq!(error.to_string(), "exceeded max depth");
        // The largest type that holds itself.
        let bindings = format!("{}{}", r#"{"bindings":["#.repeat(30), "]}".repeat(30));
        assert!(json::from_slice_strict::<Binding>(bindings.as_bytes()).is_ok());
        let bindings = format!("{}{}", r#"{"bindings":["#.repeat(2_000), "]}".repeat(2_000));
        let error = json::from_slice_strict::<Binding>(bindings.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "exceeded max depth");
        let state = format!(r#"{{"path":"/x","state":{}}}"#, nested(5_000, ""));
        assert!(json::from_slice_strict::<Call>(state.as_bytes()).is_ok());
    });
}

#[test]
fn deep_typed_structures_do_not_read_their_content_once_per_level() {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Level {
        down: Option<Box<Level>>,
        load: RawJson,
    }
    // The load is stepped over by its index on each of the 250 levels: otherwise this reads 250 MB, slowly.
    let load = format!("[{}0]", r#"{"x":"]"},"#.repeat(100_000));
    let text = format!("{}{{\"load\":{load}}}{}", r#"{"down":"#.repeat(250), "}".repeat(250));
    let mut level: Level = json::from_slice_strict(text.as_bytes()).unwrap();
    let mut levels = 0;
    while let Some(down) = level.down {
        level = *down;
        levels += 1;
    }
    assert_eq!((levels, level.load.get().len()), (250, load.len()));
}

const SAMPLES: [&str; 5] = [
    r#"{"client_id":"id","client_secret":"s\"\u00e9","remote_root_url":"https://x.y","data":{"a":[1,-2.5e+3,null]}}"#,
    r#"{"app_id":"hello","homepage_url":"http://x","requested_locations":["/a","/b"],"on_install":{"path":"/i"},
        "http":{"root_url":"http://x","use_jwt":true},"bindings":"/b"}"#,
    r#"{"type":"form","form":{"title":"t","fields":[{"name":"n","value":null}],"source":"/s"},"data":[[],{},""]}"#,
    r#"[true,false,null,0,-0,1.5,1E9,12e-3,"\\\/\b\f\n\r\t\ud83d\ude00"]"#,
    r#" { "bindings" : [ { "location" : "/in" , "submit" : { "path" : "/p" , "state" : { } } } ] } "#,
];

/// Reads as everything: none may panic, and what is no JSON is so for all.
fn agree(text: &[u8]) {
    let valid = json::valid_strict(text);
    let results = [
        json::from_slice_strict::<RawJson>(text).map(drop),
        json::from_slice_strict::<Value>(text).map(drop),
        json::from_slice_strict::<Manifest>(text).map(drop),
        json::from_slice_strict::<OAuth2App>(text).map(drop),
        json::from_slice_strict::<CallResponse>(text).map(drop),
        json::from_slice_strict::<Binding>(text).map(drop),
        json::from_slice_strict::<BTreeMap<String, RawJson>>(text).map(drop),
    ];
    for result in &results {
        match (&valid, result) {
            (Ok(()), Err(error)) => assert!(error.is_type(), "{error}"),
            (valid, result) => assert_eq!(valid, result),
        }
    }
    let _ = json::from_slice_stream::<Manifest>(text);
    assert_eq!(results[0].is_ok(), valid.is_ok());
    let Ok(utf8) = std::str::from_utf8(text) else { return };
    // A plain library refuses lone surrogates; all else is judged alike, and read alike.
    let lone = utf8.contains("\\u");
    match serde_json::from_str::<Value>(utf8) {
        Ok(value) => assert_eq!(json::from_slice_strict::<Value>(text).unwrap(), value, "{utf8}"),
        Err(_) => assert!(valid.is_err() || lone || results[1].is_err(), "{utf8}"),
    }
    let plain = serde_json::from_str::<serde::de::IgnoredAny>(utf8);
    assert_eq!(valid.is_ok(), plain.is_ok(), "{utf8}");
}

#[test]
fn broken_texts_are_judged_as_a_plain_library_judges_them() {
    for sample in SAMPLES {
        let sample = sample.as_bytes();
        agree(sample);
        for at in 0..sample.len() {
            agree(&sample[..at]);
            let mut text = sample.to_vec();
            text.remove(at);
            agree(&text);
            for byte in *b"\"\\{}[],:0-.eutn /\x00\x1f\x7f\x80\xff" {
                text = sample.to_vec();
                text[at] = byte;
                agree(&text);
                text.insert(at, sample[at]);
                agree(&text);
            }
        }
    }
}
