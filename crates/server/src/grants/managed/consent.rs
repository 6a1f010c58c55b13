//! From a person's yes at the provider to a grant: the authorize URL, the swap of the code, and what is kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tessera_types::{AccessToken, AuthorizationCode, SecretBytes};
use url::Url;
use zeroize::Zeroizing;

use super::super::{ATTEMPTS, Act, Error, connections};
use super::grant::{self, About, Held};
use super::machine::Status;
use super::record::Setup;
use super::refresh::Given;
use super::revoke::{KEYS_OF, PENDING, Told};
use super::{APP_MANAGED, MANAGED, Managed, fault};
use crate::audit;
use crate::providers::{Account, Asking, Class, Expected, Expiry, Tokens, Unverified, Verifier};
use crate::store::{ConnectionRow, OutboxRow};
use crate::vault::Sealed;

/// How long a new grant of another account waits for its owner's yes, ms.
const PENDING_FOR: i64 = 15 * 60_000;
/// How long taking it may last, ms; after that it is ended.
const TAKING_FOR: i64 = 120_000;

/// Where the grant of this ticket waits.
fn pending(ticket: &str) -> String {
    format!("pending:{ticket}")
}

/// What a flow keeps until it comes back, sealed by whoever keeps it.
#[derive(Serialize, Deserialize)]
pub(super) struct Flow {
    pub(super) verifier: String,
    print: String,
    asked: Vec<String>,
    /// Whether nobody is to be connected: an administrator wants to know whether proof keys are looked at (OS-11).
    #[serde(default)]
    probe: bool,
}

/// What came back from the provider.
#[derive(Debug)]
pub struct Returned<'a> {
    /// What [`Grants::authorize`](crate::grants::Grants::authorize) gave to keep.
    pub flow: &'a SecretBytes,
    /// The redirect URI of the flow, exactly.
    pub redirect_uri: &'a Url,
    /// The code.
    pub code: AuthorizationCode,
    /// Who says so (RFC 9207).
    pub iss: Option<&'a str>,
    /// Everything else.
    pub values: &'a BTreeMap<String, String>,
}

/// What became of a consent.
#[derive(Debug)]
pub enum Accepted {
    /// The account is connected.
    Connected(About),
    /// The grant that is there has more scopes than the new one: it stays.
    Kept(About),
    /// Nobody was connected: whether the provider looks at proof keys.
    Probed {
        /// Its name for people.
        provider: String,
        /// Whether it does.
        checked: bool,
    },
    /// It is another account than the one that is connected: nothing changes until its owner says yes.
    OtherAccount {
        /// What takes the new one.
        ticket: String,
        /// The one that is connected.
        before: About,
        /// The new one.
        after: About,
    },
}

impl Managed {
    /// Where a person is sent to agree, and what the flow must keep until they come back; None where the App builds
    /// that address itself.
    pub(in crate::grants) async fn authorize(
        &self,
        act: &Act<'_>,
        redirect_uri: &Url,
        state: &str,
        probe: bool,
    ) -> Result<Option<(Url, Zeroizing<Vec<u8>>)>, Error> {
        let Some(setup) = self.setup(act.app.as_str()).await? else { return Ok(None) };
        if setup.client_id.is_empty() {
            return Err(Error::NoClient(act.app.clone()));
        }
        if !setup.described.fault.is_empty() {
            let code = setup.described.fault.clone();
            return Err(Error::ClientRefused { app: act.app.clone(), code });
        }
        let verifier = Verifier::new(&self.env)?;
        let asked = setup.asked();
        let url = setup.provider().authorize_url(Asking {
            client_id: &setup.client_id,
            redirect_uri,
            state,
            scopes: &asked,
            verifier: &verifier,
        });
        let flow =
            Flow { verifier: verifier.text().expose().to_owned(), print: setup.print.clone(), asked, probe };
        let flow = serde_json::to_vec(&flow).map_err(|_| Error::Damaged(act.app.clone()))?;
        Ok(Some((url, Zeroizing::new(flow))))
    }

    /// Whether a callback comes from whom it should, also one that brings a refusal (OS-12).
    pub(in crate::grants) async fn check_issuer(
        &self,
        act: &Act<'_>,
        iss: Option<&str>,
    ) -> Result<(), Error> {
        let Some(described) = self.described(act.app.as_str()).await? else {
            return Err(Error::ProviderChanged(act.app.clone()));
        };
        described.provider.check_issuer(iss).map_err(Error::Issuer)
    }

    /// Swaps the code and keeps what it brings.
    pub(in crate::grants) async fn accept(
        self: &Arc<Self>,
        act: &Act<'_>,
        returned: Returned<'_>,
    ) -> Result<Accepted, Error> {
        let (setup, flow) = self.returning(act, &returned).await?;
        if flow.probe {
            return self.probe_pkce(act, &setup, returned).await;
        }
        let verifier = Verifier::of(AccessToken::new(flow.verifier));
        let sent_at = self.env.now_ms();
        let mut tokens = self.swap(act, &setup, &verifier, &returned).await?;
        fault::point("swapped");
        for field in &setup.descriptor().callback_fields {
            if let Some(value) = returned.values.get(field) {
                tokens.extra.insert(field.clone(), Value::String(value.clone()));
            }
        }
        let account = self.account(&setup, &tokens, Some(&verifier)).await?;
        let refreshable = tokens.refresh_token.is_some();
        let about = grant::about(setup.descriptor(), account, flow.asked, &tokens, refreshable);
        self.take(act, &setup, New { tokens, about, sent_at }).await
    }

    /// What a flow kept, and the provider that it began with: it must be the same still, and the one who speaks.
    pub(super) async fn returning(
        &self,
        act: &Act<'_>,
        returned: &Returned<'_>,
    ) -> Result<(Setup, Flow), Error> {
        let changed = || Error::ProviderChanged(act.app.clone());
        let flow: Flow = serde_json::from_slice(returned.flow.expose()).map_err(|_| changed())?;
        let setup = self.setup(act.app.as_str()).await?.ok_or_else(changed)?;
        if setup.print != flow.print {
            return Err(changed());
        }
        setup.provider().check_issuer(returned.iss).map_err(Error::Issuer)?;
        Ok((setup, flow))
    }

    /// Swaps the code for what it brings.
    pub(super) async fn swap(
        &self,
        act: &Act<'_>,
        setup: &Setup,
        verifier: &Verifier,
        returned: &Returned<'_>,
    ) -> Result<Tokens, Error> {
        let (env, client) = (&self.env, setup.client());
        let request =
            setup.provider().exchange(env, client, &returned.code, returned.redirect_uri, verifier)?;
        let swapped = setup.provider().tokens(&self.egress, request, self.env.now_ms()).await;
        swapped.map_err(|failure| {
            tracing::warn!(app = %act.app, code = %failure.code, status = failure.status, "a code was not swapped");
            Error::Exchange { provider: setup.descriptor().display_name.clone(), failure }
        })
    }

    /// Swaps the code with another proof key than the flow's: a provider that gives a token for that looks at none.
    async fn probe_pkce(
        self: &Arc<Self>,
        act: &Act<'_>,
        setup: &Setup,
        returned: Returned<'_>,
    ) -> Result<Accepted, Error> {
        let wrong = Verifier::new(&self.env)?;
        let (env, client) = (&self.env, setup.client());
        let request =
            setup.provider().exchange(env, client, &returned.code, returned.redirect_uri, &wrong)?;
        let provider = setup.descriptor().display_name.clone();
        let checked = match setup.provider().tokens(&self.egress, request, self.env.now_ms()).await {
            Ok(tokens) => {
                let (held, about) = (Held::of(&tokens, None), About::default());
                self.end_at_provider(act, setup, &held, &about, &self.env.id()?).await?;
                false
            }
            Err(failure) if failure.class == Class::Terminal => true,
            Err(failure) => return Err(Error::Exchange { provider, failure }),
        };
        let word = if checked { "checked" } else { "ignored" };
        self.providers.tried(act.app.as_str(), setup.described.generation, word).await?;
        Ok(Accepted::Probed { provider, checked })
    }

    /// Whose account it is: by the reply, by the id_token once it is verified, or by asking.
    ///
    /// # Errors
    /// Where there is an id_token that is not believed: who would forge one is not to be dealt with (OS-24).
    pub(super) async fn account(
        &self,
        setup: &Setup,
        tokens: &Tokens,
        verifier: Option<&Verifier>,
    ) -> Result<Account, Error> {
        let provider = setup.provider();
        let mut account = Account::told(setup.descriptor(), &tokens.extra);
        if let (Some(id_token), Some(keys), Some(issuer)) =
            (&tokens.id_token, &setup.described.keys, provider.id_token_issuer())
        {
            let nonce = verifier.map(Verifier::nonce);
            let (client_id, nonce) = (setup.client_id.as_str(), nonce.as_deref());
            let expected = Expected { issuer, client_id, nonce, now_ms: self.env.now_ms() };
            match keys.verify(&self.egress, id_token, expected).await {
                Ok(claims) => account = account.or(Account::of(claims)),
                Err(Unverified::Forged(forged)) => return Err(Error::IdToken(forged)),
                // It is asked for below: nothing of the token is used.
                Err(Unverified::NoKeys(error)) => {
                    tracing::warn!(%error, "an id_token could not be verified, and is not used");
                }
            }
        }
        if account.id.is_empty() || account.name.is_empty() {
            account = account.or(provider.account_of(&self.egress, &tokens.access_token).await);
        }
        Ok(account)
    }

    /// Keeps a new grant, unless there is one that must not go without a word.
    pub(super) async fn take(
        self: &Arc<Self>,
        act: &Act<'_>,
        setup: &Setup,
        new: New,
    ) -> Result<Accepted, Error> {
        let row = self.connections.read(act.app.as_str(), act.actor).await?;
        let there = row.as_ref().filter(|row| row.kind == MANAGED).and_then(|row| row.managed.as_deref());
        if let Some(managed) = there.filter(|managed| Status::of(managed.status) != Status::Dead) {
            let before = About::read(&managed.about);
            let same = before.account_id == new.about.account_id;
            if !same && !before.account_id.is_empty() && !new.about.account_id.is_empty() {
                return self.ask_first(act, setup, new, before).await;
            }
            // A consent with fewer scopes does not take away what works (OS-25).
            let fewer = new.about.granted.iter().all(|scope| before.granted.contains(scope))
                && new.about.granted.len() < before.granted.len();
            if same && fewer && managed.client == setup.print {
                let held = Held::of(&new.tokens, None);
                if !setup.provider().ends_all() {
                    self.end_at_provider(act, setup, &held, &new.about, &self.env.id()?).await?;
                }
                return Ok(Accepted::Kept(before));
            }
        }
        let about = new.about.clone();
        self.keep(act, setup, new, None).await?;
        Ok(Accepted::Connected(about))
    }

    /// The new grant waits for its owner's yes where a revocation waits: if no yes comes, it is ended at the provider.
    async fn ask_first(
        self: &Arc<Self>,
        act: &Act<'_>,
        setup: &Setup,
        new: New,
        before: About,
    ) -> Result<Accepted, Error> {
        let ticket = self.env.id()?;
        let held = Held::of(&new.tokens, None);
        let id = pending(&ticket);
        let due_at = self.env.now_ms() + PENDING_FOR;
        let waiting = serde_json::to_value(Waiting::of(&new)).map_err(|_| Error::Damaged(act.app.clone()))?;
        let row = self.outgoing(act, setup, (&held, &new.about), (id, PENDING), (due_at, waiting)).await?;
        self.outbox.add(row).await?;
        Ok(Accepted::OtherAccount { ticket, before, after: new.about })
    }

    /// The owner said yes. What fails on the way leaves the new grant where it waits: then it is ended.
    pub(in crate::grants) async fn take_pending(
        self: &Arc<Self>,
        act: &Act<'_>,
        ticket: &str,
    ) -> Result<Option<About>, Error> {
        let changed = || Error::ProviderChanged(act.app.clone());
        let (id, now) = (pending(ticket), self.env.now_ms());
        let whose = (PENDING, act.app.as_str(), act.actor);
        let Some(row) = self.outbox.claim(&id, whose, now, now + TAKING_FOR).await? else { return Ok(None) };
        let setup = self.setup(act.app.as_str()).await?.ok_or_else(changed)?;
        let told: Told = serde_json::from_str(&row.about).unwrap_or_default();
        if told.client != setup.print {
            // It is a grant of the client before: it would be sent with the secret of another one (OS-37).
            return Err(changed());
        }
        let new = self.open_pending(act, &row).await?;
        let about = new.about.clone();
        self.keep(act, &setup, new, Some(&row.id)).await?;
        self.vault.shred(KEYS_OF, &row.id).await?;
        Ok(Some(about))
    }

    async fn open_pending(&self, act: &Act<'_>, row: &OutboxRow) -> Result<New, Error> {
        let damaged = || Error::Damaged(act.app.clone());
        let sealed = Sealed::from_bytes(row.sealed.clone().ok_or_else(damaged)?);
        let plain = self.vault.open_sealed(&super::revoke::sealed_at(&row.id), &sealed).await?;
        let held = Held::read(&plain).ok_or_else(damaged)?;
        #[derive(Deserialize)]
        struct Sealing {
            more: Waiting,
        }
        let Sealing { more } = serde_json::from_slice(plain.expose()).map_err(|_| damaged())?;
        Ok(more.with(held))
    }

    /// The owner said no: the new grant is ended at the provider now.
    pub(in crate::grants) async fn drop_pending(&self, act: &Act<'_>, ticket: &str) -> Result<bool, Error> {
        let whose = (PENDING, act.app.as_str(), act.actor);
        let dropped = self.outbox.hasten(&pending(ticket), whose, self.env.now_ms()).await?;
        self.bell.notify_one();
        Ok(dropped)
    }

    /// Puts a new grant in place of what is there, and ends what it replaces at the provider: the old one works until
    /// the new one does. `spent` is what held the new one until now.
    pub(super) async fn keep(
        self: &Arc<Self>,
        act: &Act<'_>,
        setup: &Setup,
        new: New,
        spent: Option<&str>,
    ) -> Result<(), Error> {
        let New { tokens, mut about, sent_at } = new;
        about.grant = self.env.id()?;
        let held = Held::of(&tokens, None);
        let _turn = self.versions.turn(act.app.as_str(), act.actor).await;
        for _ in 0..ATTEMPTS {
            let row = self.connections.read(act.app.as_str(), act.actor).await?;
            let now = self.env.now_ms();
            let before = row.as_ref().map(|row| row.generation);
            let generation = self.versions.after(before, now);
            let replaced = match &row {
                Some(row) => self.replaced(act, setup, row, &held, &about).await?,
                None => None,
            };
            self.note_row(audit::Act::ConnectionStored, act, connections::mark(act.actor, generation))
                .await?;
            // Whatever request is under way for a grant that was here before, or is claimed before this is written: its
            // reply comes too late. Generations grow with time, so that also one of a row that is gone has a lower number.
            let last = row.as_ref().and_then(|row| row.managed.as_ref()).map_or(0, |managed| managed.fence);
            let fence = generation.max(last + 1);
            let connected = row
                .as_ref()
                .filter(|row| matches!(row.kind, APP_MANAGED | MANAGED))
                .map(|row| row.created_at);
            let given = Given { tokens: &tokens, held: &held, about: &about, sent_at };
            let fresh = self.row_of(act, setup, given, generation, fence).await?;
            let fresh = ConnectionRow { created_at: connected.unwrap_or(now), ..fresh };
            let sealed = Sealed::from_bytes(fresh.sealed.clone());
            let print = self.audit.prints().connection(&fresh);
            let then =
                [replaced, Some(self.welcome(act, &about, generation)?)].into_iter().flatten().collect();
            let put = self.connections.put_then(fresh, before, then, spent).await?;
            if put && self.vault.is_live(&sealed).await? {
                fault::point("kept");
                let mark = audit::RowMark { print: Some(&print), ..connections::mark(act.actor, generation) };
                let entry =
                    audit::Entry::done(audit::Act::RowWritten, act.actor, act.app.as_str(), act.request);
                self.audit.done(entry.row(mark));
                self.bell.notify_one();
                return Ok(());
            }
            // Another writer came first, or a disconnect destroyed the key that we sealed with: once more.
        }
        Err(Error::Contended)
    }

    /// What must follow for the grant that is replaced. Nothing where ending it would end the new one as well.
    async fn replaced(
        &self,
        act: &Act<'_>,
        setup: &Setup,
        row: &ConnectionRow,
        held: &Held,
        about: &About,
    ) -> Result<Option<OutboxRow>, Error> {
        let Some(managed) = row.managed.as_deref().filter(|managed| {
            row.kind == MANAGED && managed.client == setup.print && Status::of(managed.status) != Status::Dead
        }) else {
            return Ok(None);
        };
        let before = About::read(&managed.about);
        if setup.provider().ends_all() && before.account_id == about.account_id {
            return Ok(None);
        }
        let old = self.held(act, row, managed).await?;
        let same = old.access_token.expose() == held.access_token.expose()
            || matches!((&old.refresh_token, &held.refresh_token), (Some(a), Some(b)) if a.expose() == b.expose());
        match same {
            true => Ok(None),
            false => Ok(Some(self.revocation(act, setup, &old, &before, row.generation).await?)),
        }
    }
}

/// What of a new grant waits beside its tokens.
#[derive(Serialize, Deserialize)]
struct Waiting {
    token_type: String,
    expires_at: Option<i64>,
    extra: serde_json::Map<String, Value>,
    about: About,
    sent_at: i64,
}

impl Waiting {
    fn of(new: &New) -> Self {
        Self {
            token_type: new.tokens.token_type.clone(),
            expires_at: grant::expires_at(&new.tokens),
            extra: new.tokens.extra.clone(),
            about: new.about.clone(),
            sent_at: new.sent_at,
        }
    }

    fn with(self, held: Held) -> New {
        let tokens = Tokens {
            access_token: held.access_token,
            token_type: self.token_type,
            refresh_token: held.refresh_token,
            expiry: self.expires_at.map_or(Expiry::Unknown, Expiry::At),
            scopes: Some(self.about.granted.clone()),
            id_token: None,
            extra: self.extra,
        };
        New { tokens, about: self.about, sent_at: self.sent_at }
    }
}

/// A grant that was just given.
pub(super) struct New {
    pub(super) tokens: Tokens,
    pub(super) about: About,
    pub(super) sent_at: i64,
}
