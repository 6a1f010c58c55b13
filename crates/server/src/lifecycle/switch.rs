//! Enabling and disabling (section 9.4).

use std::sync::Arc;

use tessera_types::{App, AppId, CallResponse};

use super::{By, Error, Lifecycle};
use crate::audit;
use crate::calls::CallError;

impl Lifecycle {
    /// Enables an App. Gives the text for the person.
    pub async fn enable(&self, id: &AppId, by: &By<'_>) -> Result<String, Error> {
        let app = self.apps.installed(id).await.map_err(|error| Error::Switch(id.clone(), error))?;
        let name = app.manifest.display_name.clone();
        if !app.disabled {
            return Ok(format!("{name} is already enabled"));
        }
        self.note(audit::Act::AppEnabled, id, by).await?;
        let bot = &app.bot_user_id;
        self.platform.set_bot_active(bot, true).await.map_err(|error| Error::EnableBot(id.clone(), error))?;
        let app = self.set_disabled(id, false).await?;
        let answer = self.tell(&app, app.manifest.on_enable.clone(), by).await;
        self.refresh(by.actor);
        self.platform.apps_changed().await;
        Ok(text_of(answer, id).unwrap_or_else(|| format!("Enabled {name}")))
    }

    /// Disables an App: its tokens end at once, what it stored is kept. Gives the text for the person.
    pub async fn disable(&self, id: &AppId, by: &By<'_>) -> Result<String, Error> {
        let app = self.apps.installed(id).await.map_err(|error| Error::Switch(id.clone(), error))?;
        if app.disabled {
            return Ok("Already disabled".to_owned());
        }
        self.note(audit::Act::AppDisabled, id, by).await?;
        let answer = self.tell(&app, app.manifest.on_disable.clone(), by).await;
        self.platform
            .set_bot_active(&app.bot_user_id, false)
            .await
            .map_err(|error| Error::DisableBot(id.clone(), error))?;
        // The flag first: no token can be made for a disabled App, and those made before end here.
        self.set_disabled(id, true).await?;
        self.platform.revoke_app_tokens(id).await?;
        self.refresh(by.actor);
        self.platform.apps_changed().await;
        Ok(text_of(answer, id).unwrap_or_else(|| format!("Disabled {}", app.manifest.display_name)))
    }

    pub(super) async fn set_disabled(&self, id: &AppId, disabled: bool) -> Result<Arc<App>, Error> {
        let changed = self.apps.change(id, |now| {
            let now = now.ok_or_else(|| crate::apps::Error::NotInstalled(id.clone()))?;
            Ok(App { disabled, ..now.clone() })
        });
        Ok(changed.await?)
    }
}

/// The App's own words, if it had any; its errors do not stop the switch.
fn text_of(answer: Option<Result<CallResponse, CallError>>, id: &AppId) -> Option<String> {
    match answer? {
        Ok(response) if response.is_error() => {
            tracing::warn!(app = %id, "the App's own handler of the switch answered an error");
            None
        }
        Ok(response) => Some(response.text).filter(|text| !text.is_empty()),
        Err(error) => {
            tracing::warn!(app = %id, %error, "the App's own handler of the switch failed");
            None
        }
    }
}
