//! Dialogs that a version can draw: its elements, and how long each text may be (C.7).

use std::collections::BTreeSet;

use serde_json::Value;

use super::asked::{is_http, text};
use super::version::Version;

const SUBTYPES: [&str; 7] = ["", "text", "email", "number", "tel", "url", "password"];

/// What is wrong with a dialog.
#[derive(Debug)]
pub(super) struct Complaint {
    /// In words, as Mattermost writes it to its log.
    pub(super) words: String,
    /// Mattermost counts bytes, and there are no more characters than there may be: clients draw it.
    pub(super) is_small: bool,
}

/// Whether a text is too long in bytes, and if so, whether it is not in characters.
fn too_long(text: &str, most: usize) -> Option<bool> {
    (text.len() > most).then(|| text.chars().count() <= most)
}

/// What is wrong with a dialog.
pub(super) fn complaints(form: &Value, version: Version) -> Vec<Complaint> {
    let mut wrong = Vec::new();
    let mut say = |words: String, is_small| wrong.push(Complaint { words, is_small });
    let title = text(form, "title");
    if title.is_empty() {
        say("invalid dialog title".to_owned(), false);
    }
    if let Some(is_small) = too_long(&title, version.longest_dialog_title()) {
        say(format!("invalid dialog title {title:?}"), is_small);
    }
    let icon = text(form, "icon_url");
    if !icon.is_empty() && !is_http(&icon) {
        say("invalid icon url".to_owned(), false);
    }
    if !text(form, "source_url").is_empty() && !version.has_dialog_steps() {
        say("source_url is not known".to_owned(), false);
    }
    let mut names = BTreeSet::new();
    for element in form["elements"].as_array().into_iter().flatten() {
        let name = text(element, "name");
        if !names.insert(name.clone()) {
            say(format!("duplicate dialog element {name:?}"), false);
        }
        let mut of_element = Element { element, version, wrong: Vec::new() };
        of_element.look();
        for Complaint { words, is_small } in of_element.wrong {
            say(format!("{name:?} field is not valid: {words}"), is_small);
        }
    }
    wrong
}

/// Takes away what a version does not know, as it does itself with what is sent to it.
pub(super) fn forget_unknown(form: &mut Value, version: Version) {
    let mut unknown = Vec::new();
    if !version.has_multiselect_dialogs() {
        unknown.extend(["multiselect", "data_source_url"]);
    }
    if !version.has_dialog_steps() {
        unknown.extend(["refresh", "min_date", "max_date", "time_interval", "datetime_config"]);
        if let Some(members) = form.as_object_mut() {
            members.remove("source_url");
        }
    }
    if !version.has_date_limits_at_the_top() {
        unknown.extend(["min_date", "max_date", "time_interval"]);
    }
    let elements = form.get_mut("elements").and_then(Value::as_array_mut);
    for element in elements.into_iter().flatten().filter_map(Value::as_object_mut) {
        element.retain(|name, _| !unknown.contains(&name.as_str()));
    }
}

struct Element<'a> {
    element: &'a Value,
    version: Version,
    wrong: Vec<Complaint>,
}

impl Element<'_> {
    fn say(&mut self, why: impl Into<String>) {
        self.wrong.push(Complaint { words: why.into(), is_small: false });
    }

    fn limit(&mut self, name: &str, most: usize) {
        let given = text(self.element, name);
        if let Some(is_small) = too_long(&given, most) {
            let words = format!("{name} cannot be longer than {most} characters, got {}", given.len());
            self.wrong.push(Complaint { words, is_small });
        }
    }

    /// A feature that is there since some version.
    fn need(&mut self, there: bool, what: &str) {
        if !there {
            self.say(format!("{what} is not known"));
        }
    }

    fn look(&mut self) {
        for (name, most) in [("display_name", 24), ("name", 300)] {
            if text(self.element, name).is_empty() {
                self.say(format!("{name} cannot be empty"));
            }
            self.limit(name, most);
        }
        self.limit("help_text", 150);
        let (least, most) = (self.element["min_length"].as_i64(), self.element["max_length"].as_i64());
        let (least, most) = (least.unwrap_or_default(), most.unwrap_or_default());
        if least < 0 || least > most {
            self.say(format!("min length should be less then max length, got {least} > {most}"));
        }
        let kind = text(self.element, "type");
        if self.element["multiselect"] == true {
            self.need(self.version.has_multiselect_dialogs(), "multiselect");
            if kind != "select" {
                self.say("multiselect can only be used with select elements");
            }
        }
        if self.element["refresh"] == true {
            self.need(self.version.has_dialog_steps(), "refresh");
        }
        self.look_by_kind(&kind);
    }

    fn look_by_kind(&mut self, kind: &str) {
        let version = self.version;
        match kind {
            "text" | "textarea" => {
                let most = if kind == "text" { 150 } else { 3_000 };
                self.limit("default", most);
                self.limit("placeholder", most);
                if !SUBTYPES.contains(&text(self.element, "subtype").as_str()) {
                    self.say("invalid subtype");
                }
            }
            "select" => self.look_at_select(),
            "radio" => self.look_at_options(),
            "bool" => {
                if !["", "true", "false"].contains(&text(self.element, "default").as_str()) {
                    self.say("invalid default of bool");
                }
                self.limit("placeholder", 150);
            }
            "date" | "datetime" => {
                self.need(version.has_dialog_dates(), kind);
                let at_top = ["min_date", "max_date"].iter().any(|name| self.element[*name].is_string());
                self.need(!at_top || version.has_date_limits_at_the_top(), "min_date or max_date at the top");
            }
            "action_button" => self.need(version.has_stacked_dialogs(), kind),
            "file" => self.need(version.has_dialog_files(), kind),
            "checkbox_group" | "checkbox_matrix" => self.need(version.has_checkbox_groups(), kind),
            _ => self.say(format!("invalid element type: {kind:?}")),
        }
    }

    fn look_at_select(&mut self) {
        self.limit("default", 3_000);
        self.limit("placeholder", 3_000);
        match text(self.element, "data_source").as_str() {
            "" => self.look_at_options(),
            "users" | "channels" => {}
            "dynamic" => {
                self.need(self.version.has_dynamic_selects(), "data_source dynamic");
                let url = text(self.element, "data_source_url");
                let of_plugin = url.starts_with("/plugins/") && !url.contains("..") && !url.contains("//");
                if !of_plugin && !is_http(&url) {
                    self.say("dynamic data_source requires data_source_url");
                }
                if self.element["options"].as_array().is_some_and(|options| !options.is_empty()) {
                    self.say("dynamic select element should not have static options");
                }
            }
            other => self.say(format!("invalid data source {other:?}")),
        }
    }

    /// What is chosen already must be among what can be.
    fn look_at_options(&mut self) {
        let chosen = text(self.element, "default");
        let many = self.element["multiselect"] == true;
        let chosen: Vec<&str> = if many { chosen.split(',').map(str::trim).collect() } else { vec![&chosen] };
        let options = self.element["options"].as_array().into_iter().flatten();
        let values: Vec<String> = options.map(|option| text(option, "value")).collect();
        let missing = chosen.iter().find(|one| !one.is_empty() && !values.iter().any(|value| value == *one));
        if let Some(missing) = missing {
            self.say(format!("default value {missing:?} doesn't exist in options"));
        }
    }
}
