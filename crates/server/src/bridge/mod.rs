//! Apps' commands as slash commands of a Mattermost that does not draw Apps itself (C.5, C.8): what somebody typed is looked up
//! in the App's bindings, the App is called as a client would call it, and its answer becomes Mattermost's.

mod answer;
mod typed;

use std::sync::Arc;
use std::time::Duration;

use tessera_types::{AccessToken, AppId, Binding, Call, CallRequest, Context, Form, location};
use tokio::time::Instant;

use crate::apps;
use crate::calls::Calls;
use crate::platform::{self, Identity, Platform};
use crate::trail;
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
    /// Where later answers go: the last part of its address alone.
    pub hook: String,
}

/// Why a command was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It was not sent by the Mattermost that it says.
    #[error("this is no command of the site's: unauthorized")]
    NotOurs,
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
    platform: Arc<dyn Platform>,
}

impl Bridge {
    /// A bridge over these.
    pub fn new(calls: Arc<Calls>, platform: Arc<dyn Platform>) -> Self {
        Self { calls, platform }
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
        let command = self.platform.command(app, token).await?.ok_or(Error::NotOurs)?;
        let who = self.platform.named(&typed.user_id).await?.ok_or(Error::NotOurs)?;
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
            bridge.carry_out(&app, &command.word, &who, context, &typed.text, (&request, deadline)).await
        }));
        match tokio::time::timeout(SOON, &mut work).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Ok(Answer::text("Something went wrong here. The service's log has more.")),
            Err(_) => {
                let platform = Arc::clone(&self.platform);
                tokio::spawn(trail::carried(async move {
                    let answer = match work.await {
                        Ok(Ok(answer)) => answer,
                        _ => Answer::text("Something went wrong here. The service's log has more."),
                    };
                    if let Err(error) = platform.answer_later(&hook, &answer.to_json()).await {
                        tracing::warn!(%error, "a command's answer came late, and could not be told");
                    }
                }));
                Ok(Answer::text("Working on it …"))
            }
        }
    }

    async fn carry_out(
        &self,
        app: &AppId,
        word: &str,
        who: &Identity,
        context: Context,
        text: &str,
        (request, deadline): (&str, Instant),
    ) -> Result<Answer, Error> {
        let gathered = self.calls.bindings(who, &context, request, deadline).await?;
        let top = gathered.bindings.into_iter().find(|binding| binding.location == location::COMMAND);
        let own: Vec<Binding> = top.into_iter().flat_map(|top| top.bindings).collect();
        let own: Vec<Binding> = own.into_iter().filter(|binding| binding.app_id == app.as_str()).collect();
        // The App's own command, if it is called as the slash command is; else all that it has stands below that.
        let root =
            own.iter().find(|binding| binding.label == word).map_or(own.as_slice(), |one| &one.bindings);
        let direct = own.iter().find(|binding| binding.label == word && binding.bindings.is_empty());
        let (binding, rest, path) = match find(root, text, word) {
            Found::Binding { binding, rest, path } => (binding, rest, path),
            Found::Help(_) if direct.is_some() => match direct {
                Some(binding) => (binding, text, String::new()),
                None => return Ok(Answer::text("")),
            },
            Found::Help(help) => return Ok(Answer::text(help)),
        };
        let context = Context { location: format!("{}/{word}{path}", location::COMMAND), ..context };
        let form = match (&binding.form, &binding.submit) {
            (Some(form), _) => match self.whole(form, who, &context, (request, deadline)).await {
                Ok(form) => form,
                Err(answer) => return Ok(answer),
            },
            (None, submit) => Form { submit: submit.clone(), ..Form::default() },
        };
        let Some(submit) = form.submit.clone().or_else(|| binding.submit.clone()) else {
            return Ok(Answer::text("The App gave this command nothing to do."));
        };
        let values = match values(&form.fields, rest) {
            Ok(values) => values,
            Err(wrong) => return Ok(Answer::text(wrong)),
        };
        let mut asked = CallRequest { values, context, ..request_of(submit) };
        for _ in 0..DEEPEST {
            let outcome = self.calls.invoke(Some(who), asked.clone(), request, deadline).await;
            match outcome.response.call.clone().filter(|_| outcome.response.kind == "call") {
                Some(next) => asked = CallRequest { context: asked.context.clone(), ..request_of(next) },
                None => return Ok(Answer::of(outcome.response)),
            }
        }
        Ok(Answer::text("The App led from one call to the next without an end."))
    }

    /// A form with its fields: where it has a source, as the App gives it now.
    async fn whole(
        &self,
        form: &Form,
        who: &Identity,
        context: &Context,
        (request, deadline): (&str, Instant),
    ) -> Result<Form, Answer> {
        let Some(source) = form.source.clone().filter(|_| form.fields.is_empty()) else {
            return Ok(form.clone());
        };
        let asked = CallRequest { context: context.clone(), ..request_of(source) };
        let response = self.calls.invoke(Some(who), asked, request, deadline).await.response;
        match response.form.clone() {
            Some(form) => Ok(form),
            None => Err(Answer::of(response)),
        }
    }
}

fn request_of(call: Call) -> CallRequest {
    CallRequest { path: call.path, expand: call.expand, state: call.state, ..CallRequest::default() }
}
