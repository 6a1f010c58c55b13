//! What user agents are shown of Apps beside their bindings: the list to choose from, and static assets
//! (apps-framework.md sections 2.9, 2.16 and 11.5).

use serde::Serialize;
use tessera_types::{App, AppId, DeployType, Manifest, path, routes};

use super::{By, Error, Lifecycle};
use crate::upstream::{Asset, Target};

/// A line of the marketplace (R24).
#[derive(Debug, Serialize)]
pub struct Listed {
    manifest: Manifest,
    installed: bool,
    enabled: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    icon_url: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    labels: Vec<Label>,
}

/// What is to be known of a listed App at a glance.
#[derive(Debug, Serialize)]
struct Label {
    name: &'static str,
    description: &'static str,
    url: &'static str,
    color: &'static str,
}

/// An App that an administrator switched off.
const DISABLED: Label = Label { name: "Disabled", description: "This app is disabled.", url: "", color: "" };

impl Lifecycle {
    /// The listed Apps that `filter` finds, by display name. Those that run as plugins are left out unless they are
    /// asked for.
    pub async fn marketplace(&self, filter: &str, plugins: bool) -> Result<Vec<Listed>, Error> {
        let filter = filter.trim().to_lowercase();
        let mut lines = Vec::new();
        for manifest in self.apps.manifests().await? {
            let app = self.apps.get(&AppId::unchecked(manifest.app_id.as_str())).await?;
            if found(&manifest, &filter) && (plugins || !is_plugin(&manifest, app.as_deref())) {
                lines.push(self.line(manifest, app.as_deref()));
            }
        }
        lines.sort_by_cached_key(|line| line.manifest.display_name.to_lowercase());
        Ok(lines)
    }

    fn line(&self, manifest: Manifest, app: Option<&App>) -> Listed {
        let id = AppId::unchecked(manifest.app_id.as_str());
        let icon = Some(&manifest.icon).filter(|icon| !icon.is_empty());
        let icon = icon.and_then(|icon| path::clean_static(icon).ok());
        let disabled = app.is_some_and(|app| app.disabled);
        Listed {
            installed: app.is_some(),
            enabled: app.is_some() && !disabled,
            icon_url: icon
                .map(|icon| routes::static_url(self.site_url.as_str(), &id, &icon))
                .unwrap_or_default(),
            labels: if disabled { vec![DISABLED] } else { Vec::new() },
            manifest,
        }
    }

    /// A static asset of an App, whatever the App's status; disabled Apps have them too. The name is a cleaned one.
    pub async fn asset(&self, id: &AppId, name: &str, by: &By<'_>) -> Result<Asset, Error> {
        let app = self.apps.installed(id).await?;
        let target = Target::of(&app).map_err(|error| Error::NotConfigured(error.to_string()))?;
        let asset = self.upstream.static_asset(&target, name, by.deadline).await;
        asset.map_err(|error| Error::Asset { url: format!("{}/static/{name}", target.root_url()), error })
    }
}

/// Whether a filter, in lower case, means this App.
fn found(manifest: &Manifest, filter: &str) -> bool {
    manifest.app_id.to_lowercase() == filter
        || manifest.display_name.to_lowercase().contains(filter)
        || manifest.description.to_lowercase().contains(filter)
}

/// Installed as a plugin, or not installed and nothing else.
fn is_plugin(manifest: &Manifest, app: Option<&App>) -> bool {
    match app {
        Some(app) => app.deploy_type == Some(DeployType::Plugin),
        None => {
            manifest.plugin.is_some()
                && ![DeployType::Http, DeployType::AwsLambda, DeployType::OpenFaas]
                    .iter()
                    .any(|deploy| manifest.deploys_as(deploy))
        }
    }
}
