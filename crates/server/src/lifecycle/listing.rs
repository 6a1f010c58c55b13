//! Listing: keeping an App's manifest, so that it can be installed (section 9.2).

use tessera_types::{AppId, Manifest, UpdateAppListing};

use super::{By, Error, FRAMEWORK_VERSION, Lifecycle};
use crate::audit;

impl Lifecycle {
    /// Lists a manifest; without `Replace`, deployments of an earlier listing are merged in. Gives the manifest as
    /// it is listed, with the schema version that the caller sent.
    pub async fn list(&self, update: UpdateAppListing, by: &By<'_>) -> Result<Manifest, Error> {
        update.manifest.validate().map_err(Error::Manifest)?;
        let id = AppId::unchecked(update.manifest.app_id.as_str());
        let manifest = match update.replace {
            true => update.manifest,
            false => {
                let before = self.apps.manifest(&id).await?;
                update.manifest.merge_deploys(before.as_ref(), &update.add_deploys, &update.remove_deploys)
            }
        };
        self.note(audit::Act::AppListed, &id, by).await?;
        let stamped = Manifest { schema_version: FRAMEWORK_VERSION.to_owned(), ..manifest.clone() };
        self.apps.list_manifest(&id, &stamped).await?;
        Ok(manifest)
    }
}
