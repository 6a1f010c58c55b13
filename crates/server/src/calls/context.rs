//! The context that every call has, whatever is expanded (apps-framework.md section 5.2).

use tessera_types::{AccessToken, AppId, Context, routes};

use super::error::{Shown, TokenError};
use super::expand::Asking;
use super::eyes::{ACT_AS_BOT, is_builtin};
use super::{Calls, ExpandError};
use crate::platform::AppToken;
use crate::{apps, audit, platform};

impl Calls {
    /// A fresh context: of the caller's own, only what section 5.2 lets through. What it holds already expanded is
    /// thrown away, and ids reach the App only as entities.
    pub(super) async fn base_context(&self, asking: &Asking<'_>) -> Result<Context, ExpandError> {
        let (app, given) = (asking.app, asking.given);
        let id = AppId::unchecked(app.manifest.app_id.as_str());
        let mut context = Context {
            user_agent: given.user_agent.clone(),
            track_as_submit: given.track_as_submit,
            mattermost_site_url: self.settings.site_url.clone(),
            developer_mode: self.settings.developer_mode,
            app_path: routes::app_path(&id),
            bot_user_id: app.bot_user_id.clone(),
            ..Context::default()
        };
        if app.is_granted(ACT_AS_BOT) && !is_builtin(app) {
            let token = self.app_token(asking, &id, &app.bot_user_id).await;
            context.bot_access_token = token.map_err(ExpandError::BotSession)?;
        }
        Ok(context)
    }

    /// The token with which an App acts as a user or as its bot; that it was handed out is on record.
    pub(super) async fn app_token(
        &self,
        asking: &Asking<'_>,
        app: &AppId,
        user: &str,
    ) -> Result<AccessToken, TokenError> {
        let token = match self.platform.app_token(app, user).await {
            Ok(AppToken::Token(token)) => token,
            Ok(AppToken::NeedsConsent { url }) => return Err(TokenError::NeedsConsent(url)),
            Ok(AppToken::Refused(reason)) => return Err(TokenError::Refused(reason)),
            Err(error) => return Err(TokenError::Platform(Shown::from(error))),
        };
        self.still_enabled(asking, app).await?;
        let entry = audit::Entry::allowed(audit::Act::TokenIssued, user, app.as_str(), asking.request);
        self.audit.record(entry).await.map_err(|error| TokenError::Platform(Shown::internal(&error)))?;
        Ok(token)
    }

    /// Where a person must agree before the App acts for them; None where nothing is needed.
    pub async fn where_to_agree(&self, app: &AppId, user: &str) -> Result<Option<String>, platform::Error> {
        self.platform.consent_url(app, user).await
    }

    /// An App may be disabled while a call to it is on its way: a token that was made after all others were ended
    /// would outlive the switch (B-28).
    async fn still_enabled(&self, asking: &Asking<'_>, app: &AppId) -> Result<(), TokenError> {
        let now = self.apps.get(app).await.map_err(|error| TokenError::Platform(Shown::from(error)))?;
        if asking.app.disabled || now.is_some_and(|now| !now.disabled) {
            return Ok(());
        }
        let ended = self.platform.revoke_app_tokens(app).await;
        ended.map_err(|error| TokenError::Platform(Shown::from(error)))?;
        Err(TokenError::Refused(apps::Error::Disabled(app.clone()).to_string()))
    }
}
