//! Interactive dialogs: opened with a trigger, and shown to whoever caused it (C.7).

use axum::response::Response;
use serde_json::{Value, json};

use super::FakeMattermost;
use super::asked::{Asked, ok, text};
use super::dialog_check::{complaints, forget_unknown};
use super::refusal::Refusal;
use super::state::State;

/// How many dialogs somebody may have before them.
const MOST: usize = 3;

/// A dialog that somebody has before them.
#[derive(Debug, Clone)]
pub struct Dialog {
    /// Where its answer goes.
    pub url: String,
    /// All of it, as far as the version knows it.
    pub form: Value,
    /// What is wrong with what was filled in, by field; the dialog's own complaint is under an empty name.
    pub errors: Value,
}

impl State {
    /// Shows somebody a dialog: above the one that they have where dialogs are stacked, or else instead of it.
    pub(super) fn show_dialog(&mut self, user: &str, dialog: Dialog) {
        let stacked = self.version.has_stacked_dialogs();
        let shown = self.dialogs.entry(user.to_owned()).or_default();
        if !stacked {
            shown.clear();
        }
        // One too many is not shown, and nobody is told.
        if shown.len() < MOST {
            shown.push(dialog);
        }
    }

    pub(super) fn topmost(&mut self, user: &str) -> Option<&mut Dialog> {
        self.dialogs.get_mut(user)?.last_mut()
    }

    pub(super) fn close_dialog(&mut self, user: &str) {
        if let Some(shown) = self.dialogs.get_mut(user) {
            shown.pop();
        }
    }

    /// A form as this version has it. What is wrong with it Mattermost only writes to its log; where dialogs are strict,
    /// which is the rule here, it is refused: no test shall pass with a dialog that a client cannot draw.
    pub(super) fn take_form(&mut self, mut form: Value) -> Result<Value, Refusal> {
        let complaints = complaints(&form, self.version);
        for complaint in &complaints {
            self.warn(format!("Interactive dialog is invalid: {}", complaint.words));
        }
        if self.strict_dialogs && complaints.iter().any(|complaint| !complaint.is_small) {
            return Err(Refusal::new(400, "fake.dialogs.invalid"));
        }
        forget_unknown(&mut form, self.version);
        Ok(form)
    }
}

/// `POST /actions/dialogs/open`: the trigger is all the authority that it needs.
pub(super) fn open(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    let body = asked.json("dialog")?;
    let url = text(&body, "url");
    if url.is_empty() {
        return Err(Refusal::bad_body("url"));
    }
    let user = state.of_trigger(&text(&body, "trigger_id"))?;
    let form = state.take_form(body["dialog"].clone())?;
    let data = json!({"url": url, "dialog": form}).to_string();
    state.publish("open_dialog", &user, "", json!({"dialog": data}));
    state.show_dialog(&user, Dialog { url, form, errors: json!({}) });
    Ok(ok())
}

impl FakeMattermost {
    /// The dialog that somebody has before them; the topmost, where there are several.
    pub fn dialog_of(&self, user: &str) -> Option<Dialog> {
        self.state().topmost(user).cloned()
    }

    /// How many dialogs somebody has before them.
    pub fn dialogs_of(&self, user: &str) -> usize {
        self.state().dialogs.get(user).map_or(0, Vec::len)
    }
}
