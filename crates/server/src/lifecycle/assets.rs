//! Static assets of Apps (sections 2.16 and 7.6).

use tessera_types::{AppId, path};
use tokio::time::Instant;

use super::{Error, Lifecycle};
use crate::upstream::{Asset, Target};

impl Lifecycle {
    /// Fetches a static asset of an installed App, a disabled one too: status and body are the App's.
    ///
    /// # Errors
    /// When the name is none or leaves the static folder, the App is not installed, or there is no reply.
    pub async fn static_asset(&self, id: &AppId, name: &str, deadline: Instant) -> Result<Asset, Error> {
        let name = path::clean_static(name).map_err(Error::StaticName)?;
        let app = self.apps.installed(id).await?;
        let target = Target::of(&app).map_err(crate::calls::CallError::NoUpstream)?;
        Box::pin(self.upstream.static_asset(&target, &name, deadline)).await.map_err(Error::Static)
    }
}
