//! The connection of an App's bot: a token of the client's own (RFC 6749 section 4.4), to which nobody has to agree.

use std::sync::Arc;

use super::super::{Act, Error};
use super::Managed;
use super::consent::New;
use super::grant;
use crate::providers::Account;

impl Managed {
    /// Asks for the client's own token and keeps it as the bot's connection; false where it is to have none.
    pub(in crate::grants) async fn own(self: &Arc<Self>, act: &Act<'_>) -> Result<bool, Error> {
        let Some(setup) = self.setup(act.app.as_str()).await? else { return Ok(false) };
        let Some(scopes) = setup.described.own_scopes() else { return Ok(false) };
        if setup.client_id.is_empty() {
            return Err(Error::NoClient(act.app.clone()));
        }
        if !setup.described.fault.is_empty() {
            let code = setup.described.fault.clone();
            return Err(Error::ClientRefused { app: act.app.clone(), code });
        }
        let request = setup.provider().client_credentials(&self.env, setup.client(), &scopes)?;
        let sent_at = self.env.now_ms();
        let provider = || setup.descriptor().display_name.clone();
        let tokens = setup
            .provider()
            .tokens(&self.egress, request, sent_at)
            .await
            .map_err(|failure| Error::Exchange { provider: provider(), failure })?;
        let account = Account { id: setup.client_id.clone(), name: "the App itself".to_owned() };
        let mut about = grant::about(setup.descriptor(), account, scopes, &tokens, true);
        about.own = true;
        self.keep(act, &setup, New { tokens, about, sent_at }, None).await?;
        Ok(true)
    }
}
