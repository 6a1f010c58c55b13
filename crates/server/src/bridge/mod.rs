//! Apps' commands as slash commands of a Mattermost that does not draw Apps itself (C.5, C.8): what somebody typed is looked up
//! in the App's bindings, the App is called as a client would call it, and its answer becomes Mattermost's.

mod answer;
mod buttons;
mod command;
mod dialog;
mod filled;
mod mark;
mod mentioned;
mod pressed;
mod replayed;
mod submitted;
mod typed;

use std::sync::Arc;

use serde_json::Value;
use tessera_types::{AppId, Binding, Call, CallRequest, CallResponse, Context, Form, routes};
use tokio::time::Instant;

use crate::apps;
use crate::calls::{self, Calls};
use crate::env::Env;
use crate::platform::{self, DIALOGS, Identity, Integrations};
use crate::vault::Vault;
pub use answer::Answer;
pub use command::{Mentions, Typed};
use mark::Sheet;
pub use pressed::Pressed;
pub use replayed::Replayed;
pub use submitted::Submitted;

/// How deep a call may lead to another.
const DEEPEST: usize = 3;

/// Why a command was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It was not sent by the Mattermost that it says.
    #[error("this is no command of the site's: unauthorized")]
    NotOurs,
    /// A dialog or a button that is not ours, not for whom answers it, or was open for too long.
    #[error("this is out of date: begin again: unauthorized")]
    Stale,
    /// Apps could not be read.
    #[error(transparent)]
    Apps(#[from] apps::Error),
    /// The platform failed.
    #[error(transparent)]
    Platform(#[from] platform::Error),
    /// A call that waited could not be had.
    #[error(transparent)]
    Waiting(#[from] calls::WaitError),
}

/// The bridge.
pub struct Bridge {
    calls: Arc<Calls>,
    site: Arc<dyn Integrations>,
    vault: Arc<Vault>,
    env: Env,
    labels: filled::Labels,
}

impl Bridge {
    /// A bridge over these.
    pub fn new(calls: Arc<Calls>, site: Arc<dyn Integrations>, vault: Arc<Vault>, env: Env) -> Self {
        Self { calls, site, vault, env, labels: filled::Labels::new() }
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

    /// Opens a form as a dialog; one that is only about which button, as a message with those.
    async fn show(&self, asking: Asking<'_>, form: &Form, context: Context) -> Result<Answer, Error> {
        let version = self.site.version().await?;
        if let Some(why) = dialog::beyond(form, version) {
            return Ok(Answer::text(why));
        }
        if form.submit.is_none() {
            return Ok(Answer::text("The App's form has nothing that it could be sent to."));
        }
        if let Some(answer) = self.as_buttons(asking, form, &context) {
            return Ok(answer);
        }
        let path = path_of(DIALOGS, asking.app);
        let dialog = self.draw(asking, form, context, version);
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
            let outcome = self
                .calls
                .invoke_from(Some(asking.who), asked.clone(), asking.hook, asking.request, asking.deadline)
                .await;
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
            // What may be drawn anew is asked where it came from, unless it says otherwise.
            Some(whole) => Ok(Form { source: whole.source.clone().or_else(|| form.source.clone()), ..whole }),
            None => Err(Answer::of(response)),
        }
    }

    /// What a binding asks for before its App is called.
    async fn form_of(
        &self,
        binding: &Binding,
        asking: Asking<'_>,
        context: &Context,
    ) -> Result<Form, Answer> {
        let form = match &binding.form {
            Some(form) => Box::pin(self.whole(form, asking, context)).await?,
            None => Form::default(),
        };
        Ok(Form { submit: form.submit.clone().or_else(|| binding.submit.clone()), ..form })
    }

    /// Tells somebody alone what something came to, unless there is nothing to be said.
    async fn tell(&self, asking: Asking<'_>, context: &Context, answer: &Answer) -> Result<(), Error> {
        if !answer.is_silent() {
            let (user, channel) = (&asking.who.user_id, &context.channel_id);
            self.site.say_to(user, channel, &answer.said(), answer.buttons()).await?;
        }
        Ok(())
    }

    /// A form as a dialog of this version, marked for whom it is shown to.
    fn draw(&self, asking: Asking<'_>, form: &Form, context: Context, version: (u32, u32)) -> Value {
        let state = self.mark(mark::Kind::Dialog, asking.app, &asking.who.user_id, &Sheet::of(form, context));
        let url = self.site.address(&path_of(DIALOGS, asking.app));
        dialog::dialog(form, dialog::Ends { state: &state, url: &url }, version)
    }
}

/// Where Mattermost sends something of this App's, below the site.
fn path_of(route: &str, app: &AppId) -> String {
    format!("{}{route}/{app}", routes::PLUGIN_PATH)
}

/// For whom an App is called, and until when.
#[derive(Clone, Copy)]
struct Asking<'a> {
    app: &'a AppId,
    who: &'a Identity,
    /// With what a dialog can be opened; empty where none can.
    trigger: &'a str,
    /// Where later answers go, of a call that is to wait for its person to agree where that is needed; None for one that
    /// is not.
    hook: Option<&'a str>,
    request: &'a str,
    deadline: Instant,
}

fn request_of(call: Call) -> CallRequest {
    CallRequest { path: call.path, expand: call.expand, state: call.state, ..CallRequest::default() }
}
