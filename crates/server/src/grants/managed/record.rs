//! The provider record of an App: whose account its users connect, and how it is spoken to.
//!
//! The whole descriptor and the endpoints found are kept in it as they were when an administrator said yes: neither a
//! new version of Tessera nor the provider's own metadata changes where secrets go (OS-23).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use serde::{Deserialize, Serialize};
use tessera_types::{ClientSecret, OAuth2App, json};
use url::Url;

use super::super::{ATTEMPTS, Act, Error};
use super::{APP_MANAGED, Managed, Word};
use crate::audit;
use crate::providers::{Client, Descriptor, Keys, Metadata, Pkce, Probe, Provider, verdict};
use crate::store::ProviderRow;
use crate::vault::{Place, Purpose, Sealed};

/// The fault of a client that no request can be written with.
const UNUSABLE: &str = "client_secret_unusable";

/// What an administrator says.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderRecord {
    /// A name of the catalogue; or none, with `descriptor`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub preset: String,
    /// A descriptor, in TOML; or none, with `preset`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub descriptor: String,
    /// What is filled into the descriptor's places.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// Scopes to ask for instead of the descriptor's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// With `private_key_jwt`: the `kid` that the provider knows the client's key by, unless the key says it itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key_id: String,
    /// Scopes of the App's own token, by client credentials (RFC 6749 section 4.4): with them its bot has a connection
    /// without anybody's consent. A single empty one asks for what the provider gives a client anyway.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bot_scopes: Vec<String>,
}

/// What is kept of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Document {
    #[serde(flatten)]
    record: ProviderRecord,
    /// The descriptor's text, whole.
    text: String,
    /// The provider's word on itself, as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
}

/// A record in which everything fits.
pub(in crate::grants) struct Fitting {
    provider: String,
    /// Where a client's secret would be sent.
    origins: BTreeSet<String>,
    document: String,
}

/// What an administrator is told of a record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProviderSet {
    /// The App.
    pub app_id: String,
    /// As it was set.
    #[serde(flatten)]
    pub record: ProviderRecord,
    /// The provider's name in the catalogue or the descriptor.
    pub provider: String,
    /// Its name for people.
    pub display_name: String,
    /// Whether its descriptor was tried against the provider's own documents; if not, it is the community's.
    pub verified: bool,
    /// Scopes that people are asked for.
    pub asks_for: Vec<String>,
    /// The redirect URI to register at the provider.
    pub redirect_uri: String,
    /// Whether the App's client id is stored.
    pub client_id: String,
    /// Whether a secret is stored with it.
    pub has_client_secret: bool,
    /// Why the provider refuses the client, as it said last; empty while it does not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fault: String,
    /// What an administrator should know of it, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What trying client and secret showed, where it was tried just now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<String>,
    /// What differs between the metadata that is in use and what the provider says of itself now, where that was asked
    /// just now: set the record again to take it over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// Unix milliseconds.
    pub updated_at: i64,
    /// User id of who changed it last.
    pub updated_by: String,
}

impl ProviderSet {
    /// Whether the provider accepted the client when it was asked just now.
    pub fn is_accepted(&self) -> bool {
        self.probe.as_deref() == Some(accepted(&self.display_name).as_str())
    }
}

fn accepted(name: &str) -> String {
    format!("{name} accepts the client")
}

/// A record, read: everything but the client.
pub(in crate::grants) struct Described {
    pub(super) generation: i64,
    pub(super) fault: String,
    pub(super) provider: Provider,
    /// The keys of its id_tokens, where it has any.
    pub(super) keys: Option<Keys>,
    document: Document,
    row: Arc<ProviderRow>,
}

/// A provider and the App's client there: all that a request needs.
pub(super) struct Setup {
    pub(super) described: Arc<Described>,
    pub(super) client_id: String,
    pub(super) secret: ClientSecret,
    /// Tells whether a grant was made with this client and these endpoints.
    pub(super) print: String,
}

impl Setup {
    pub(super) fn provider(&self) -> &Provider {
        &self.described.provider
    }

    pub(super) fn client(&self) -> Client<'_> {
        let key_id = Some(self.described.document.record.key_id.as_str()).filter(|id| !id.is_empty());
        Client { key_id, ..Client::new(&self.client_id, &self.secret) }
    }

    pub(super) fn descriptor(&self) -> &Descriptor {
        self.provider().descriptor()
    }

    /// What people are asked for.
    pub(super) fn asked(&self) -> Vec<String> {
        self.described.asked()
    }
}

impl Described {
    /// The provider's name for people.
    pub(in crate::grants) fn name(&self) -> String {
        self.provider.descriptor().display_name.clone()
    }

    /// What an administrator should know.
    fn notes(&self, pkce: &str) -> Vec<String> {
        let descriptor = self.provider.descriptor();
        let name = &descriptor.display_name;
        let mut notes = Vec::new();
        if !descriptor.verified {
            notes.push("this descriptor is the community's, or your own, and unverified".to_owned());
        }
        let silent = self.document.metadata.as_ref().is_some_and(|metadata| metadata.pkce_s256.is_none());
        match pkce {
            "ignored" => notes.push(format!(
                "{name} ignores proof keys (PKCE): a stolen code is worth a token there until the client's secret stops it"
            )),
            "checked" => notes.push(format!("{name} checks proof keys (PKCE)")),
            _ if descriptor.pkce == Pkce::Unsupported => {
                notes.push(format!("proof keys (PKCE) are off for {name}, as it refuses requests with one"));
            }
            _ if silent => notes.push(format!(
                "the metadata of {name} does not say whether it takes proof keys (PKCE): one is sent all the same"
            )),
            _ => {}
        }
        notes
    }

    /// Scopes of the client's own token; None where it is to have none.
    pub(super) fn own_scopes(&self) -> Option<Vec<String>> {
        let scopes = &self.document.record.bot_scopes;
        (!scopes.is_empty()).then(|| scopes.iter().filter(|scope| !scope.is_empty()).cloned().collect())
    }

    /// When a grant that nobody uses is refreshed all the same, so that its refresh token does not end: four fifths of
    /// the time after which it would, spread over a tenth of it.
    pub(super) fn keep_alive(&self, issued_at: i64, spread: f64) -> Option<i64> {
        let idle = i64::from(self.provider.descriptor().refresh.idle_days?) * 86_400_000;
        Some(issued_at + idle / 5 * 4 - (idle as f64 / 10.0 * spread) as i64)
    }

    /// Whether its descriptor was tried against the provider's own documents.
    pub(in crate::grants) fn is_verified(&self) -> bool {
        self.provider.descriptor().verified
    }

    /// The scope that brings a refresh token, where one does.
    pub(in crate::grants) fn offline_scope(&self) -> Option<&str> {
        self.provider.descriptor().scopes.offline.as_deref()
    }

    /// Why the provider refuses the App's client, as its code; empty while it does not.
    pub(in crate::grants) fn fault(&self) -> &str {
        &self.fault
    }

    /// Where people see and end what they granted.
    pub(in crate::grants) fn permissions_url(&self) -> Option<String> {
        self.provider.permissions_url().map(ToString::to_string)
    }

    /// All that is needed to speak to the provider later, when the record may be another one.
    pub(super) fn document_text(&self) -> &str {
        &self.row.document
    }

    /// The provider of a record that was kept.
    pub(super) fn provider_of(document: &str) -> Result<Option<Provider>, Error> {
        let Ok(document) = serde_json::from_str::<Document>(document) else { return Ok(None) };
        let descriptor = Descriptor::read(&document.text)?;
        let metadata = document.metadata.as_ref();
        Ok(Some(Provider::new(Arc::new(descriptor), &document.record.values, metadata)?))
    }

    fn asked(&self) -> Vec<String> {
        let chosen = &self.document.record.scopes;
        if chosen.is_empty() { self.provider.descriptor().scopes.default.clone() } else { chosen.clone() }
    }
}

impl Managed {
    /// The App's record, read; None when its connections are its own.
    pub(in crate::grants) async fn described(&self, app: &str) -> Result<Option<Arc<Described>>, Error> {
        let Some(row) = self.providers.get(app).await? else { return Ok(None) };
        let known = self.setups.lock().unwrap_or_else(PoisonError::into_inner).get(app).cloned();
        if let Some(known) = known
            && (known.generation, &known.fault) == (row.generation, &row.fault)
        {
            return Ok(Some(known));
        }
        let damaged = |_| Error::DamagedProvider(app.to_owned());
        let document: Document = serde_json::from_str(&row.document).map_err(damaged)?;
        let descriptor = Descriptor::read(&document.text)?;
        let provider =
            Provider::new(Arc::new(descriptor), &document.record.values, document.metadata.as_ref())?;
        let (generation, fault) = (row.generation, row.fault.clone());
        let keys = provider.jwks_url().cloned().map(Keys::new);
        let described = Arc::new(Described { generation, fault, provider, keys, document, row });
        let mut setups = self.setups.lock().unwrap_or_else(PoisonError::into_inner);
        setups.insert(app.to_owned(), Arc::clone(&described));
        Ok(Some(described))
    }

    /// The App's provider and its client there.
    pub(super) async fn setup(&self, app: &str) -> Result<Option<Setup>, Error> {
        let Some(described) = self.described(app).await? else { return Ok(None) };
        let client = self.client(app).await?;
        let print = self.print(&client.client_id, &described.provider);
        Ok(Some(Setup { described, client_id: client.client_id, secret: client.client_secret, print }))
    }

    /// The App's client, for the service's own use: it is released to nobody.
    pub(in crate::grants) async fn client(&self, app: &str) -> Result<OAuth2App, Error> {
        let Some(row) = self.credentials.get(app).await? else { return Ok(OAuth2App::default()) };
        let place = Place { purpose: Purpose::AppCredentials, app, user: "", generation: row.generation };
        let plain = self.vault.open_sealed(&place, &Sealed::from_bytes(row.sealed.clone())).await?;
        json::from_slice_strict(plain.expose()).map_err(|_| Error::DamagedProvider(app.to_owned()))
    }

    /// Equal for grants of one client at the same endpoints: another one's refresh token is sent nowhere (OS-37).
    fn print(&self, client_id: &str, provider: &Provider) -> String {
        self.vault.fingerprint(format!("{client_id}\n{}", provider.endpoints()).as_bytes())
    }

    /// Grants made with another client or at other endpoints than now need a new consent; the ones that were held up by
    /// a refused client are tried again.
    pub(in crate::grants) async fn client_changed(&self, app: &str) -> Result<(), Error> {
        let Some(setup) = self.setup(app).await? else { return Ok(()) };
        self.paces.forget(app);
        let orphaned = self.orphan(app, &setup).await?;
        if orphaned > 0 {
            tracing::warn!(
                app,
                orphaned,
                "connections need a new consent: the App's client or its provider changed"
            );
        }
        self.mended(app, setup.described.generation).await
    }

    /// Another client's refresh token is sent nowhere (OS-37): its grants end here, and their people are told.
    pub(super) async fn orphan(&self, app: &str, setup: &Setup) -> Result<u64, Error> {
        let code = super::machine::CLIENT_CHANGED;
        let word = Word::Reconnect { account: String::new(), code: code.to_owned() };
        let word = serde_json::to_string(&word).map_err(|_| Error::DamagedProvider(app.to_owned()))?;
        let told = (word.as_str(), self.env.now_ms());
        let orphaned = self.connections.orphan(app, &setup.print, code, told).await?;
        self.bell.notify_one();
        Ok(orphaned)
    }

    /// The client is not refused any more, or is another one: what waited for that is tried again.
    pub(super) async fn mended(&self, app: &str, generation: i64) -> Result<(), Error> {
        let now = self.env.now_ms();
        self.providers.fault(app, generation, "", now).await?;
        self.connections.wake(app, now).await?;
        self.bell.notify_one();
        Ok(())
    }

    /// What an administrator says, once everything in it fits; its metadata is read.
    pub(in crate::grants) async fn fitting(&self, record: ProviderRecord) -> Result<Fitting, Error> {
        let text = match (record.preset.as_str(), record.descriptor.as_str()) {
            ("", "") => return Err(Error::ProviderChoice("name a preset, or bring a descriptor")),
            (preset, "") => self.catalogue.text(preset)?,
            ("", text) => text.into(),
            _ => return Err(Error::ProviderChoice("name a preset or bring a descriptor, not both")),
        };
        let descriptor = Arc::new(Descriptor::read(&text)?);
        let metadata = match descriptor.discovery {
            false => None,
            true => match Provider::issuer_of(&descriptor, &record.values)? {
                Some(issuer) => Some(Metadata::fetch(&self.egress, &issuer).await?),
                None => None,
            },
        };
        let fitting = Provider::new(Arc::clone(&descriptor), &record.values, metadata.as_ref())?;
        let origins = fitting.secret_origins();
        let document = Document { record, text: text.to_string(), metadata };
        let document =
            serde_json::to_string(&document).map_err(|_| Error::DamagedProvider(descriptor.name.clone()))?;
        Ok(Fitting { provider: descriptor.name.clone(), origins, document })
    }

    /// Whether a secret that is stored would be sent to where it was never sent before.
    pub(in crate::grants) async fn would_stray(&self, app: &str, record: &Fitting) -> Result<bool, Error> {
        let Some(setup) = self.setup(app).await? else { return Ok(false) };
        let known = setup.provider().secret_origins();
        Ok(!setup.secret.is_empty() && !record.origins.is_subset(&known))
    }

    /// Keeps it.
    pub(in crate::grants) async fn set_provider(&self, act: &Act<'_>, record: Fitting) -> Result<(), Error> {
        let Fitting { provider, document, .. } = record;
        let fingerprint = self.vault.fingerprint(document.as_bytes());
        let _turn = self.versions.turn(act.app.as_str(), "").await;
        for _ in 0..ATTEMPTS {
            let before = self.providers.get(act.app.as_str()).await?.map(|row| row.generation);
            let entry =
                audit::Entry::allowed(audit::Act::ProviderStored, act.actor, act.app.as_str(), act.request);
            self.audit.record(entry.detail(&format!("{provider} {fingerprint}"))).await?;
            let now = self.env.now_ms();
            let row = ProviderRow {
                app: act.app.as_str().to_owned(),
                generation: self.versions.after(before, now),
                document: document.clone(),
                fault: String::new(),
                fault_at: 0,
                pkce: String::new(),
                updated_at: now,
                updated_by: act.actor.to_owned(),
            };
            if self.providers.put(row, before).await? {
                return self.client_changed(act.app.as_str()).await;
            }
        }
        Err(Error::Contended)
    }

    /// What an administrator is told of a record; with `look`, client and metadata are tried now.
    pub(in crate::grants) async fn provider_set(
        &self,
        act: &Act<'_>,
        redirect_uri: &Url,
        look: bool,
    ) -> Result<Option<ProviderSet>, Error> {
        let Some(setup) = self.setup(act.app.as_str()).await? else { return Ok(None) };
        let probe = match look && !setup.client_id.is_empty() {
            true => Some(self.probe(act, &setup, redirect_uri).await?),
            false => None,
        };
        let changed = if look { self.metadata_changes(&setup).await } else { Vec::new() };
        let row = self.providers.get(act.app.as_str()).await?;
        let (fault, pkce) = row.map(|row| (row.fault.clone(), row.pkce.clone())).unwrap_or_default();
        let (described, descriptor) = (&setup.described, setup.descriptor());
        Ok(Some(ProviderSet {
            app_id: act.app.as_str().to_owned(),
            record: described.document.record.clone(),
            provider: descriptor.name.clone(),
            display_name: descriptor.display_name.clone(),
            verified: descriptor.verified,
            asks_for: described.asked(),
            redirect_uri: redirect_uri.to_string(),
            has_client_secret: !setup.secret.is_empty(),
            client_id: setup.client_id.clone(),
            fault,
            notes: described.notes(&pkce),
            probe,
            changed,
            updated_at: described.row.updated_at,
            updated_by: described.row.updated_by.clone(),
        }))
    }

    /// Tries client and secret with a code that cannot be: a provider that knows the client refuses the code alone.
    async fn probe(&self, act: &Act<'_>, setup: &Setup, redirect_uri: &Url) -> Result<String, Error> {
        let name = &setup.descriptor().display_name;
        let (app, generation) = (act.app.as_str(), setup.described.generation);
        let request = match setup.provider().probe(&self.env, setup.client(), redirect_uri) {
            Ok(request) => request,
            // A key that cannot sign: whoever connects would hear of it only on the way back.
            Err(error) => {
                self.providers.fault(app, generation, UNUSABLE, self.env.now_ms()).await?;
                return Ok(format!("{name} cannot be asked ({error}): set the client's secret again"));
            }
        };
        let outcome = setup.provider().tokens(&self.egress, request, self.env.now_ms()).await;
        Ok(match verdict(&outcome) {
            Probe::Accepted => {
                self.mended(app, generation).await?;
                accepted(name)
            }
            Probe::Refused { code } => {
                self.providers.fault(app, generation, &code, self.env.now_ms()).await?;
                format!("{name} refuses the client ({code}): look at the client id and secret")
            }
            Probe::Redirect { code } => {
                format!("{name} does not know the redirect URI ({code}): register it there, to the letter")
            }
            Probe::Unclear { code } => {
                format!("whether {name} accepts the client could not be told ({code})")
            }
        })
    }

    /// What the provider says of itself by now, against what is in use: nothing changes by itself (OS-23).
    async fn metadata_changes(&self, setup: &Setup) -> Vec<String> {
        let document = &setup.described.document;
        let issuer = Provider::issuer_of(setup.descriptor(), &document.record.values);
        let (Some(pinned), Ok(Some(issuer))) = (&document.metadata, issuer) else { return Vec::new() };
        match Metadata::fetch(&self.egress, &issuer).await {
            Ok(now) => pinned
                .differs(&now)
                .into_iter()
                .map(|(field, before, after)| {
                    format!("{field}: {before} is in use, and the provider says {after}")
                })
                .collect(),
            Err(error) => vec![error.to_string()],
        }
    }

    /// Takes the record away: connections stay, are not refreshed any more, and are the App's own from the next on.
    pub(in crate::grants) async fn remove_provider(&self, act: &Act<'_>) -> Result<bool, Error> {
        let _turn = self.versions.turn(act.app.as_str(), "").await;
        if self.providers.get(act.app.as_str()).await?.is_none() {
            return Ok(false);
        }
        let entry =
            audit::Entry::allowed(audit::Act::ProviderRemoved, act.actor, act.app.as_str(), act.request);
        self.audit.record(entry).await?;
        self.setups.lock().unwrap_or_else(PoisonError::into_inner).remove(act.app.as_str());
        Ok(self.providers.delete(act.app.as_str()).await?)
    }

    /// Whether a store by the App itself may go on: not where the service keeps its tokens (decisions.md section 2).
    pub(in crate::grants) async fn refuses_store(&self, app: &str, kind: Option<i64>) -> Result<bool, Error> {
        // What users have from before stays the App's until they connect again.
        Ok(kind != Some(APP_MANAGED) && self.providers.get(app).await?.is_some())
    }
}
