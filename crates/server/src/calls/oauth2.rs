//! What of OAuth2 a context holds (apps-framework.md section 3.6; decisions.md section 1.3).

use tessera_types::{ClientSecret, RawJson, routes};

use super::expand::Expansion;
use super::{Cause, Profile};
use crate::grants::{self, Act, REMOTE_OAUTH2, Standing, Use, Want};
use crate::platform::Eyes;

impl Expansion<'_> {
    /// The App's credentials, and where people connect: the latter also when nothing was ever stored.
    pub(super) async fn oauth2_app(&mut self) -> Result<(), Cause> {
        self.may_use_oauth2()?;
        // A call that nobody makes, such as one about a new version, is made as the bot.
        let actor = self.asking.acting.unwrap_or(&self.asking.app.bot_user_id);
        let credentials = self.calls.grants.credentials(&self.act(actor)).await;
        let stored = credentials.map_err(|error| Cause::Grants(error.into()))?;
        let managed = self.calls.grants.is_managed(&self.act(actor)).await;
        let managed = managed.map_err(|error| Cause::Grants(error.into()))?;
        let site = &self.calls.settings.site_url;
        let oauth2 = &mut self.context.oauth2;
        oauth2.remote_root_url = stored.remote_root_url;
        oauth2.client_id = stored.client_id;
        // A managed App needs none, and gets none (OS-49).
        oauth2.client_secret = if managed { ClientSecret::default() } else { stored.client_secret };
        oauth2.data = stored.data.filter(|data| !data.is_null());
        oauth2.connect_url = routes::connect_url(site, &self.app_id);
        oauth2.complete_url = routes::complete_url(site, &self.app_id);
        Ok(())
    }

    /// The acting user's record. One that is not there, or says nothing, is left out even where it is required:
    /// Apps that ask for it are called by people who are not connected yet, and offer to connect (B-06).
    pub(super) async fn oauth2_user(&mut self) -> Result<(), Cause> {
        self.may_use_oauth2()?;
        let user = self.asking.acting.ok_or(Cause::NoActingUser)?;
        if self.calls.settings.profile == Profile::Reference {
            self.no_bot(user).await?;
        }
        let to = Use::Call(self.asking.path);
        let act = self.act(user);
        let is_managed = self.calls.grants.is_managed(&act).await;
        if is_managed.map_err(|error| Cause::Grants(error.into()))? {
            let standing = self.calls.grants.standing(&act).await;
            self.stands(standing.map_err(|error| Cause::Grants(error.into()))?);
        }
        let released = self.calls.grants.record(&self.act(user), to, Want::default()).await;
        let released = match released {
            Ok(released) => released,
            Err(error) => {
                if matches!(error, grants::Error::Unavailable { .. }) {
                    self.stands(Standing::Unavailable);
                }
                return Err(Cause::Grants(error.into()));
            }
        };
        if !self.context.oauth2.status.is_empty() {
            // Finding out may have changed it.
            self.stands(released.standing);
        }
        let Some(record) = released.record else { return Ok(()) };
        if record.expose() == b"{}" || record.expose().trim_ascii() == b"null" {
            return Ok(());
        }
        // What is stored was checked to be JSON when it was stored.
        self.context.oauth2.user = RawJson::from_slice(record.expose()).ok();
        Ok(())
    }

    /// How a managed connection stands, and where its person connects again.
    fn stands(&mut self, standing: Standing) {
        let oauth2 = &mut self.context.oauth2;
        standing.word().clone_into(&mut oauth2.status);
        oauth2.reconnect_url = match standing {
            Standing::Connected => String::new(),
            _ => routes::connect_url(&self.calls.settings.site_url, &self.app_id),
        };
    }

    fn may_use_oauth2(&self) -> Result<(), Cause> {
        match self.asking.app.is_granted(REMOTE_OAUTH2) {
            true => Ok(()),
            false => Err(Cause::NotRemoteOAuth2(self.app_id.clone())),
        }
    }

    async fn no_bot(&self, user_id: &str) -> Result<(), Cause> {
        let read = self.calls.platform.user(Eyes::Unrestricted, user_id).await;
        let user = read.map_err(|error| Cause::Read(user_id.to_owned(), error.into()))?;
        if user.is_bot {
            let display_name = user.display_name();
            return Err(Cause::Bot { user_id: user_id.to_owned(), username: user.username, display_name });
        }
        Ok(())
    }

    fn act<'a>(&'a self, actor: &'a str) -> Act<'a> {
        Act { actor, app: &self.app_id, request: self.asking.request, reason: "expand" }
    }
}
