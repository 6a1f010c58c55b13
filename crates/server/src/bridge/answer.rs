//! An App's answer, as Mattermost takes one to a slash command.

use serde_json::{Value, json};
use tessera_types::CallResponse;

/// What whoever typed a command sees of it; nobody else does.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    text: String,
    goto: String,
}

impl Answer {
    /// Markdown.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), goto: String::new() }
    }

    /// What an App said.
    pub(super) fn of(response: CallResponse) -> Self {
        match response.kind.as_str() {
            CallResponse::NAVIGATE => Self { goto: response.navigate_to_url, ..Self::default() },
            CallResponse::FORM => {
                let fields = response.form.map(|form| form.fields).unwrap_or_default();
                let names: Vec<String> =
                    fields.iter().map(|field| format!("`{}`", field.name.replace('`', "'"))).collect();
                Self::text(format!(
                    "The App asks for more: {}. Forms can't be shown here yet.",
                    if names.is_empty() { "a form".to_owned() } else { names.join(", ") }
                ))
            }
            _ => Self::text(response.text),
        }
    }

    /// As Mattermost reads it.
    pub fn to_json(&self) -> Value {
        let mut answer = json!({"response_type": "ephemeral", "text": self.text, "skip_slack_parsing": true});
        if !self.goto.is_empty() {
            answer["goto_location"] = json!(self.goto);
        }
        answer
    }
}
