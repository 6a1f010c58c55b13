//! A slash command: what was typed, carried out, and told at once or when it is there (C.5).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tessera_types::{AccessToken, AppId, CallRequest, Context, location};
use tokio::time::Instant;

use super::typed::{Found, find, values};
use super::{Answer, Asking, Bridge, Error, buttons, request_of};
use crate::trail;

/// How long Mattermost is kept waiting; what takes longer is told afterwards.
pub(super) const SOON: Duration = Duration::from_millis(2_500);
/// Ids, by the names that were written.
pub type Mentions = BTreeMap<String, String>;

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
    /// Whom the text mentions, as Mattermost found them.
    pub people: Mentions,
    /// Which public channels it mentions.
    pub places: Mentions,
    /// Where later answers go: the last part of its address alone.
    pub hook: String,
}

impl Bridge {
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
            let asking = Asking {
                app: &app,
                who: &who,
                trigger: &typed.trigger_id,
                hook: Some(&typed.hook),
                request: &request,
                deadline,
            };
            // On the heap, as every future that holds a context.
            Box::pin(bridge.carry_out(asking, &command.word, context, &typed)).await
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
        typed: &Typed,
    ) -> Result<Answer, Error> {
        let text = typed.text.as_str();
        let Asking { app, who, request, deadline, .. } = asking;
        let gathered = self.calls.bindings(who, &context, request, deadline).await?;
        let own = buttons::of_app(&gathered.bindings, location::COMMAND, app);
        // The App's own command, if it is called as the slash command is; else all that it has stands below that.
        let root = own.iter().copied().find(|binding| binding.label == word);
        let (binding, rest, path) = match root {
            Some(alone) if alone.bindings.is_empty() => (alone, text, String::new()),
            _ => match find(
                &root.map_or_else(|| own.clone(), |root| root.bindings.iter().collect()),
                text,
                word,
            ) {
                Found::Binding { binding, rest, path } => (binding, rest, path),
                Found::Help { text, asked } => {
                    let buttons = match asked {
                        true => self.buttons_of(asking, &gathered.bindings, &context),
                        false => Vec::new(),
                    };
                    return Ok(Answer::text(text).with(buttons));
                }
            },
        };
        let context = Context { location: format!("{}/{word}{path}", location::COMMAND), ..context };
        let form = match self.form_of(binding, asking, &context).await {
            Ok(form) => form,
            Err(answer) => return Ok(answer),
        };
        let Some(submit) = form.submit.clone() else {
            return Ok(Answer::text("The App gave this command nothing to do."));
        };
        match values(&form.fields, rest) {
            Ok(mut values) => {
                if let Err(wrong) = self.name_chosen(asking, &form.fields, typed, &mut values).await? {
                    return Ok(Answer::text(wrong));
                }
                let asked = CallRequest { values, context: context.clone(), ..request_of(submit) };
                let response = self.call(asking, asked).await;
                self.answer(asking, response, context).await
            }
            // Nothing was typed, and something must be: a form is easier than flags.
            Err(_) if rest.is_empty() && !form.fields.is_empty() => self.show(asking, &form, context).await,
            Err(wrong) => Ok(Answer::text(wrong)),
        }
    }
}
