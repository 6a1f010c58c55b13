//! What people do with a dialog: they send it, look up what can be chosen, or change what the rest depends on (C.7).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use tessera_types::{AppId, CallRequest, CallResponse, Context, Form, RawJson, SelectOption};
use tokio::time::Instant;

use super::mark::{Kind, Sheet};
use super::{Answer, Asking, Bridge, Error, dialog, request_of};

/// What Mattermost sends of a dialog.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Submitted {
    /// `dialog_submission`, `dialog_lookup`, `refresh`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Who, as it says.
    pub user_id: String,
    /// What we gave along.
    pub state: String,
    /// What was filled in.
    pub submission: BTreeMap<String, Value>,
    /// Whether it was closed instead.
    pub cancelled: bool,
}

/// What an App answers to a lookup.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Found {
    items: Option<Vec<SelectOption>>,
}

impl Bridge {
    /// Carries out what somebody did with a dialog. Gives what Mattermost makes of it.
    ///
    /// # Errors
    /// [`Error::Stale`] for everything that is not marked by us, for whom it was sent by, a short while ago.
    pub async fn dialog(
        &self,
        app: &AppId,
        submitted: Submitted,
        request: &str,
        deadline: Instant,
    ) -> Result<Value, Error> {
        let Submitted { kind, user_id, state, submission, cancelled } = submitted;
        let sheet: Sheet = self.marked(Kind::Dialog, app, &user_id, &state).ok_or(Error::Stale)?;
        if cancelled {
            return Ok(json!({}));
        }
        let who = self.site.named(&user_id).await?.ok_or(Error::Stale)?;
        if self.calls.take(&who).is_err() {
            return Ok(
                json!({"error": "You call Apps more often than this site allows. Wait a little, then try again."}),
            );
        }
        let asking = Asking { app, who: &who, trigger: "", hook: Some(""), request, deadline };
        match kind.as_str() {
            "dialog_lookup" => Ok(self.look_up(asking, &sheet, submission).await),
            "refresh" => Box::pin(self.draw_anew(asking, sheet, submission)).await,
            _ => Box::pin(self.submit(asking, sheet, submission)).await,
        }
    }

    async fn submit(
        &self,
        asking: Asking<'_>,
        sheet: Sheet,
        submission: BTreeMap<String, Value>,
    ) -> Result<Value, Error> {
        let submit = sheet.submit.ok_or(Error::Stale)?;
        let values = self.filled(asking, &sheet.fields, &submission).await;
        let context = sheet.context.clone();
        let asked = CallRequest { values, context: sheet.context, ..request_of(submit) };
        let response = self.call(asking, asked).await;
        if response.is_error() {
            return Ok(complaint(&response));
        }
        if let (CallResponse::FORM, Some(form)) = (response.kind.as_str(), &response.form) {
            let Some(answer) = self.as_buttons(asking, form, &context) else {
                return self.next(asking, form, context).await;
            };
            self.tell(asking, &context, &answer).await?;
            return Ok(json!({}));
        }
        self.tell(asking, &context, &Answer::of(response)).await?;
        Ok(json!({}))
    }

    /// What can be chosen, as the App has it for what was typed so far. Where it has nothing to say there is nothing.
    async fn look_up(
        &self,
        asking: Asking<'_>,
        sheet: &Sheet,
        mut submission: BTreeMap<String, Value>,
    ) -> Value {
        let asking = Asking { hook: None, ..asking };
        let [query, name] = ["query", "selected_field"].map(|name| taken(&mut submission, name));
        let field = sheet.fields.iter().find(|field| field.name == name);
        let Some((field, lookup)) = field.and_then(|field| Some((field, field.lookup.clone()?))) else {
            return json!({"items": []});
        };
        let values = self.filled(asking, &sheet.fields, &submission).await;
        let context = sheet.context.clone();
        let asked = CallRequest { values, context, query, selected_field: name, ..request_of(lookup) };
        let response = self.call(asking, asked).await;
        if response.is_error() {
            tracing::info!(app = %asking.app, error = response.text, "a lookup was answered with an error");
        }
        let found: Found = response.data.and_then(|data| data.to().ok()).unwrap_or_default();
        let items = found.items.unwrap_or_default();
        self.labels.remember(asking, &field.name, &items);
        json!({"items": items.iter().map(dialog::option).collect::<Vec<_>>()})
    }

    /// The form, as what was filled in so far makes it.
    async fn draw_anew(
        &self,
        asking: Asking<'_>,
        sheet: Sheet,
        mut submission: BTreeMap<String, Value>,
    ) -> Result<Value, Error> {
        let asking = Asking { hook: None, ..asking };
        let selected_field = taken(&mut submission, "selected_field");
        let source = sheet.source.ok_or(Error::Stale)?;
        let values = self.filled(asking, &sheet.fields, &submission).await;
        let (context, again) = (sheet.context.clone(), request_of(source.clone()));
        let asked = CallRequest { values: values.clone(), context: sheet.context, selected_field, ..again };
        let response = self.call(asking, asked).await;
        if response.is_error() {
            return Ok(complaint(&response));
        }
        let Some(form) = response.form.filter(|_| response.kind == CallResponse::FORM) else {
            return Ok(json!({"error": "The App did not say what the form looks like now."}));
        };
        let form = Form {
            submit: form.submit.clone().or(sheet.submit),
            source: form.source.clone().or(Some(source)),
            ..keeping(form, &values)
        };
        self.next(asking, &form, context).await
    }

    /// The next step of a form: in the same dialog where the site can, else in words.
    async fn next(&self, asking: Asking<'_>, form: &Form, context: Context) -> Result<Value, Error> {
        let version = self.site.version().await?;
        let beyond = dialog::beyond(form, version);
        if beyond.is_none() && form.submit.is_some() && version >= (11, 1) {
            return Ok(json!({"type": "form", "form": self.draw(asking, form, context, version)}));
        }
        let why = beyond.unwrap_or_else(|| {
            "The App asks for more in a second form, which this Mattermost can't show before version 11.1.".to_owned()
        });
        Ok(json!({"error": why}))
    }
}

/// A form with what was filled in already, where its App says nothing else.
fn keeping(mut form: Form, values: &BTreeMap<String, RawJson>) -> Form {
    for field in form.fields.iter_mut().filter(|field| field.value.is_none()) {
        field.value = values.get(&field.name).cloned();
    }
    form
}

/// What an App says is wrong, at the fields where it says so.
fn complaint(response: &CallResponse) -> Value {
    let fields: BTreeMap<String, BTreeMap<String, String>> =
        response.data.as_ref().and_then(|data| data.to().ok()).unwrap_or_default();
    match fields.get("errors").filter(|errors| !errors.is_empty()) {
        Some(errors) => json!({"error": response.text, "errors": errors}),
        None => json!({"error": response.text}),
    }
}

/// What Mattermost puts among what was filled in: it is no field of the form.
fn taken(submission: &mut BTreeMap<String, Value>, name: &str) -> String {
    match submission.remove(name) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    }
}
