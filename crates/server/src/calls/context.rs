//! The context that every call has, whatever is expanded (apps-framework.md section 5.2).

use tessera_types::{AccessToken, App, AppId, Context, routes};

use super::error::{Shown, TokenError};
use super::eyes::{ACT_AS_BOT, is_builtin};
use super::{Calls, ExpandError};
use crate::platform::AppToken;

impl Calls {
    /// A fresh context: of the caller's own, only what section 5.2 lets through. What it holds already expanded is
    /// thrown away, and ids reach the App only as entities.
    pub(super) async fn base_context(&self, app: &App, given: &Context) -> Result<Context, ExpandError> {
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
            let token = self.app_token(&id, &app.bot_user_id).await;
            context.bot_access_token = token.map_err(ExpandError::BotSession)?;
        }
        Ok(context)
    }

    /// The token with which an App acts as a user or as its bot.
    pub(super) async fn app_token(&self, app: &AppId, user: &str) -> Result<AccessToken, TokenError> {
        match self.platform.app_token(app, user).await {
            Ok(AppToken::Token(token)) => Ok(token),
            Ok(AppToken::NeedsConsent { url }) => Err(TokenError::NeedsConsent(url)),
            Ok(AppToken::Refused(reason)) => Err(TokenError::Refused(reason)),
            Err(error) => Err(TokenError::Platform(Shown::from(error))),
        }
    }
}
