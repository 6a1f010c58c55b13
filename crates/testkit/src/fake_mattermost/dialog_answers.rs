//! What becomes of a dialog: it is sent, cancelled, looked something up for, or drawn anew (C.7).

use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::actions::{check_address, deliver};
use super::asked::{Asked, Json, text};
use super::dialogs::Dialog;
use super::outgoing::Outgoing;
use super::refusal::Refusal;
use super::sessions::Session;
use super::state::State;
use super::{FakeMattermost, Shared};
use crate::wire::Answer;

impl State {
    /// What a dialog's answer says, of whatever kind.
    fn dialog_body(
        &self,
        user: &str,
        channel: &str,
        dialog: &Dialog,
        kind: &str,
        submission: Value,
    ) -> Value {
        let team = self.channels.get(channel).map(|channel| channel.team_id.clone()).unwrap_or_default();
        json!({
            "type": kind, "callback_id": text(&dialog.form, "callback_id"), "state": text(&dialog.form, "state"),
            "user_id": user, "channel_id": channel, "team_id": team, "submission": submission, "cancelled": false,
        })
    }

    /// What the reply makes of the dialog.
    fn after_reply(&mut self, user: &str, said: &Value) -> Result<(), Refusal> {
        let errors = said["errors"].as_object().filter(|errors| !errors.is_empty());
        let error = said["error"].as_str().filter(|error| !error.is_empty());
        if errors.is_some() || error.is_some() {
            let mut all = errors.cloned().unwrap_or_default();
            if let Some(error) = error {
                all.insert(String::new(), json!(error));
            }
            if let Some(dialog) = self.topmost(user) {
                dialog.errors = Value::Object(all);
            }
            return Ok(());
        }
        match (self.version.has_dialog_steps(), text(said, "type").as_str()) {
            // Older ones do not know it, and the dialog closes.
            (false, _) | (true, "" | "ok" | "navigate") => self.close_dialog(user),
            (true, "form") if said["form"].is_object() => {
                let form = self.take_form(said["form"].clone())?;
                if let Some(dialog) = self.topmost(user) {
                    dialog.form = form;
                    dialog.errors = json!({});
                }
            }
            _ => return Err(Refusal::new(400, "app.submit_interactive_dialog.invalid_response")),
        }
        Ok(())
    }

    fn dialog_request(&mut self, session: &Session, url: &str, body: &Value) -> Result<Outgoing, Refusal> {
        check_address(self, url)?;
        Ok(self.action_request(url, body.to_string(), session))
    }
}

/// `POST /actions/dialogs/submit` and `/lookup`, as clients send them.
pub(super) async fn route(shared: &Shared, asked: &Asked, kind: &str) -> Result<Response, Refusal> {
    let (request, user) = {
        let mut state = shared.lock().unwrap();
        let session = state.caller(asked)?;
        if kind == "lookup" && !state.version.has_dynamic_selects() {
            return Err(Refusal::missing());
        }
        let mut body = asked.json("dialog")?;
        let url = text(&body, "url");
        if url.is_empty() {
            return Err(Refusal::bad_body("url"));
        }
        if !state.may_read(&session.user, &text(&body, "channel_id")) {
            return Err(Refusal::forbidden());
        }
        let refresh = state.version.has_dialog_steps() && body["type"] == "refresh";
        body["type"] = json!(match kind {
            "lookup" => "dialog_lookup",
            _ if refresh => "refresh",
            _ => "dialog_submission",
        });
        body["user_id"] = json!(session.user);
        if let Some(members) = body.as_object_mut() {
            members.remove("url");
        }
        (state.dialog_request(&session, &url, &body)?, session.user)
    };
    let body = deliver(shared, request).await?;
    let unreadable = || Refusal::new(500, "app.submit_interactive_dialog.decode_json_error");
    let said: Value = match body.as_slice() {
        [] => json!({}),
        body => serde_json::from_slice(body).map_err(|_| unreadable())?,
    };
    if kind == "submit" {
        shared.lock().unwrap().after_reply(&user, &said)?;
    }
    Ok(Json(said).into_response())
}

impl FakeMattermost {
    /// Somebody sends their dialog; gives the integration's answer. It goes away, unless the answer has errors or
    /// another step.
    ///
    /// # Panics
    /// When they have none, or when the integration cannot be reached.
    pub async fn submit_dialog(&self, user: &str, channel: &str, submission: Value) -> Answer {
        let dialog = self.dialog_of(user).unwrap();
        let body = self.state().dialog_body(user, channel, &dialog, "dialog_submission", submission);
        let answer = self.post_of_dialog(user, &dialog.url, &body).await;
        if answer.status == 200 {
            let said = if answer.body.is_empty() { json!({}) } else { answer.json() };
            let taken = self.state().after_reply(user, &said);
            taken.unwrap_or_else(|refusal| panic!("{refusal:?}: {said}"));
        }
        answer
    }

    /// Somebody closes their dialog; whom it concerns is told if the dialog says so.
    ///
    /// # Panics
    /// When they have none.
    pub async fn cancel_dialog(&self, user: &str, channel: &str) -> Option<Answer> {
        let dialog = self.dialog_of(user).unwrap();
        self.state().close_dialog(user);
        if dialog.form["notify_on_cancel"] != true {
            return None;
        }
        let mut body = self.state().dialog_body(user, channel, &dialog, "dialog_submission", Value::Null);
        body["cancelled"] = json!(true);
        Some(self.post_of_dialog(user, &dialog.url, &body).await)
    }

    /// Somebody types in a select that looks up what can be chosen; gives what is offered.
    ///
    /// # Panics
    /// When there is no such select in their dialog, or what comes is no answer.
    pub async fn lookup(&self, user: &str, channel: &str, field: &str, query: &str) -> Vec<Value> {
        self.lookup_with(user, channel, field, query, json!({})).await
    }

    /// The same with what else is filled in already. As the web client of 11.6 sends it, a choice is an object here, of label and
    /// value, and an empty one where nothing is chosen.
    ///
    /// # Panics
    /// As above.
    pub async fn lookup_with(
        &self,
        user: &str,
        channel: &str,
        field: &str,
        query: &str,
        values: Value,
    ) -> Vec<Value> {
        let dialog = self.dialog_of(user).unwrap();
        let elements = dialog.form["elements"].as_array().unwrap();
        let element = elements.iter().find(|element| element["name"] == field).unwrap();
        let url = text(element, "data_source_url");
        let mut submission = values;
        submission["query"] = json!(query);
        submission["selected_field"] = json!(field);
        let body = self.state().dialog_body(user, channel, &dialog, "dialog_lookup", submission);
        let answer = self.post_of_dialog(user, &url, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["items"].as_array().cloned().unwrap_or_default()
    }

    /// Somebody changes a field that the rest depends on; the dialog is drawn anew.
    ///
    /// # Panics
    /// When their dialog has no such field, or what comes is no form.
    pub async fn refresh(&self, user: &str, channel: &str, field: &str, values: Value) -> Answer {
        let dialog = self.dialog_of(user).unwrap();
        let elements = dialog.form["elements"].as_array().unwrap();
        let element = elements.iter().find(|element| element["name"] == field).unwrap();
        assert_eq!(element["refresh"], true, "{field} changes nothing else");
        let mut submission = values;
        submission["selected_field"] = json!(field);
        let body = self.state().dialog_body(user, channel, &dialog, "refresh", submission);
        let answer = self.post_of_dialog(user, &text(&dialog.form, "source_url"), &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let said = answer.json();
        assert_eq!(said["type"], "form", "{said}");
        let taken = self.state().after_reply(user, &said);
        taken.unwrap_or_else(|refusal| panic!("{refusal:?}: {said}"));
        answer
    }

    async fn post_of_dialog(&self, user: &str, url: &str, body: &Value) -> Answer {
        let request = {
            let mut state = self.state();
            let session = state.session_of(user);
            state.dialog_request(&session, url, body).unwrap_or_else(|refusal| panic!("{refusal:?}: {url}"))
        };
        request.send().await.unwrap_or_else(|why| panic!("{why}: {url}"))
    }
}
