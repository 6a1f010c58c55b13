//! What user agents list: Apps as a marketplace shows them, and the ids of what Apps have made on the site
//! (section 2.9).

use std::sync::Arc;

use tessera_types::{App, AppId, DeployType, Label, ListedApp, Manifest, routes};

use super::{Error, Lifecycle};

/// Which Apps are listed.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// An App's whole id, or a part of its display name or description, in any case; empty means every App.
    pub text: String,
    /// Whether Apps that run inside a plugin are listed too.
    pub include_plugins: bool,
}

fn disabled_label() -> Label {
    let (name, description) = ("Disabled".into(), "This app is disabled.".into());
    Label { name, description, ..Label::default() }
}

impl Lifecycle {
    /// The listed Apps that pass a filter, by display name in lower case.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub async fn catalogue(&self, filter: &Filter) -> Result<Vec<ListedApp>, Error> {
        let text = filter.text.trim().to_lowercase();
        let mut lines = Vec::new();
        for manifest in self.apps.manifests().await? {
            let id = AppId::unchecked(manifest.app_id.as_str());
            let app = self.apps.get(&id).await?;
            if !matches(&manifest, &text) || (!filter.include_plugins && is_plugin(&manifest, app.as_ref())) {
                continue;
            }
            let icon_url = match manifest.icon.as_str() {
                "" => String::new(),
                icon => routes::static_url(self.site_url.as_str(), &id, icon),
            };
            let disabled = app.as_ref().is_some_and(|app| app.disabled);
            lines.push(ListedApp {
                installed: app.is_some(),
                enabled: app.is_some() && !disabled,
                icon_url,
                labels: if disabled { vec![disabled_label()] } else { Vec::new() },
                manifest,
            });
        }
        lines.sort_by_cached_key(|line| line.manifest.display_name.to_lowercase());
        Ok(lines)
    }

    /// The user ids of the bots of all installed Apps, disabled ones too.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub async fn bot_ids(&self) -> Result<Vec<String>, Error> {
        let apps = self.apps.all().await?;
        Ok(apps.iter().map(|app| app.bot_user_id.clone()).filter(|id| !id.is_empty()).collect())
    }

    /// The ids of all installed Apps' clients at the site's own OAuth2 provider.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub async fn oauth_app_ids(&self) -> Result<Vec<String>, Error> {
        let apps = self.apps.all().await?;
        let ids =
            apps.iter().filter_map(|app| app.mattermost_oauth2.as_ref().map(|client| client.id.clone()));
        Ok(ids.filter(|id| !id.is_empty()).collect())
    }
}

fn matches(manifest: &Manifest, text: &str) -> bool {
    text.is_empty()
        || manifest.app_id.to_lowercase() == text
        || manifest.display_name.to_lowercase().contains(text)
        || manifest.description.to_lowercase().contains(text)
}

/// Whether an App runs inside a plugin, or could run nowhere else.
fn is_plugin(manifest: &Manifest, app: Option<&Arc<App>>) -> bool {
    match app {
        Some(app) => app.deploy_type == Some(DeployType::Plugin),
        None => {
            let others = [DeployType::Http, DeployType::AwsLambda, DeployType::OpenFaas];
            manifest.deploys_as(&DeployType::Plugin) && !others.iter().any(|other| manifest.deploys_as(other))
        }
    }
}
