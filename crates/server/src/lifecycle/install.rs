//! Installing: from a listed manifest to an App with a bot and a record (section 9.3).

use std::sync::Arc;

use tessera_types::{
    App, AppId, ClientSecret, DeployType, Manifest, MattermostOAuth2App, WebhookSecret, path, routes,
};

use super::{By, Error, Lifecycle};
use crate::audit;
use crate::platform::Bot;
use crate::upstream::Target;

impl Lifecycle {
    /// Installs a listed App, or installs it again over itself: secrets, credentials and connections are kept.
    pub async fn install(&self, id: &AppId, deploy: &DeployType, by: &By<'_>) -> Result<App, Error> {
        // On the heap: records are large, and every caller's future would carry several.
        Box::pin(self.try_install(id, deploy, by)).await
    }

    async fn try_install(&self, id: &AppId, deploy: &DeployType, by: &By<'_>) -> Result<App, Error> {
        let manifest = self.apps.manifest(id).await?.ok_or_else(|| Error::NotListed(id.clone()))?;
        if !manifest.deploys_as(deploy) {
            return Err(Error::NotDeployed(deploy.prose().to_owned()));
        }
        if *deploy != DeployType::Http {
            return Err(Error::NotConfigured(deploy.prose().to_owned()));
        }
        let before = self.apps.get(id).await?;
        let draft = self.draft(before.as_deref(), &manifest, deploy, by)?;
        let target = Target::of(&draft).map_err(crate::calls::CallError::NoUpstream)?;
        self.upstream.ping(&target, by.deadline).await.map_err(Error::Ping)?;
        self.check_icon(&manifest, &target, by).await?;
        self.note(audit::Act::AppInstalled, id, by).await?;
        let bot = self.platform.ensure_bot(id, &manifest.display_name).await?;
        let app = self.apps.change(id, |now| Ok(with_bot(draft.clone(), now, &bot))).await?;
        self.after_install(&app, by).await;
        self.refresh(by.actor);
        self.platform.apps_changed().await;
        self.for_administrator(id, by).await
    }

    /// The record to be: what an earlier one holds and a re-install keeps, under the new manifest.
    fn draft(
        &self,
        before: Option<&App>,
        manifest: &Manifest,
        deploy: &DeployType,
        by: &By<'_>,
    ) -> Result<App, Error> {
        let mut app = before.cloned().unwrap_or_default();
        app.manifest = manifest.clone();
        app.deploy_type = Some(deploy.clone());
        app.granted_permissions = manifest.requested_permissions.clone();
        app.granted_locations = manifest.requested_locations.clone();
        app.disabled = false;
        let by_secret = match manifest.remote_webhook_auth_type.as_str() {
            "" => true,
            "secret" => app.is_granted("remote_webhooks"),
            _ => false,
        };
        if by_secret && app.webhook_secret.is_empty() {
            app.webhook_secret = WebhookSecret::new(self.env.id()?);
        }
        if app.mattermost_oauth2.is_none() {
            app.mattermost_oauth2 = Some(self.mattermost_client(manifest, by)?);
        }
        Ok(app)
    }

    /// The client that the original registered at Mattermost's own provider; its callback has no handler.
    fn mattermost_client(&self, manifest: &Manifest, by: &By<'_>) -> Result<MattermostOAuth2App, Error> {
        let now = self.env.now_ms();
        let id = AppId::unchecked(manifest.app_id.as_str());
        let callback = format!(
            "{}{}/oauth2/mattermost/complete",
            self.site_url.as_str().trim_end_matches('/'),
            routes::app_path(&id)
        );
        Ok(MattermostOAuth2App {
            id: self.env.id()?,
            creator_id: by.actor.to_owned(),
            create_at: now,
            update_at: now,
            client_secret: ClientSecret::new(self.env.id()?),
            name: manifest.display_name.clone(),
            description: manifest.description.clone(),
            icon_url: String::new(),
            callback_urls: vec![callback],
            homepage: manifest.homepage_url.clone(),
            is_trusted: false,
            mattermost_app_id: manifest.app_id.clone(),
        })
    }

    async fn check_icon(&self, manifest: &Manifest, target: &Target, by: &By<'_>) -> Result<(), Error> {
        if manifest.icon.is_empty() {
            return Ok(());
        }
        let failed = |reason: String| Error::Icon { icon: manifest.icon.clone(), reason };
        let name = path::clean_static(&manifest.icon).map_err(|error| failed(error.to_string()))?;
        let asset = self.upstream.static_asset(target, &name, by.deadline).await;
        match asset {
            Ok(asset) if asset.status == 200 => Ok(()),
            Ok(asset) => Err(failed(format!("received status code {}", asset.status))),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// on_install, or else a first look at the bindings. Neither can undo the install.
    async fn after_install(&self, app: &Arc<App>, by: &By<'_>) {
        let outcome = match app.manifest.on_install.clone() {
            Some(call) => self.tell(app, Some(call), by).await,
            None if !app.granted_locations.is_empty() => {
                self.tell(app, Some(app.manifest.bindings_call()), by).await
            }
            None => None,
        };
        if let Some(Err(error)) = outcome {
            tracing::warn!(app = %app.manifest.app_id, %error, "installed, although the App's first call failed");
        }
    }
}

/// The draft as it is stored: with its bot, and with what changed while the App was pinged.
fn with_bot(mut app: App, now: Option<&App>, bot: &Bot) -> App {
    app.bot_user_id = bot.user_id.clone();
    app.bot_username = bot.username.clone();
    if let Some(now) = now {
        app.secret = now.secret.clone();
    }
    app
}
