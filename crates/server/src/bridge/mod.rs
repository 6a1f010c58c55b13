//! Apps' commands as slash commands of a Mattermost that does not draw Apps itself (C.5, C.8): what somebody typed is looked up
//! in the App's bindings, the App is called as a client would call it, and its answer becomes Mattermost's.

mod answer;
mod dialog;
mod mark;
mod typed;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tessera_types::{
    AccessToken, AppId, Binding, Call, CallRequest, CallResponse, Context, Form, location, routes,
};
use tokio::time::Instant;

use crate::apps;
use crate::calls::Calls;
use crate::env::Env;
use crate::platform::{self, DIALOGS, Identity, Integrations};
use crate::trail;
use crate::vault::Vault;
pub use answer::Answer;
use typed::{Found, find, values};

/// How long Mattermost is kept waiting; what takes longer is told afterwards.
const SOON: Duration = Duration::from_millis(2_500);
/// How deep a call may lead to another.
const DEEPEST: usize = 3;

/// What Mattermost sends of a command (C.5).
#[derive(Debug, Clone, Default)]
pub struct Typed {
    /// Who.
    pub user_id: String,
    /// Where.
    pub channel_id: String,
    /// In which team.
    pub team_id: String,
    /// In reply to what.
    pub root_id: String,
    /// What stood behind the command.
    pub text: String,
    /// With what a dialog can be opened, for a moment.
    pub trigger_id: String,
    /// Where later answers go: the last part of its address alone.
    pub hook: String,
}

/// Why a command was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It was not sent by the Mattermost that it says.
    #[error("this is no command of the site's: unauthorized")]
    NotOurs,
    /// A dialog that is not ours, not for whom answers it, or was open for too long.
    #[error("this form is out of date: begin again: unauthorized")]
    Stale,
    /// Apps could not be read.
    #[error(transparent)]
    Apps(#[from] apps::Error),
    /// The platform failed.
    #[error(transparent)]
    Platform(#[from] platform::Error),
}

/// The bridge.
pub struct Bridge {
    calls: Arc<Calls>,
    site: Arc<dyn Integrations>,
    vault: Arc<Vault>,
    env: Env,
}

impl Bridge {
    /// A bridge over these.
    pub fn new(calls: Arc<Calls>, site: Arc<dyn Integrations>, vault: Arc<Vault>, env: Env) -> Self {
        Self { calls, site, vault, env }
    }

    /// Carries a command out for whom Mattermost says typed it, which is believed for the token's sake alone.
    ///
    /// # Errors
    /// [`Error::NotOurs`] for every token but that of a command of this App.
    pub async fn command(
        self: &Arc<Self>,
        app: &AppId,
        token: &AccessToken,
        typed: Typed,
        request: &str,
        deadline: Instant,
    ) -> Result<Answer, Error> {
        let command = self.site.command(app, token).await?.ok_or(Error::NotOurs)?;
        let who = self.site.named(&typed.user_id).await?.ok_or(Error::NotOurs)?;
        if self.calls.take(&who).is_err() {
            return Ok(Answer::text(
                "You call Apps more often than this site allows. Wait a little, then try again.",
            ));
        }
        let (bridge, app, request) = (Arc::clone(self), app.clone(), request.to_owned());
        let hook = typed.hook.clone();
        let mut work = tokio::spawn(trail::carried(async move {
            let context = Context {
                app_id: app.to_string(),
                team_id: typed.team_id.clone(),
                channel_id: typed.channel_id.clone(),
                root_post_id: typed.root_id.clone(),
                user_agent: "webapp".to_owned(),
                ..Context::default()
            };
            let asking =
                Asking { app: &app, who: &who, trigger: &typed.trigger_id, request: &request, deadline };
            // On the heap, as every future that holds a context.
            Box::pin(bridge.carry_out(asking, &command.word, context, &typed.text)).await
        }));
        match tokio::time::timeout(SOON, &mut work).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Ok(Answer::text("Something went wrong here. The service's log has more.")),
            Err(_) => {
                let site = Arc::clone(&self.site);
                tokio::spawn(trail::carried(async move {
                    let answer = match work.await {
                        Ok(Ok(answer)) => answer,
                        _ => Answer::text("Something went wrong here. The service's log has more."),
                    };
                    if let Err(error) = site.answer_later(&hook, &answer.to_json()).await {
                        tracing::warn!(%error, "a command's answer came late, and could not be told");
                    }
                }));
                Ok(Answer::text("Working on it …"))
            }
        }
    }

    async fn carry_out(
        &self,
        asking: Asking<'_>,
        word: &str,
        context: Context,
        text: &str,
    ) -> Result<Answer, Error> {
        let Asking { app, who, request, deadline, .. } = asking;
        let gathered = self.calls.bindings(who, &context, request, deadline).await?;
        let top = gathered.bindings.into_iter().find(|binding| binding.location == location::COMMAND);
        let own: Vec<Binding> = top.into_iter().flat_map(|top| top.bindings).collect();
        let own: Vec<Binding> = own.into_iter().filter(|binding| binding.app_id == app.as_str()).collect();
        // The App's own command, if it is called as the slash command is; else all that it has stands below that.
        let root = own.iter().find(|binding| binding.label == word);
        let (binding, rest, path) = match root {
            Some(alone) if alone.bindings.is_empty() => (alone, text, String::new()),
            _ => match find(root.map_or(own.as_slice(), |root| &root.bindings), text, word) {
                Found::Binding { binding, rest, path } => (binding, rest, path),
                Found::Help(help) => return Ok(Answer::text(help)),
            },
        };
        let context = Context { location: format!("{}/{word}{path}", location::COMMAND), ..context };
        let form = match (&binding.form, &binding.submit) {
            (Some(form), _) => match Box::pin(self.whole(form, asking, &context)).await {
                Ok(form) => form,
                Err(answer) => return Ok(answer),
            },
            (None, submit) => Form { submit: submit.clone(), ..Form::default() },
        };
        let form = Form { submit: form.submit.clone().or_else(|| binding.submit.clone()), ..form };
        let Some(submit) = form.submit.clone() else {
            return Ok(Answer::text("The App gave this command nothing to do."));
        };
        match values(&form.fields, rest) {
            Ok(values) => {
                let asked = CallRequest { values, context: context.clone(), ..request_of(submit) };
                let response = self.call(asking, asked).await;
                self.answer(asking, response, context).await
            }
            // Nothing was typed, and something must be: a form is easier than flags.
            Err(_) if rest.is_empty() && !form.fields.is_empty() => self.show(asking, &form, context).await,
            Err(wrong) => Ok(Answer::text(wrong)),
        }
    }

    /// Carries out what somebody filled in. Gives what Mattermost makes of the dialog.
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
        let marked = self.marked(app, &submitted.user_id, &submitted.state).ok_or(Error::Stale)?;
        if submitted.cancelled {
            return Ok(json!({}));
        }
        let who = self.site.named(&submitted.user_id).await?.ok_or(Error::Stale)?;
        if self.calls.take(&who).is_err() {
            return Ok(
                json!({"error": "You call Apps more often than this site allows. Wait a little, then try again."}),
            );
        }
        let asking = Asking { app, who: &who, trigger: "", request, deadline };
        let context = marked.context.clone();
        let values = dialog::values(&marked.fields, &submitted.submission);
        let response = self
            .call(asking, CallRequest { values, context: marked.context, ..request_of(marked.submit) })
            .await;
        if response.is_error() {
            let fields: BTreeMap<String, BTreeMap<String, String>> =
                response.data.as_ref().and_then(|data| data.to().ok()).unwrap_or_default();
            let errors = fields.get("errors").filter(|errors| !errors.is_empty());
            return Ok(match errors {
                Some(errors) => json!({"error": response.text, "errors": errors}),
                None => json!({"error": response.text}),
            });
        }
        if let (CallResponse::FORM, Some(form)) = (response.kind.as_str(), &response.form) {
            return self.next(asking, form, context).await;
        }
        let answer = Answer::of(response);
        if !answer.is_silent() {
            self.site.say_to(&who.user_id, &context.channel_id, &answer.said()).await?;
        }
        Ok(json!({}))
    }

    /// The next step of a form: in the same dialog where the site can, else in words.
    async fn next(&self, asking: Asking<'_>, form: &Form, context: Context) -> Result<Value, Error> {
        let version = self.site.version().await?;
        let (beyond, submit) = (dialog::beyond(form, version), form.submit.clone());
        if let (None, Some(submit), true) = (&beyond, submit, version >= (11, 1)) {
            let state = self.mark(asking.app, &asking.who.user_id, submit, &form.fields, context);
            return Ok(json!({"type": "form", "form": dialog::dialog(form, &state, version)}));
        }
        let why = beyond.unwrap_or_else(|| {
            "The App asks for more in a second form, which this Mattermost can't show before version 11.1.".to_owned()
        });
        Ok(json!({"error": why}))
    }

    /// An App's answer to a command: in words, or as a dialog.
    async fn answer(
        &self,
        asking: Asking<'_>,
        response: CallResponse,
        context: Context,
    ) -> Result<Answer, Error> {
        match (response.kind.as_str(), &response.form) {
            (CallResponse::FORM, Some(form)) => self.show(asking, form, context).await,
            _ => Ok(Answer::of(response)),
        }
    }

    /// Opens a form as a dialog.
    async fn show(&self, asking: Asking<'_>, form: &Form, context: Context) -> Result<Answer, Error> {
        let version = self.site.version().await?;
        if let Some(why) = dialog::beyond(form, version) {
            return Ok(Answer::text(why));
        }
        let Some(submit) = form.submit.clone() else {
            return Ok(Answer::text("The App's form has nothing that it could be sent to."));
        };
        let state = self.mark(asking.app, &asking.who.user_id, submit, &form.fields, context);
        let path = format!("{}{DIALOGS}/{}", routes::PLUGIN_PATH, asking.app);
        let dialog = dialog::dialog(form, &state, version);
        match self.site.open_dialog(asking.trigger, &path, &dialog).await {
            Ok(()) => Ok(Answer::text("")),
            Err(error @ platform::Error::Site { .. }) => {
                tracing::warn!(app = %asking.app, %error, "a form could not be shown as a dialog");
                Ok(Answer::text("The App's form could not be shown: it took too long to come. Try again."))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Calls the App, and what it leads on to.
    async fn call(&self, asking: Asking<'_>, mut asked: CallRequest) -> CallResponse {
        for _ in 0..DEEPEST {
            let outcome =
                self.calls.invoke(Some(asking.who), asked.clone(), asking.request, asking.deadline).await;
            match outcome.response.call.clone().filter(|_| outcome.response.kind == "call") {
                Some(next) => asked = CallRequest { context: asked.context.clone(), ..request_of(next) },
                None => return outcome.response,
            }
        }
        CallResponse::error("The App led from one call to the next without an end.")
    }

    /// A form with its fields: where it has a source, as the App gives it now.
    async fn whole(&self, form: &Form, asking: Asking<'_>, context: &Context) -> Result<Form, Answer> {
        let Some(source) = form.source.clone().filter(|_| form.fields.is_empty()) else {
            return Ok(form.clone());
        };
        let response =
            self.call(asking, CallRequest { context: context.clone(), ..request_of(source) }).await;
        match response.form.clone() {
            Some(form) => Ok(form),
            None => Err(Answer::of(response)),
        }
    }
}

/// For whom an App is called, and until when.
#[derive(Clone, Copy)]
struct Asking<'a> {
    app: &'a AppId,
    who: &'a Identity,
    /// With what a dialog can be opened; empty where none can.
    trigger: &'a str,
    request: &'a str,
    deadline: Instant,
}

/// What Mattermost sends of a dialog (C.7).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Submitted {
    /// Who, as it says.
    pub user_id: String,
    /// What we gave along.
    pub state: String,
    /// What was filled in.
    pub submission: BTreeMap<String, Value>,
    /// Whether it was closed instead.
    pub cancelled: bool,
}

fn request_of(call: Call) -> CallRequest {
    CallRequest { path: call.path, expand: call.expand, state: call.state, ..CallRequest::default() }
}
