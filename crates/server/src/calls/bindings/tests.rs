//! Cleaning and merging, rule by rule (apps-framework.md sections 10.2, 10.3 and 15.14).

use serde_json::{Value, json};
use tessera_types::{App, Binding, Manifest};

use super::clean::Cleaning;
use super::merge::{merge, sort};

fn bindings(value: Value) -> Vec<Binding> {
    serde_json::from_value(value).unwrap()
}

fn shown(bindings: &[Binding]) -> Value {
    serde_json::to_value(bindings).unwrap()
}

/// What is left for this user agent of an App that was granted these locations, and the problems.
fn cleaned_for(user_agent: &str, granted: &[&str], given: Value) -> (Value, Vec<String>) {
    let app = App {
        manifest: Manifest { app_id: "app1".into(), ..Manifest::default() },
        granted_locations: granted.iter().map(ToString::to_string).collect(),
        ..App::default()
    };
    let mut cleaning = Cleaning::new(&app, "", user_agent);
    let kept = cleaning.list("", bindings(given));
    (shown(&kept), cleaning.problems.into_iter().map(|problem| problem.text).collect())
}

fn cleaned(given: Value) -> (Value, Vec<String>) {
    cleaned_for("mobile", &["/command", "/channel_header", "/post_menu"], given)
}

#[test]
fn c_ub_01_merging_unites_what_is_one_and_keeps_apps_apart() {
    let submit = json!({"path": "/x"});
    let one = json!([
        {"location": "/command", "label": "old", "bindings": [
            {"app_id": "b", "location": "top", "bindings": [{"app_id": "b", "location": "x", "submit": submit}]}
        ]},
        {"location": "/post_menu", "bindings": [{"app_id": "b", "location": "p", "submit": submit}]},
    ]);
    let two = json!([
        {"location": "/command", "label": "new", "bindings": [
            {"app_id": "b", "location": "top", "hint": "h", "bindings": [
                {"app_id": "b", "location": "y", "submit": submit}
            ]},
            {"app_id": "a", "location": "top", "submit": submit},
        ]},
    ]);
    let mut tree = merge([bindings(one.clone()), Vec::new(), bindings(two)]);
    sort(&mut tree);
    let both = json!([
        {"location": "/command", "label": "new", "bindings": [
            {"app_id": "a", "location": "top", "submit": submit},
            {"app_id": "b", "location": "top", "hint": "h", "bindings": [
                {"app_id": "b", "location": "x", "submit": submit},
                {"app_id": "b", "location": "y", "submit": submit},
            ]},
        ]},
        one[1],
    ]);
    assert_eq!(shown(&tree), both);
    assert!(merge([Vec::new(), Vec::new()]).is_empty());
}

#[test]
fn c_ub_02_cleaning_fills_in_ids_and_labels_and_trims() {
    let given = json!([
        {"location": "/command", "bindings": [
            {"location": " one ", "submit": {"path": "/x"}},
            {"location": "two", "label": " zwei\t", "app_id": "another", "submit": {"path": "/x"}},
        ]},
        {"location": "/post_menu", "bindings": [{"location": "three", "submit": {"path": "/x"}}]},
    ]);
    let (kept, problems) = cleaned(given);
    let expected = json!([
        {"location": "/command", "bindings": [
            {"app_id": "app1", "location": "one", "label": "one", "submit": {"path": "/x"}},
            {"app_id": "app1", "location": "two", "label": "zwei", "submit": {"path": "/x"}},
        ]},
        {"location": "/post_menu", "bindings": [
            {"app_id": "app1", "location": "three", "submit": {"path": "/x"}}
        ]},
    ]);
    assert_eq!(kept, expected);
    let texts = [
        "/command/one: trimmed whitespace from location",
        "/command/two: trimmed whitespace from label  zwei\t",
    ];
    assert_eq!(problems, texts);
}

#[test]
fn c_ub_03_what_is_not_granted_nameless_or_not_one_word_goes() {
    let given = json!([
        {"location": "/post_menu", "submit": {"path": "/x"}},
        {"location": "/command", "bindings": [
            {"submit": {"path": "/x"}},
            {"location": "bad", "label": "two words", "submit": {"path": "/x"}},
            {"label": "good", "submit": {"path": "/x"}},
        ]},
    ]);
    let (kept, problems) = cleaned_for("", &["/command"], given);
    let good = json!({"app_id": "app1", "location": "good", "label": "good", "submit": {"path": "/x"}});
    assert_eq!(kept, json!([{"location": "/command", "bindings": [good]}]));
    let texts = [
        "/post_menu: location is not granted: forbidden",
        "/command: sub-binding with no location nor label",
        "/command/bad: command label \"two words\" has multiple words",
    ];
    assert_eq!(problems, texts);
}

#[test]
fn c_ub_04_icons_become_static_paths_or_nothing() {
    let icon = |icon: &str| json!([{"location": "/command", "icon": icon, "submit": {"path": "/x"}}]);
    let (kept, problems) = cleaned(icon("a///static.icon"));
    assert_eq!(kept[0]["icon"], "/plugins/com.mattermost.apps/apps/app1/static/a/static.icon");
    assert!(problems.is_empty());
    let (kept, problems) = cleaned(icon("../a/...//static.icon"));
    assert_eq!(kept[0]["icon"], Value::Null);
    assert_eq!(problems, ["/command: invalid icon path \"../a/...//static.icon\" in binding"]);
    assert_eq!(cleaned(icon("https://x/i.png")).0[0]["icon"], "https://x/i.png");
}

#[test]
fn c_ub_05_a_channel_headers_button_needs_an_icon_in_the_web_application() {
    let given = json!([{"location": "/channel_header", "bindings": [
        {"location": "bare", "submit": {"path": "/x"}},
        {"location": "drawn", "icon": "i.png", "submit": {"path": "/x"}},
    ]}]);
    let (kept, problems) = cleaned_for("webapp", &["/channel_header"], given.clone());
    assert_eq!(kept[0]["bindings"].as_array().unwrap().len(), 1);
    assert_eq!(problems, ["/channel_header/bare: no icon in channel header binding"]);
    let (kept, problems) = cleaned_for("mobile", &["/channel_header"], given);
    assert_eq!(kept[0]["bindings"].as_array().unwrap().len(), 2);
    assert!(problems.is_empty());
}

#[test]
fn c_ub_06_a_binding_is_one_thing() {
    let call = json!({"path": "/x"});
    for given in [
        json!([{"location": "/command"}]),
        json!([{"location": "/command", "submit": call, "form": {"submit": call}}]),
        json!([{"location": "/command", "submit": call, "bindings": [{"location": "a", "submit": call}]}]),
        json!([{"location": "/command", "form": {"submit": call}, "bindings": [{"location": "a"}]}]),
    ] {
        let (kept, problems) = cleaned(given.clone());
        assert_eq!(kept, json!([]), "{given}");
        let text = "/command: (only) one of  \"submit\", \"form\", or \"bindings\" must be set in a binding";
        assert_eq!(problems, [text], "{given}");
    }
}

#[test]
fn c_ub_07_children_are_cleaned_in_turn_and_a_form_is_kept_without_fields() {
    let given = json!([{"location": "/command", "bindings": [
        {"location": "empty", "bindings": [{"location": "nothing"}]},
        {"location": "asks", "form": {"submit": {"path": "/x"}, "fields": [{"type": "text"}]}},
    ]}]);
    let (kept, problems) = cleaned(given);
    let asks = json!({
        "app_id": "app1", "location": "asks", "label": "asks", "form": {"submit": {"path": "/x"}},
    });
    assert_eq!(kept, json!([{"location": "/command", "bindings": [asks]}]));
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].starts_with("/command/empty/nothing: (only) one of  "), "{problems:?}");
    assert_eq!(problems[1], "field with no name, label ");
}

#[test]
fn below_a_deep_location_nothing_else_is_granted() {
    let given = json!([{"location": "/command", "submit": {"path": "/x"}}]);
    let (kept, problems) = cleaned_for("", &["/command/trigger"], given);
    assert_eq!(kept, json!([]));
    assert_eq!(problems, ["/command: location is not granted: forbidden"]);
}
