//! Bindings, forms and their fields (apps-framework.md section 10.1).

use serde::{Deserialize, Deserializer, Serialize};

use crate::shorthand::string_or_struct;
use crate::{Call, RawJson, is_default};

/// Inputs for a dialog or a slash command. On the wire a plain string means a form that is fetched from that path.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Form {
    /// Where the form is fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Call>,
    /// Shown on top.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Markdown above the fields.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub header: String,
    /// Markdown below the fields.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub footer: String,
    /// A static asset's path, or a URL.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub icon: String,
    /// What is called with the values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submit: Option<Call>,
    /// The name of the field whose options are the buttons.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub submit_buttons: String,
    /// What is asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
}

impl<'de> Deserialize<'de> for Form {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(default, rename = "Form")]
        struct Object {
            source: Option<Call>,
            title: String,
            header: String,
            footer: String,
            icon: String,
            submit: Option<Call>,
            submit_buttons: String,
            fields: Vec<Field>,
        }
        let from_str = |path: &str| Object { source: Some(Call::new(path)), ..Object::default() };
        let form: Object = string_or_struct(deserializer, from_str)?;
        let Object { source, title, header, footer, icon, submit, submit_buttons, fields } = form;
        Ok(Self { source, title, header, footer, icon, submit, submit_buttons, fields })
    }
}

/// One input of a form.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Field {
    /// The key among the values: one word.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// `text`, `static_select`, `dynamic_select`, `bool`, `user`, `channel`, `markdown`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it must be filled.
    #[serde(skip_serializing_if = "is_default")]
    pub is_required: bool,
    /// Whether it can only be read.
    #[serde(skip_serializing_if = "is_default")]
    pub readonly: bool,
    /// What it is filled with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<RawJson>,
    /// What it is for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Its flag in a slash command: one word.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// What could stand there.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hint: String,
    /// Its place in a slash command, from 1; -1 for all the rest.
    #[serde(skip_serializing_if = "is_default")]
    pub position: i64,
    /// Its name in a dialog.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub modal_label: String,
    /// Whether several options may be chosen.
    #[serde(skip_serializing_if = "is_default")]
    pub multiselect: bool,
    /// Whether a change fetches the form again.
    #[serde(skip_serializing_if = "is_default")]
    pub refresh: bool,
    /// What can be chosen in a static select.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<SelectOption>,
    /// Where a dynamic select finds its options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lookup: Option<Call>,
    /// `input`, `textarea`, `number`, `email`, `tel`, `url`, `password`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subtype: String,
    /// The least number of characters.
    #[serde(skip_serializing_if = "is_default")]
    pub min_length: i64,
    /// The greatest number of characters.
    #[serde(skip_serializing_if = "is_default")]
    pub max_length: i64,
}

/// What can be chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SelectOption {
    /// What is shown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// What is sent.
    pub value: String,
    /// An icon.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub icon_data: String,
}

/// A node of an App's tree of user interface.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Binding {
    /// Whose it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub app_id: String,
    /// Where it is, below its parent.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub location: String,
    /// A static asset's path, or a URL.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub icon: String,
    /// What is shown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// What comes after it in a slash command.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hint: String,
    /// What it is for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submit: Option<Call>,
    /// What is asked first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// What is below it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bindings: Vec<Binding>,
}
