//! An App's answer, as Mattermost takes one to a slash command.

use serde_json::{Value, json};
use tessera_types::CallResponse;

/// What whoever typed a command sees of it; nobody else does.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    text: String,
    goto: String,
    buttons: Vec<Value>,
}

impl Answer {
    /// Markdown.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// The same, with buttons below it: attachments, as Mattermost has them.
    pub(super) fn with(self, buttons: Vec<Value>) -> Self {
        Self { buttons, ..self }
    }

    /// What is pressed to go on.
    pub(super) fn buttons(&self) -> &[Value] {
        &self.buttons
    }

    /// What an App said.
    pub(super) fn of(response: CallResponse) -> Self {
        match response.kind.as_str() {
            CallResponse::NAVIGATE => Self { goto: response.navigate_to_url, ..Self::default() },
            _ => Self::text(response.text),
        }
    }

    /// Whether there is nothing to be said.
    pub(super) fn is_silent(&self) -> bool {
        self.text.is_empty() && self.goto.is_empty() && self.buttons.is_empty()
    }

    /// In words alone, where nobody can be led anywhere.
    pub(super) fn said(&self) -> String {
        if self.goto.is_empty() { self.text.clone() } else { format!("Go on at {}", self.goto) }
    }

    /// The same, in words alone.
    pub(super) fn in_words(&self) -> Self {
        Self { text: self.said(), goto: String::new(), buttons: self.buttons.clone() }
    }

    /// As Mattermost reads it.
    pub fn to_json(&self) -> Value {
        let mut answer = json!({"response_type": "ephemeral", "text": self.text, "skip_slack_parsing": true});
        if !self.goto.is_empty() {
            answer["goto_location"] = json!(self.goto);
        }
        if !self.buttons.is_empty() {
            answer["attachments"] = json!(self.buttons);
        }
        answer
    }
}
