//! A code of the site's own provider that says who somebody is: its token is used at once, and kept nowhere.

use tessera_types::AccessToken;

use super::super::{Act, Error};
use super::Managed;
use super::consent::Returned;
use crate::providers::Verifier;

impl Managed {
    /// Swaps the code. What else came with the token is dropped.
    pub(in crate::grants) async fn swap_once(
        &self,
        act: &Act<'_>,
        returned: Returned<'_>,
    ) -> Result<AccessToken, Error> {
        let (setup, flow) = self.returning(act, &returned).await?;
        let verifier = Verifier::of(AccessToken::new(flow.verifier));
        Ok(self.swap(act, &setup, &verifier, &returned).await?.access_token)
    }
}
