//! What rooms above ask of managed connections; everything is done in `managed`.

use std::sync::Arc;

use tessera_types::{AppId, OAuth2App};
use url::Url;
use zeroize::Zeroizing;

use super::choice::{Blank, NewClient, Preset};
use super::managed::{
    About, Accepted, DeviceFlow, DeviceState, Messenger, ProviderRecord, ProviderSet, Returned, Revocation,
};
use super::standing::Standing;
use super::{Act, Error, Grants};
use crate::providers::{Descriptor, Placeholder};

/// Where a person is sent to agree, and what the flow must keep, sealed, until they come back.
pub type Authorize = (Url, Zeroizing<Vec<u8>>);

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
        let has_secret = client.as_ref().is_some_and(|client| !client.secret.is_empty());
        if !has_secret && self.managed.would_stray(act.app.as_str(), &record).await? {
            return Err(Error::ProviderChoice(
                "this is another provider than before, and the stored secret is none of its business: bring the client \
                 id and secret that are registered there",
            ));
        }
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

    /// The name of an App's provider, as people know it; None where its connections are its own.
    pub async fn provider_name(&self, app: &AppId) -> Result<Option<String>, Error> {
        Ok(self.managed.described(app.as_str()).await?.map(|described| described.name()))
    }

    /// Has the App's bot tell a person, once, that they connected an account which the App keeps itself.
    pub async fn tell_of_own(&self, act: &Act<'_>) -> Result<(), Error> {
        self.managed.welcome_to_own(act).await
    }

    /// Takes an App's provider record away; false when there was none.
    pub async fn remove_provider(&self, act: &Act<'_>) -> Result<bool, Error> {
        self.managed.remove_provider(act).await
    }

    /// The providers that there are.
    pub fn presets(&self) -> Vec<Preset> {
        let blank = |(name, place): (&String, &Placeholder)| Blank {
            name: name.clone(),
            about: place.about.clone(),
            default: place.default.clone(),
            choices: place.choices.clone(),
        };
        let preset = |descriptor: &Arc<Descriptor>| Preset {
            name: descriptor.name.clone(),
            display_name: descriptor.display_name.clone(),
            verified: descriptor.verified,
            scopes: descriptor.scopes.default.clone(),
            values: descriptor.placeholders.iter().map(blank).collect(),
        };
        self.managed.catalogue.all().map(preset).collect()
    }

    /// Where people end what they granted at providers of the catalogue to whose `origin` an App sends them: name and
    /// address of each.
    pub fn permission_pages(&self, origin: &str) -> Vec<(String, Url)> {
        self.managed.catalogue.permission_pages(origin)
    }

    /// Where a person is sent to agree; None where the App builds that address itself. With `probe` nobody is connected:
    /// it is only tried whether the provider looks at proof keys.
    ///
    /// # Errors
    /// [`Error::NoClient`] and [`Error::ClientRefused`].
    pub async fn authorize(
        &self,
        act: &Act<'_>,
        redirect_uri: &Url,
        state: &str,
        probe: bool,
    ) -> Result<Option<Authorize>, Error> {
        self.permitted(act.app).await?;
        self.managed.authorize(act, redirect_uri, state, probe).await
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

    /// Begins a connection by a code that the person types at the provider (RFC 8628); None where the provider has no such
    /// way, or the App is not managed.
    pub async fn device(&self, act: &Act<'_>) -> Result<Option<DeviceFlow>, Error> {
        self.permitted(act.app).await?;
        self.managed.device(act).await
    }

    /// How one stands, for the person who began it; None for everybody else.
    pub async fn device_state(&self, act: &Act<'_>, id: &str) -> Result<Option<DeviceState>, Error> {
        self.managed.device_state(act, id).await
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
