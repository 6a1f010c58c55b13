//! Uninstalling (section 9.4): everything of the App goes, its listing and its deactivated bot stay.

use tessera_types::AppId;

use super::{By, Error, Lifecycle};
use crate::audit;
use crate::grants::Act;

impl Lifecycle {
    /// Uninstalls an App, unless the App itself says no.
    pub async fn uninstall(&self, id: &AppId, by: &By<'_>) -> Result<(), Error> {
        let app = self.apps.installed(id).await.map_err(|error| Error::Uninstall(id.clone(), error))?;
        match self.tell(&app, app.manifest.on_uninstall.clone(), by).await {
            Some(Err(error)) => return Err(Error::Cancelled(error.to_string())),
            Some(Ok(answer)) if answer.is_error() => return Err(Error::Cancelled(answer.text)),
            Some(Ok(_)) | None => {}
        }
        self.note(audit::Act::AppUninstalled, id, by).await?;
        let bot = app.bot_user_id.clone();
        if let Err(error) = self.remove(id, &bot, by).await {
            // Half gone is not running: what is left can be uninstalled again.
            if let Err(second) = self.set_disabled(id, true).await {
                tracing::error!(app = %id, error = %second, "could not be disabled after a failed uninstall");
            }
            return Err(error);
        }
        self.refresh(by.actor);
        self.platform.apps_changed().await;
        Ok(())
    }

    async fn remove(&self, id: &AppId, bot: &str, by: &By<'_>) -> Result<(), Error> {
        self.set_disabled(id, true).await?;
        self.platform.revoke_app_tokens(id).await?;
        self.platform.set_bot_active(bot, false).await?;
        let act = Act { actor: by.actor, app: id, request: by.request, reason: "uninstall" };
        self.grants.forget_app(&act).await?;
        Ok(self.apps.remove(id).await?)
    }
}
