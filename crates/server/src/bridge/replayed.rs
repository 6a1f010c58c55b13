//! A call that waited until its person agreed that the App acts for them: made once, when they come back, and told where it
//! was asked.

use std::sync::Arc;

use tessera_types::{AppId, CallRequest, CallResponse, Context};
use tokio::time::Instant;

use super::command::SOON;
use super::{Answer, Asking, Bridge, Error};
use crate::platform::{By, Identity};
use crate::trail;

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replayed {
    /// Nothing waited: it was made already, it was too long ago, or there never was any.
    Nothing,
    /// It was made, and its answer stands where it was asked.
    Told,
    /// It was made, and this is its answer, which stands nowhere else; empty where the App said nothing.
    Said(String),
    /// It is being made, and its answer will stand where it was asked.
    UnderWay,
    /// It went wrong here.
    Failed,
}

impl Bridge {
    /// Makes the call that this person asked for before they agreed. It is out of our hands before it is made: nothing makes
    /// it twice.
    ///
    /// # Errors
    /// Where it could not be looked for.
    pub async fn replay(
        self: &Arc<Self>,
        app: &AppId,
        who: &Identity,
        ticket: &str,
        request: &str,
        deadline: Instant,
    ) -> Result<Replayed, Error> {
        let Some(kept) = self.calls.take_back(app, &who.user_id, ticket).await? else {
            return Ok(Replayed::Nothing);
        };
        let (bridge, app, who, request) = (Arc::clone(self), app.clone(), who.clone(), request.to_owned());
        // A closed tab does not cancel it.
        let work = tokio::spawn(trail::carried(async move {
            let asking =
                Asking { app: &app, who: &who, trigger: "", hook: None, request: &request, deadline };
            Box::pin(bridge.make_and_tell(asking, kept.request, &kept.hook)).await
        }));
        match tokio::time::timeout(SOON, work).await {
            Ok(Ok(Ok(replayed))) => Ok(replayed),
            Ok(Ok(Err(error))) => {
                tracing::warn!(%error, "what came of a call that waited could not be told");
                Ok(Replayed::Failed)
            }
            Ok(Err(_)) => Ok(Replayed::Failed),
            Err(_) => Ok(Replayed::UnderWay),
        }
    }

    /// Forgets what this person asked for: they did not agree.
    ///
    /// # Errors
    /// Where it could not be looked for.
    pub async fn forget(&self, app: &AppId, user: &str, ticket: &str) -> Result<(), Error> {
        self.calls.take_back(app, user, ticket).await?;
        Ok(())
    }

    async fn make_and_tell(
        &self,
        asking: Asking<'_>,
        asked: CallRequest,
        hook: &str,
    ) -> Result<Replayed, Error> {
        let context = asked.context.clone();
        let response = self.call(asking, asked).await;
        let answer = match response.form.clone().filter(|_| response.kind == CallResponse::FORM) {
            Some(form) => {
                let buttons = self.as_buttons(asking, &form, &context);
                buttons.unwrap_or_else(|| self.as_button(asking, form, context.clone()))
            }
            None => Answer::of(response),
        };
        if answer.is_silent() {
            return Ok(Replayed::Said(String::new()));
        }
        if !hook.is_empty() {
            match self.site.answer_later(hook, &answer.in_words().to_json()).await {
                Ok(()) => return Ok(Replayed::Told),
                Err(error) => tracing::debug!(%error, "a command takes no more answers: its channel does"),
            }
        }
        if !self.is_seen(asking, &context).await? {
            return Ok(Replayed::Said(answer.said()));
        }
        self.tell(asking, &context, &answer).await?;
        Ok(Replayed::Told)
    }

    /// Whether a call names a channel that its person sees: a client may name any.
    async fn is_seen(&self, asking: Asking<'_>, context: &Context) -> Result<bool, Error> {
        let channel = By::Id(&context.channel_id);
        Ok(self.site.place(&asking.who.user_id, "", channel).await?.is_some())
    }
}
