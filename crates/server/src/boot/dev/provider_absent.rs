//! In place of `provider.rs` in a tessera that was built without a local OAuth2 provider.

use std::convert::Infallible;

use tessera_types::AppId;

use super::report::Offer;
use crate::lifecycle::Lifecycle;

/// None.
pub(super) struct Provider(Infallible);

impl Provider {
    pub(super) async fn start(_site_port: u16) -> Result<Option<Self>, std::io::Error> {
        Ok(None)
    }

    pub(super) async fn offer(
        &self,
        _lifecycle: &Lifecycle,
        _app: &AppId,
    ) -> Result<Offer, crate::grants::Error> {
        match self.0 {}
    }

    pub(super) async fn stop(self) {}
}
