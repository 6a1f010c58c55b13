//! Tokens of the site itself: with them an App acts as a person on a Mattermost that is not ours. They are kept,
//! refreshed and sealed like any other managed connection, under a name that no App can have.

use tessera_types::{AccessToken, AppId, OAuth2App, SecretBytes};
use url::Url;

use super::managed::{Accepted, MANAGED, ProviderRecord, Returned, Want};
use super::service::Authorize;
use super::{Act, Change, Error, Grants, Use};

/// What comes before the App's id. No App's id has a colon.
const OF_SITE: &str = "mattermost:";

/// The name under which this App's tokens of the site are kept.
pub fn of_site(app: &AppId) -> AppId {
    AppId::unchecked(format!("{OF_SITE}{app}"))
}

/// Whether a connection is one with the site itself: people are told of it apart from those with other services.
pub fn is_of_site(app: &str) -> bool {
    app.starts_with(OF_SITE)
}

/// These take an [`Act`] whose App is [`of_site`]'s: nothing has to be granted for it, as it is the platform that acts.
impl Grants {
    /// Keeps the client that was registered at the site for an App, and how the site is spoken to; tells whether it is another
    /// one than was kept, or has another secret.
    pub async fn set_site_client(
        &self,
        act: &Act<'_>,
        descriptor: String,
        client: OAuth2App,
    ) -> Result<Change, Error> {
        let record = ProviderRecord { descriptor, ..ProviderRecord::default() };
        let record = self.managed.fitting(record).await?;
        let change = self.keep_credentials(act, &client).await?;
        if change == Change::Made {
            self.managed.set_provider(act, record).await?;
        }
        Ok(change)
    }

    /// That client; None where there is none.
    pub async fn site_client(&self, act: &Act<'_>) -> Result<Option<OAuth2App>, Error> {
        match self.managed.described(act.app.as_str()).await? {
            None => Ok(None),
            Some(_) => {
                Ok(Some(self.managed.client(act.app.as_str()).await?).filter(|client| !client.is_empty()))
            }
        }
    }

    /// Why the site refuses that client, as it said it when it was last asked; None where it does not.
    pub async fn site_fault(&self, act: &Act<'_>) -> Result<Option<String>, Error> {
        let described = self.managed.described(act.app.as_str()).await?;
        Ok(described.map(|described| described.fault().to_owned()).filter(|fault| !fault.is_empty()))
    }

    /// Where a person is sent to agree that the App acts for them; None where no client was registered.
    pub async fn site_authorize(
        &self,
        act: &Act<'_>,
        redirect_uri: &Url,
        state: &str,
    ) -> Result<Option<Authorize>, Error> {
        self.managed.authorize(act, redirect_uri, state, false).await
    }

    /// Swaps the code that came back, and keeps the token.
    ///
    /// # Errors
    /// As [`Grants::accept`].
    pub async fn site_accept(&self, act: &Act<'_>, returned: Returned<'_>) -> Result<Accepted, Error> {
        self.managed.check_issuer(act, returned.iss).await?;
        self.managed.accept(act, returned).await
    }

    /// Swaps a code for a token that tells who somebody is, and is kept nowhere.
    ///
    /// # Errors
    /// As [`Grants::accept`].
    pub async fn site_swap(&self, act: &Act<'_>, returned: Returned<'_>) -> Result<AccessToken, Error> {
        self.managed.swap_once(act, returned).await
    }

    /// The token with which the App acts as this person, as an OAuth2 token's JSON; None where they must agree first.
    pub async fn site_token(&self, act: &Act<'_>) -> Result<Option<SecretBytes>, Error> {
        match self.connections.get(act.app.as_str(), act.actor).await? {
            Some(row) if row.kind == MANAGED => {
                Ok(self.release(act, row, Use::Api, Want::default()).await?.record)
            }
            _ => Ok(None),
        }
    }

    /// Forgets one person's token, which opens nothing at the site any more. False when there was none.
    pub async fn forget_site_token(&self, act: &Act<'_>) -> Result<bool, Error> {
        self.end(act).await
    }

    /// Forgets the client, and with it everybody's tokens: they were ended at the site, where all that is the client's ends
    /// with it.
    pub async fn forget_site_client(&self, act: &Act<'_>) -> Result<u64, Error> {
        // First of all: from here on nothing is refreshed, nor sent to the site as its end.
        self.managed.remove_provider(act).await?;
        self.forget_app(act).await
    }
}
