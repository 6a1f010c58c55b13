//! A button that somebody pressed (C.6).

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use tessera_types::{AppId, CallRequest};
use tokio::time::Instant;

use super::buttons::{self, Button, Does, Submit};
use super::command::SOON;
use super::mark::Kind;
use super::typed::values;
use super::{Answer, Asking, Bridge, Error, request_of};
use crate::trail;

/// What Mattermost sends of one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Pressed {
    /// Who, as it says.
    pub user_id: String,
    /// Where.
    pub channel_id: String,
    /// With what a dialog can be opened, for a moment.
    pub trigger_id: String,
    /// What we gave along.
    pub context: Carried,
}

/// What a button carries of ours.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Carried {
    /// Our mark.
    pub tessera: String,
}

/// What a press came to, and what the message says from then on; None where it stays as it is.
type Came = (Answer, Option<String>);

impl Bridge {
    /// Does what a button is for, for whom it was shown to. Gives what Mattermost makes of the message.
    ///
    /// # Errors
    /// [`Error::Stale`] for everything that is not marked by us, for whom it was sent by, there, a short while ago.
    pub async fn press(
        self: &Arc<Self>,
        app: &AppId,
        pressed: Pressed,
        request: &str,
        deadline: Instant,
    ) -> Result<Value, Error> {
        let Pressed { user_id, channel_id, trigger_id, context } = pressed;
        let button: Option<Button> = self.marked(Kind::Button, app, &user_id, &context.tessera);
        let button = button.filter(|button| button.context.channel_id == channel_id).ok_or(Error::Stale)?;
        let who = self.site.named(&user_id).await?.ok_or(Error::Stale)?;
        if self.calls.take(&who).is_err() {
            let text = "You call Apps more often than this site allows. Wait a little, then try again.";
            return Ok(json!({"ephemeral_text": text}));
        }
        let (bridge, app, request) = (Arc::clone(self), app.clone(), request.to_owned());
        let (late, reader, channel) = (Arc::clone(&self.site), user_id, channel_id.clone());
        let mut work = tokio::spawn(trail::carried(async move {
            let asking = Asking {
                app: &app,
                who: &who,
                trigger: &trigger_id,
                hook: Some(""),
                request: &request,
                deadline,
            };
            // On the heap, as every future that holds a context.
            let (answer, instead) = Box::pin(bridge.do_it(asking, button)).await?;
            // A press is answered in words alone: what has buttons of its own is said as a message.
            if answer.buttons().is_empty() {
                return Ok::<Came, Error>((answer, instead));
            }
            let place = (&asking.who.user_id, &channel_id);
            bridge.site.say_to(place.0, place.1, &answer.said(), answer.buttons()).await?;
            Ok((Answer::default(), instead))
        }));
        let wrong = || Answer::text("Something went wrong here. The service's log has more.");
        match tokio::time::timeout(SOON, &mut work).await {
            Ok(Ok(came)) => {
                let (answer, instead) = came?;
                let mut said = json!({"ephemeral_text": answer.said(), "skip_slack_parsing": true});
                if let Some(instead) = instead {
                    said["update"] = json!({"message": instead, "props": {}});
                }
                Ok(said)
            }
            Ok(Err(_)) => Ok(json!({"ephemeral_text": wrong().said()})),
            Err(_) => {
                tokio::spawn(trail::carried(async move {
                    let answer = match work.await {
                        Ok(Ok((answer, _))) => answer,
                        _ => wrong(),
                    };
                    if !answer.is_silent()
                        && let Err(error) = late.say_to(&reader, &channel, &answer.said(), &[]).await
                    {
                        tracing::warn!(%error, "what a button did came late, and could not be told");
                    }
                }));
                Ok(json!({"ephemeral_text": "Working on it …"}))
            }
        }
    }

    async fn do_it(&self, asking: Asking<'_>, button: Button) -> Result<Came, Error> {
        let Button { does, context } = button;
        match does {
            Does::Form(form) => Ok((self.show(asking, &form, context).await?, None)),
            Does::Submit(submit) => {
                let Submit { call, values, said } = *submit;
                let asked = CallRequest { values, context: context.clone(), ..request_of(call) };
                let response = self.call(asking, asked).await;
                // What failed may be tried again.
                let instead = (!response.is_error()).then_some(said);
                Ok((self.answer(asking, response, context).await?, instead))
            }
            Does::Binding => {
                let Asking { app, who, request, deadline, .. } = asking;
                let gathered = self.calls.bindings(who, &context, request, deadline).await?;
                let Some(binding) = buttons::at(&gathered.bindings, &context.location, app) else {
                    return Ok((Answer::text("The App does not offer this any more."), None));
                };
                let form = match self.form_of(binding, asking, &context).await {
                    Ok(form) => form,
                    Err(answer) => return Ok((answer, None)),
                };
                let is_command = context.location.starts_with(tessera_types::location::COMMAND);
                let asks = form.fields.iter().any(|field| field.kind != "markdown");
                // A command does what its name alone would do; elsewhere a form is there to be filled in.
                let values = match values(&form.fields, "") {
                    Ok(values) if is_command || !asks => values,
                    _ => return Ok((self.show(asking, &form, context).await?, None)),
                };
                let Some(submit) = form.submit.clone() else {
                    return Ok((Answer::text("The App gave this button nothing to do."), None));
                };
                let asked = CallRequest { values, context: context.clone(), ..request_of(submit) };
                let response = self.call(asking, asked).await;
                Ok((self.answer(asking, response, context).await?, None))
            }
        }
    }
}
