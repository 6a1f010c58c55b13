//! Calls, responses, forms and levels as they are read and written (apps-framework.md sections 5, 6.1 and 10.1).

#![expect(clippy::unwrap_used, reason = "a helper of tests fails as a test does")]

use tessera_types::{
    Binding, Call, CallRequest, CallResponse, Expand, ExpandLevel, Field, Form, json, parse_level,
};

fn read<T: serde::de::DeserializeOwned>(text: &str) -> T {
    json::from_slice_strict(text.as_bytes()).unwrap()
}

fn written<T: serde::Serialize>(value: &T) -> String {
    String::from_utf8(json::to_vec(value).unwrap()).unwrap()
}

#[test]
fn c_ud_01_calls_from_object_and_from_string() {
    let expand = Expand { app: "all".to_owned(), ..Expand::default() };
    let call: Call = read(r#"{"path":"/p","expand":{"app":"all"},"state":{"b":1,"a":[2]}}"#);
    assert_eq!((call.path.as_str(), &call.expand), ("/p", &Some(expand)));
    assert_eq!(call.state.as_ref().map(|state| state.get()), Some(r#"{"b":1,"a":[2]}"#));
    assert_eq!(read::<Call>(r#""/p""#), Call::new("/p"));
    assert_eq!(read::<Call>(r#"{"path":"/p","state":null,"expand":null}"#), Call::new("/p"));
    assert_eq!(written(&read::<Call>(r#"{"path":"/p","expand":{}}"#)), r#"{"path":"/p","expand":{}}"#);
}

#[test]
fn c_ud_02_call_requests_and_their_values() {
    let request: CallRequest = read(concat!(
        r#"{"path":"/p","state":"s","values":{"text":"hi","empty":"","select":{"label":"One","value":"1"},"#,
        r#""null":null,"number":7,"yes":true,"no":"false","chosen":{"label":"Yes","value":"true"},"#,
        r#""boxed":{"value":false}},"context":{"app_id":"abc","channel_id":"c"},"raw_command":"/x","#,
        r#""selected_field":"f","query":"q"}"#,
    ));
    assert_eq!(request.path, "/p");
    assert_eq!((request.context.app_id.as_str(), request.context.channel_id.as_str()), ("abc", "c"));
    assert_eq!((request.selected_field.as_str(), request.query.as_str()), ("f", "q"));
    assert_eq!(request.value_or("text", "else"), "hi");
    assert_eq!(request.value_or("select", "else"), "1");
    for name in ["empty", "null", "number", "missing"] {
        assert_eq!(request.value_or(name, "else"), "else", "{name}");
    }
    for (name, value) in
        [("yes", Some(true)), ("no", Some(false)), ("chosen", Some(true)), ("boxed", Some(false))]
    {
        assert_eq!(request.bool_value(name), value, "{name}");
    }
    for name in ["text", "null", "number", "missing"] {
        assert_eq!(request.bool_value(name), None, "{name}");
    }
}

#[test]
fn c_ud_02_a_bare_string_is_no_call_request() {
    assert!(json::from_slice_stream::<CallRequest>(br#""/p""#).is_err());
}

#[test]
fn c_ud_03_a_form_in_an_answer_keeps_its_values() {
    let text = concat!(
        r#"{"type":"form","form":{"title":"T","submit":{"path":"/s"},"fields":["#,
        r#"{"name":"a","type":"text","value":"v"},{"name":"b","type":"bool","value":true},"#,
        r#"{"name":"c","type":"static_select","value":{"label":"One","value":"1"},"#,
        r#""options":[{"label":"One","value":"1"}]}]}}"#,
    );
    assert_eq!(written(&read::<CallResponse>(text)), text);
}

#[test]
fn c_ud_04_fields_have_all_their_members() {
    let text = concat!(
        r#"{"name":"n","type":"dynamic_select","is_required":true,"readonly":true,"value":"v","description":"d","#,
        r#""label":"l","hint":"h","position":-1,"modal_label":"m","multiselect":true,"refresh":true,"#,
        r#""options":[{"label":"a","value":"1","icon_data":"i"},{"value":"2"}],"lookup":{"path":"/l"},"#,
        r#""subtype":"textarea","min_length":1,"max_length":9}"#,
    );
    let field: Field = read(text);
    assert_eq!((field.kind.as_str(), field.position, field.max_length), ("dynamic_select", -1, 9));
    assert_eq!(field.lookup, Some(Call::new("/l")));
    assert_eq!(written(&field), text);
    assert_eq!(written(&Field::default()), r#"{"type":""}"#);
}

#[test]
fn c_ud_05_forms_from_object_and_from_string() {
    let source = Form { source: Some(Call::new("/f")), ..Form::default() };
    assert_eq!(read::<Form>(r#""/f""#), source);
    assert_eq!(read::<Form>(r#"{"source":"/f"}"#), source);
    assert_eq!(read::<Form>(r#"{"source":{"path":"/f"}}"#), source);
    let binding: Binding = read(r#"{"location":"l","form":"/f","call":"/old"}"#);
    assert_eq!(written(&binding), r#"{"location":"l","form":{"source":{"path":"/f"}}}"#);
}

#[test]
fn c_ex_12_levels() {
    let cases = [
        ("", ExpandLevel::None, false),
        ("+", ExpandLevel::None, false),
        ("id", ExpandLevel::Id, false),
        ("+id", ExpandLevel::Id, true),
        ("summary", ExpandLevel::Summary, false),
        ("+summary", ExpandLevel::Summary, true),
        ("all", ExpandLevel::All, false),
        ("+all", ExpandLevel::All, true),
        // B-04.
        ("none", ExpandLevel::None, false),
        ("-all", ExpandLevel::All, false),
    ];
    for (text, level, required) in cases {
        assert_eq!(parse_level(text), Ok((level, required)), "{text}");
    }
    for text in ["garbage", "+garbage", "-garbage"] {
        assert_eq!(parse_level(text), Err("\"garbage\" is not a known expand level".to_owned()));
    }
    assert!(parse_level("ALL").is_err() && parse_level("++id").is_err());
}

#[test]
fn c_ud_12_debug_shows_no_token_no_value_and_no_state() {
    let request: CallRequest = read(concat!(
        r#"{"path":"/p","state":{"k":"canary"},"values":{"field":"canary"},"context":{"#,
        r#""bot_access_token":"canary","acting_user_access_token":"canary","app":{"webhook_secret":"canary"},"#,
        r#""oauth2":{"client_secret":"canary","data":"canary","user":{"access_token":"canary"}}}}"#,
    ));
    let shown = format!("{request:?}");
    assert!(shown.contains("field") && !shown.contains("canary"), "{shown}");
}
