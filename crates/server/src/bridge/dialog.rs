//! Forms of Apps as interactive dialogs (C.7): drawn as far as the site's version can, in full or with less.

use serde_json::{Value, json};
use tessera_types::{Field, Form, SelectOption};

/// What a dialog may say at most, in bytes: so Mattermost measures it, and complains of everything longer.
const NAME: usize = 24;
const HELP: usize = 150;
const LONGEST: usize = 3_000;

/// What of a form a version cannot draw, in words for who would fill it in; None where it can.
pub(super) fn beyond(form: &Form, version: (u32, u32)) -> Option<String> {
    let needs = form.fields.iter().find(|field| field.multiselect && version < (11, 0))?;
    Some(format!(
        "The App asks for several choices in one field (`{}`), which this Mattermost can't show before version 11.",
        needs.name.replace('`', "'")
    ))
}

/// What holds a dialog.
#[derive(Clone, Copy)]
pub(super) struct Ends<'a> {
    /// What comes back with everything that is done with it.
    pub(super) state: &'a str,
    /// Where that goes.
    pub(super) url: &'a str,
}

/// A form as a dialog.
pub(super) fn dialog(form: &Form, ends: Ends<'_>, version: (u32, u32)) -> Value {
    // Without a source nothing could be drawn anew: calling what the form is sent to would do it, not ask about it.
    let source = if version >= (11, 1) && form.source.is_some() { ends.url } else { "" };
    let element = |field: &Field| {
        let mut element = element(field, ends.url, version);
        if field.refresh && !source.is_empty() {
            element["refresh"] = json!(true);
        }
        element
    };
    let title = if form.title.is_empty() { "Fill in" } else { form.title.as_str() };
    let mut introduction: Vec<&str> =
        [form.header.as_str()].into_iter().filter(|text| !text.is_empty()).collect();
    let mut elements = Vec::new();
    for field in &form.fields {
        match field.kind.as_str() {
            "markdown" => introduction.push(&field.description),
            _ if field.name == form.submit_buttons => elements.push(required(element(field))),
            _ => elements.push(element(field)),
        }
    }
    introduction.extend([form.footer.as_str()].into_iter().filter(|text| !text.is_empty()));
    let mut dialog = json!({
        "callback_id": "tessera",
        "title": cut(title, if version >= (12, 0) { 80 } else { NAME }),
        "introduction_text": introduction.join("\n\n"),
        "elements": elements,
        "submit_label": "Submit",
        "notify_on_cancel": false,
        "state": ends.state,
    });
    if !source.is_empty() {
        dialog["source_url"] = json!(source);
    }
    dialog
}

fn element(field: &Field, url: &str, version: (u32, u32)) -> Value {
    let label = [&field.modal_label, &field.label, &field.name].into_iter().find(|text| !text.is_empty());
    let mut element = json!({
        "display_name": cut(label.map_or("", String::as_str), NAME),
        "name": field.name,
        "optional": !field.is_required,
        "help_text": cut(&field.description, HELP),
        "placeholder": cut(&field.hint, HELP),
    });
    let value: Value = field.value.as_ref().and_then(|value| value.to().ok()).unwrap_or_default();
    match field.kind.as_str() {
        "bool" => {
            element["type"] = json!("bool");
            element["optional"] = json!(true);
            element["default"] = json!(if value == json!(true) { "true" } else { "false" });
        }
        "static_select" => {
            element["type"] = json!("select");
            element["options"] = options(field);
            let is_there = |one: &str| field.options.iter().any(|option| option.value == one);
            element["default"] = json!(chosen_already(&value, is_there));
        }
        "user" | "channel" => {
            element["type"] = json!("select");
            element["data_source"] = json!(if field.kind == "user" { "users" } else { "channels" });
            element["default"] = json!(chosen_already(&value, |_| true));
        }
        "dynamic_select" if version >= (11, 0) => {
            element["type"] = json!("select");
            element["data_source"] = json!("dynamic");
            element["data_source_url"] = json!(url);
            element["default"] = json!(chosen_already(&value, |_| true));
        }
        // A choice that the App looks up is typed where Mattermost would not ask for it.
        _ => text(field, &value, &mut element),
    }
    if field.multiselect {
        element["multiselect"] = json!(true);
    }
    element
}

/// A field that is typed. What it says already is shown whole or not at all: what was cut would be sent back so.
fn text(field: &Field, value: &Value, element: &mut Value) {
    let said = value.as_str().or_else(|| value["value"].as_str()).unwrap_or_default();
    let is_long = field.subtype == "textarea" || (field.subtype.is_empty() && said.len() > HELP);
    let room = if is_long { LONGEST } else { HELP };
    element["type"] = json!(if is_long { "textarea" } else { "text" });
    if SUBTYPES.contains(&field.subtype.as_str()) {
        element["subtype"] = json!(field.subtype);
    }
    element["default"] = json!(if said.len() > room { "" } else { said });
    let most = usize::try_from(field.max_length).ok().filter(|most| *most > 0).unwrap_or(room).min(LONGEST);
    element["max_length"] = json!(most);
    element["min_length"] = json!(usize::try_from(field.min_length).unwrap_or_default().min(most));
}

/// Which kinds of text a dialog knows.
const SUBTYPES: [&str; 5] = ["email", "number", "password", "tel", "url"];

/// What is chosen in a select, one or several, of what can be.
fn chosen_already(value: &Value, is_there: impl Fn(&str) -> bool) -> String {
    let all = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let all = all.iter().filter_map(|one| one["value"].as_str().or_else(|| one.as_str()));
    let all: Vec<&str> = all.filter(|one| one.len() <= LONGEST && is_there(one)).collect();
    all.join(",")
}

/// The field whose options are the buttons of the framework's own clients: a choice here.
fn required(mut element: Value) -> Value {
    element["optional"] = json!(false);
    element
}

fn options(field: &Field) -> Value {
    field.options.iter().map(option).collect()
}

/// Something that can be chosen.
pub(super) fn option(option: &SelectOption) -> Value {
    let label = if option.label.is_empty() { &option.value } else { &option.label };
    json!({"text": label, "value": option.value})
}

/// A text that is no longer than so many bytes, and ends where a character does.
pub(super) fn cut(text: &str, most: usize) -> String {
    const MORE: &str = "…";
    match text.len() > most {
        true => format!("{}{MORE}", &text[..text.floor_char_boundary(most - MORE.len())]),
        false => text.to_owned(),
    }
}
