//! Interactive dialogs (C.7): opened with a trigger that came with a command, shown to whoever caused it, and sent as they are
//! filled in.

use std::net::SocketAddr;

use axum::response::Response;
use serde_json::{Value, json};
use url::Url;

use super::FakeMattermost;
use super::asked::{Asked, Refusal};
use super::people::ok;
use super::state::{State, Version};
use crate::wire::{self, Answer, Ask};

/// A dialog that somebody has before them.
#[derive(Debug, Clone)]
pub struct Dialog {
    /// Where its answer goes.
    pub url: String,
    /// All of it.
    pub form: Value,
}

pub(super) fn open(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    let body = asked.json()?;
    let trigger = body["trigger_id"].as_str().unwrap_or_default();
    // It works once: the person has moved on.
    let user = state.triggers.remove(trigger).ok_or_else(|| {
        Refusal::new(
            400,
            "interactive_message.decode_trigger_id.expired",
            "Trigger ID for interactive dialog is expired.",
        )
    })?;
    let dialog = body["dialog"].clone();
    check(&dialog, state.version)?;
    let url = body["url"].as_str().unwrap_or_default().to_owned();
    state.dialogs.insert(user, Dialog { url, form: dialog });
    Ok(ok())
}

/// What a version does not draw it refuses.
fn check(dialog: &Value, version: Version) -> Result<(), Refusal> {
    let wrong = || Refusal::bad("api.dialogs.open.invalid_dialog.app_error");
    let within = |value: &Value, most: usize| value.as_str().unwrap_or_default().chars().count() <= most;
    let title = if version >= Version(12, 0) { 80 } else { 24 };
    if !within(&dialog["title"], title) || dialog["title"].as_str().unwrap_or_default().is_empty() {
        return Err(wrong());
    }
    for element in dialog["elements"].as_array().into_iter().flatten() {
        let known = ["text", "textarea", "select", "bool", "radio"];
        let kind = element["type"].as_str().unwrap_or_default();
        let fits = known.contains(&kind)
            && within(&element["display_name"], 24)
            && within(&element["name"], 300)
            && within(&element["help_text"], 150)
            && (element["multiselect"] != true || version >= Version(11, 0));
        if !fits || element["name"].as_str().unwrap_or_default().is_empty() {
            return Err(wrong());
        }
    }
    Ok(())
}

impl FakeMattermost {
    /// The dialog that somebody has before them.
    pub fn dialog_of(&self, user: &str) -> Option<Dialog> {
        self.state().dialogs.get(user).cloned()
    }

    /// Somebody sends their dialog. It goes away, unless the answer has errors or another step.
    pub async fn submit_dialog(&self, user: &str, channel: &str, submission: Value) -> Answer {
        let dialog = self.dialog_of(user).unwrap();
        let body = json!({
            "type": "dialog_submission", "callback_id": dialog.form["callback_id"], "state": dialog.form["state"],
            "user_id": user, "channel_id": channel, "team_id": "", "submission": submission, "cancelled": false,
        });
        let url = Url::parse(&dialog.url).unwrap();
        let session = self.session(user);
        // To an address of its own site it brings the session of whoever clicked along (C.6).
        let ask = Ask::post(url.path(), body.to_string())
            .with("Host", format!("localhost:{}", url.port().unwrap()))
            .with("Content-Type", "application/json")
            .with("User-Agent", "Mattermost-Bot/1.1")
            .bearer(&session.token);
        let answer = wire::send(SocketAddr::from(([127, 0, 0, 1], url.port().unwrap())), &ask).await;
        if answer.status == 200 {
            let said = answer.json();
            let mut state = self.state();
            match (&said["type"], said["error"].is_null() && said["errors"].is_null()) {
                (kind, _) if kind == "form" => {
                    state.dialogs.insert(user.to_owned(), Dialog { form: said["form"].clone(), ..dialog });
                }
                (_, true) => drop(state.dialogs.remove(user)),
                _ => {}
            }
        }
        answer
    }
}
