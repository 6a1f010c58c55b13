//! Fills a context as a call's `expand` asks (apps-framework.md section 6).

use tessera_types::{App, AppId, Context, Expand};

use super::error::TokenError;
use super::eyes::eyes;
use super::plan::{Field, Step, plan};
use super::{Calls, Cause, ExpandError, consistency};
use crate::platform::Eyes;

/// For whom, and from what, a context is filled.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    /// The App that will see it.
    pub(super) app: &'a App,
    /// The acting user, if any.
    pub(super) acting: Option<&'a str>,
    /// What the initiator gave: ids above all. Never changed.
    pub(super) given: &'a Context,
    /// What the App will be called with: the path, for who asks what a record was last used for.
    pub(super) path: &'a str,
    /// The request's id, for the audit log.
    pub(super) request: &'a str,
    /// Whether somebody waits for the answer who can be sent to agree to something first.
    pub(super) asks: bool,
}

/// A context that is being filled.
pub(super) struct Expansion<'a> {
    pub(super) calls: &'a Calls,
    pub(super) asking: Asking<'a>,
    pub(super) app_id: AppId,
    pub(super) eyes: Eyes<'a>,
    pub(super) context: Context,
}

impl Calls {
    /// The context that the App will see. Whether the App is enabled was for the initiator to check: the life
    /// cycle calls disabled Apps too (B-57).
    ///
    /// # Errors
    /// When a required field stays empty, or what was found does not fit together.
    pub(super) async fn expand(
        &self,
        asking: Asking<'_>,
        expand: Option<&Expand>,
    ) -> Result<Context, ExpandError> {
        let steps = plan(expand)?;
        let context = self.base_context(&asking).await?;
        if steps.is_empty() {
            return Ok(context);
        }
        let app_id = AppId::unchecked(asking.app.manifest.app_id.as_str());
        let eyes = eyes(asking.app, asking.acting)?;
        let mut expansion = Expansion { calls: self, asking, app_id, eyes, context };
        for step in steps {
            expansion.take(step).await?;
        }
        consistency::check(&expansion.context, asking.given, asking.acting)?;
        Ok(expansion.context)
    }
}

impl Expansion<'_> {
    /// Fills one field. One that is not required may stay empty.
    async fn take(&mut self, step: Step) -> Result<(), ExpandError> {
        let field = step.field.name();
        match self.fill(step).await {
            Ok(()) => Ok(()),
            // Not what the App can do without, as it never had to: the person says yes once.
            Err(Cause::Session(TokenError::NeedsConsent(url))) if self.asking.asks => {
                Err(ExpandError::NeedsConsent(url))
            }
            Err(cause) if step.required => Err(ExpandError::Required { field, cause }),
            Err(cause) => {
                tracing::debug!(app = %self.app_id, field, %cause, "left out of a context");
                Ok(())
            }
        }
    }

    async fn fill(&mut self, Step { field, level, .. }: Step) -> Result<(), Cause> {
        match field {
            Field::ActingUserAccessToken => self.acting_user_access_token().await,
            Field::ActingUser => self.acting_user(level).await,
            Field::App => self.app(level).await,
            Field::ChannelMember => self.channel_member(level).await,
            Field::Channel => self.channel(level).await,
            Field::Locale => {
                self.locale().await;
                Ok(())
            }
            Field::OAuth2App => self.oauth2_app().await,
            Field::OAuth2User => self.oauth2_user().await,
            Field::Post => self.post(level).await,
            Field::RootPost => self.root_post(level).await,
            Field::TeamMember => self.team_member(level).await,
            Field::Team => self.team(level).await,
            Field::User => self.user(level).await,
        }
    }
}
