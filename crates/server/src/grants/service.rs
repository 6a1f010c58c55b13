//! What rooms above ask of managed connections; everything is done in `managed`.

use std::sync::Arc;

use tessera_types::{ClientSecret, OAuth2App};
use url::Url;
use zeroize::Zeroizing;

use super::managed::{About, Accepted, Messenger, ProviderRecord, ProviderSet, Returned, Revocation};
use super::standing::Standing;
use super::{Act, Error, Grants};

/// Where a person is sent to agree, and what the flow must keep, sealed, until they come back.
pub type Authorize = (Url, Zeroizing<Vec<u8>>);

/// An App's client at its provider. What is empty stays as it is.
#[derive(Debug)]
pub struct NewClient {
    /// RFC 6749 section 2.2.
    pub id: String,
    /// RFC 6749 section 2.3.1; with `private_key_jwt` the private key.
    pub secret: ClientSecret,
}

/// A provider that there is, as an administrator chooses it.
#[derive(Debug, Clone)]
pub struct Preset {
    /// Its name.
    pub name: String,
    /// Its name for people.
    pub display_name: String,
    /// Whether its descriptor was tried against the provider's own documents; if not, it is the community's.
    pub verified: bool,
    /// What is to be filled in: name, what it is, and what stands there otherwise.
    pub values: Vec<(String, String, Option<String>)>,
}

impl Grants {
    /// Joins whoever can speak to people. Once.
    pub fn join_messenger(&self, messenger: Arc<dyn Messenger>) {
        // A second one would be a mistake of `boot`, and the first one goes on.
        let _ = self.managed.messenger.set(messenger);
    }

    /// Does what is due, in its order, until it is dropped.
    pub async fn work(&self) {
        self.managed.work().await;
    }

    /// Does what is due by now and waits for it; gives how much there was.
    pub async fn work_once(&self) -> Result<usize, Error> {
        self.managed.work_once().await
    }

    /// Waits until no refresh is under way.
    pub async fn refreshed(&self) {
        self.managed.refreshed().await;
    }

    /// Forgets what became of work that ended long ago; gives how many pieces.
    pub async fn sweep(&self) -> Result<u64, Error> {
        self.managed.sweep().await
    }

    /// Whether the service keeps the tokens of this App's users.
    pub async fn is_managed(&self, act: &Act<'_>) -> Result<bool, Error> {
        Ok(self.managed.providers.get(act.app.as_str()).await?.is_some())
    }

    /// Keeps an App's provider record, once everything in it fits, and its client, if one comes along; then tries the
    /// client.
    ///
    /// # Errors
    /// [`Error::ProviderChoice`] and [`Error::Provider`], with the field's name.
    pub async fn set_provider(
        &self,
        act: &Act<'_>,
        record: ProviderRecord,
        client: Option<NewClient>,
        redirect_uri: &Url,
    ) -> Result<ProviderSet, Error> {
        self.permitted(act.app).await?;
        // A record that does not fit changes nothing, the client included.
        let record = self.managed.fitting(record).await?;
        if let Some(client) = client {
            self.set_client(act, client).await?;
        }
        self.managed.set_provider(act, record).await?;
        self.managed.provider_set(act, redirect_uri, true).await?.ok_or(Error::Contended)
    }

    /// The App's client at its provider, in place of the one before; what else the App keeps with it stays.
    async fn set_client(&self, act: &Act<'_>, client: NewClient) -> Result<(), Error> {
        let before = self.managed.client(act.app.as_str()).await?;
        let id = if client.id.is_empty() { before.client_id } else { client.id };
        let secret = if client.secret.is_empty() { before.client_secret } else { client.secret };
        let fresh = OAuth2App { client_id: id, client_secret: secret, ..before };
        self.put_credentials(act, &fresh).await?;
        Ok(())
    }

    /// An App's provider record; with `look`, client and metadata are tried now.
    pub async fn provider(
        &self,
        act: &Act<'_>,
        redirect_uri: &Url,
        look: bool,
    ) -> Result<Option<ProviderSet>, Error> {
        self.managed.provider_set(act, redirect_uri, look).await
    }

    /// Takes an App's provider record away; false when there was none.
    pub async fn remove_provider(&self, act: &Act<'_>) -> Result<bool, Error> {
        self.managed.remove_provider(act).await
    }

    /// The providers that there are.
    pub fn presets(&self) -> Vec<Preset> {
        let preset = |descriptor: &Arc<crate::providers::Descriptor>| Preset {
            name: descriptor.name.clone(),
            display_name: descriptor.display_name.clone(),
            verified: descriptor.verified,
            values: descriptor
                .placeholders
                .iter()
                .map(|(name, place)| (name.clone(), place.about.clone(), place.default.clone()))
                .collect(),
        };
        self.managed.catalogue.all().map(preset).collect()
    }

    /// Where a person is sent to agree; None where the App builds that address itself.
    ///
    /// # Errors
    /// [`Error::NoClient`] and [`Error::ClientRefused`].
    pub async fn authorize(
        &self,
        act: &Act<'_>,
        redirect_uri: &Url,
        state: &str,
    ) -> Result<Option<Authorize>, Error> {
        self.permitted(act.app).await?;
        self.managed.authorize(act, redirect_uri, state).await
    }

    /// Whether a callback comes from whom it should, also one that brings a refusal (OS-12).
    ///
    /// # Errors
    /// [`Error::Issuer`].
    pub async fn check_issuer(&self, act: &Act<'_>, iss: Option<&str>) -> Result<(), Error> {
        self.managed.check_issuer(act, iss).await
    }

    /// Swaps a code and keeps what it brings.
    ///
    /// # Errors
    /// [`Error::ProviderChanged`], [`Error::Issuer`], [`Error::IdToken`] and [`Error::Exchange`].
    pub async fn accept(&self, act: &Act<'_>, returned: Returned<'_>) -> Result<Accepted, Error> {
        self.permitted(act.app).await?;
        self.managed.accept(act, returned).await
    }

    /// Takes the account that waits for its owner's yes; None when it waits no longer.
    pub async fn take_pending(&self, act: &Act<'_>, ticket: &str) -> Result<Option<About>, Error> {
        self.permitted(act.app).await?;
        self.managed.take_pending(act, ticket).await
    }

    /// Ends the account that waits at its provider; false when it waits no longer.
    pub async fn drop_pending(&self, act: &Act<'_>, ticket: &str) -> Result<bool, Error> {
        self.managed.drop_pending(act, ticket).await
    }

    /// What became of a person's ended grants since then (Unix ms), newest first.
    pub async fn revocations(&self, user: &str, since: i64) -> Result<Vec<Revocation>, Error> {
        self.managed.revocations(user, since).await
    }

    /// How a connection stands, without releasing anything.
    pub async fn standing(&self, act: &Act<'_>) -> Result<Standing, Error> {
        self.managed.standing(act).await
    }
}
