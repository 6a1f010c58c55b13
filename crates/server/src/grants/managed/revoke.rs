//! Ending a grant at its provider (RFC 7009): locally at once, there by the durable outbox.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tessera_types::{AccessToken, ClientSecret, RefreshToken};
use zeroize::Zeroizing;

use super::super::{Act, Error};
use super::grant::{About, Held};
use super::record::{Described, Setup};
use super::{MANAGED, Managed, fault};
use crate::audit;
use crate::providers::{Class, Client, Ended};
use crate::store::{ConnectionRow, OutboxRow};
use crate::vault::{Place, Purpose, Sealed};

/// A grant to be ended at its provider.
pub(super) const REVOCATION: i64 = 0;
/// A new grant that waits for its owner's yes: without it, it is ended.
pub(super) const PENDING: i64 = 2;
/// Where what the outbox holds is sealed: under a key for each entry, which goes with it. No App has such an id.
pub(super) const KEYS_OF: &str = "~outbox";
/// How often a provider that does not answer is asked: over about two days.
const TRIES: i64 = 20;
/// Of how many ended grants a person is told.
const MOST_TOLD: i64 = 50;

/// What became of a grant at its provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// With which App.
    pub app: String,
    /// Which account: `somebody@example.com at Google`.
    pub account: String,
    /// The provider's name for people.
    pub provider_name: String,
    /// `waiting`, `revoked`, `unknown_to_provider`, `not_offered`, `kept` (another connection of the same account uses
    /// it) or `failed`.
    pub outcome: String,
    /// Why it was not done yet, or could not be.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// Where the person can end it at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_url: Option<String>,
    /// Since when, Unix milliseconds.
    pub asked_at: i64,
    /// When it ended, Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<i64>,
}

/// What people are told of it, as it is stored.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Told {
    pub account: String,
    pub provider_name: String,
    pub permissions_url: Option<String>,
    /// Decides whether another connection of the same account and client lives on.
    pub account_id: String,
    pub client: String,
}

impl Managed {
    /// What must follow at the provider when a connection ends; `generation` numbers it. None where there is nothing to
    /// be said to anybody, as the provider record is gone.
    pub(super) async fn revocation(
        &self,
        act: &Act<'_>,
        setup: &Setup,
        held: &Held,
        about: &About,
        generation: i64,
    ) -> Result<OutboxRow, Error> {
        let id = format!("revoke:{}:{}:{generation}", act.app, act.actor);
        let more = serde_json::Value::Null;
        self.outgoing(act, setup, (held, about), (id, REVOCATION), (self.env.now_ms(), more)).await
    }

    /// A piece of work about a grant that is to be ended, or may be: `due_at` is when (Unix ms), and `more` is sealed beside
    /// what that needs.
    pub(super) async fn outgoing(
        &self,
        act: &Act<'_>,
        setup: &Setup,
        (held, about): (&Held, &About),
        (id, kind): (String, i64),
        (due_at, more): (i64, serde_json::Value),
    ) -> Result<OutboxRow, Error> {
        let told = Told {
            account: about.account(),
            provider_name: about.provider_name.clone(),
            permissions_url: setup.provider().permissions_url().map(ToString::to_string),
            account_id: about.account_id.clone(),
            client: setup.print.clone(),
        };
        let plain = json!({
            "document": setup.described.document_text(),
            "client_id": setup.client_id,
            "client_secret": setup.secret.expose(),
            "key_id": setup.client().key_id,
            "access_token": held.access_token.expose(),
            "refresh_token": held.refresh_token.as_ref().map(RefreshToken::expose),
            "more": more,
        });
        let plain = Zeroizing::new(plain.to_string().into_bytes());
        let sealed = self.vault.seal(&sealed_at(&id), &plain).await?;
        Ok(OutboxRow {
            kind,
            app: act.app.as_str().to_owned(),
            user: act.actor.to_owned(),
            about: serde_json::to_string(&told).map_err(|_| Error::Damaged(act.app.clone()))?,
            sealed: Some(sealed.into_bytes()),
            due_at: Some(due_at),
            attempts: 0,
            outcome: String::new(),
            created_at: self.env.now_ms(),
            ended_at: None,
            id,
        })
    }

    /// A grant that nobody can use any more is ended at its provider: one that came too late, or was not wanted. `which`
    /// tells it from others of the same place.
    pub(super) async fn end_at_provider(
        &self,
        act: &Act<'_>,
        setup: &Setup,
        held: &Held,
        about: &About,
        which: &str,
    ) -> Result<(), Error> {
        let id = format!("revoke:{}:{}:{which}", act.app, act.actor);
        let now = (self.env.now_ms(), serde_json::Value::Null);
        let row = self.outgoing(act, setup, (held, about), (id, REVOCATION), now).await?;
        self.outbox.add(row).await?;
        self.bell.notify_one();
        Ok(())
    }

    /// What must follow at the provider when this connection ends. A grant that does not open, or whose provider nobody
    /// knows any more, is ended here alone.
    pub(in crate::grants) async fn farewell(
        &self,
        act: &Act<'_>,
        row: &ConnectionRow,
    ) -> Result<Option<OutboxRow>, Error> {
        let Some(managed) = row.managed.as_deref().filter(|_| row.kind == MANAGED) else { return Ok(None) };
        let Some(setup) = self.setup(act.app.as_str()).await? else { return Ok(None) };
        let held = match self.held(act, row, managed).await {
            Ok(held) => held,
            Err(error) => {
                tracing::warn!(app = %act.app, %error, "a grant is ended here and not at its provider");
                return Ok(None);
            }
        };
        // The client may be another one by now, and then the provider would refuse it: it says so, and the person is told.
        let about = About::read(&managed.about);
        Ok(Some(self.revocation(act, &setup, &held, &about, row.generation).await?))
    }

    /// Ends a grant at its provider, once, and notes what became of it.
    pub(super) async fn revoke(self: &Arc<Self>, row: &OutboxRow) -> Result<(), Error> {
        let told: Told = serde_json::from_str(&row.about).unwrap_or_default();
        let now = self.env.now_ms();
        let Some(sealed) = &row.sealed else { return self.ended(row, "failed nothing_sealed").await };
        let plain =
            match self.vault.open_sealed(&sealed_at(&row.id), &Sealed::from_bytes(sealed.clone())).await {
                Ok(plain) => plain,
                Err(error) => {
                    tracing::error!(app = %row.app, %error, "what is needed to end a grant does not open");
                    self.outbox.retry(row, "does_not_open", now + 3_600_000).await?;
                    return Ok(());
                }
            };
        let needed: Needed =
            serde_json::from_slice(plain.expose()).map_err(|_| Error::DamagedProvider(row.app.clone()))?;
        let Some(provider) = Described::provider_of(&needed.document)? else {
            return self.ended(row, "failed no_provider").await;
        };
        if provider.ends_all() && self.lives_on(row, &told).await? {
            return self.ended(row, "kept").await;
        }
        let key_id = needed.key_id.as_deref();
        let client = Client { key_id, ..Client::new(&needed.client_id, &needed.client_secret) };
        let refresh = needed.refresh_token.as_ref();
        let ended = provider.end(&self.egress, client, &needed.access_token, refresh, &self.env).await?;
        fault::point("revoked");
        match ended {
            Ended::Revoked => self.ended(row, "revoked").await,
            Ended::UnknownToken => self.ended(row, "unknown_to_provider").await,
            Ended::NotOffered => self.ended(row, "not_offered").await,
            Ended::Failed(failure) if failure.class == Class::Transient && row.attempts < TRIES => {
                let asked =
                    failure.retry_after.map_or(0, |wait| i64::try_from(wait.as_millis()).unwrap_or_default());
                let pause = (1_000_i64 << row.attempts.clamp(0, 14)).min(4 * 3_600_000).max(asked);
                self.outbox.retry(row, &failure.code, now + pause).await?;
                Ok(())
            }
            Ended::Failed(failure) => self.ended(row, &format!("failed {}", failure.code)).await,
        }
    }

    async fn ended(&self, row: &OutboxRow, outcome: &str) -> Result<(), Error> {
        if self.outbox.end(row, outcome, self.env.now_ms()).await? {
            let entry = audit::Entry::done(audit::Act::GrantRevoked, &row.user, &row.app, &row.id);
            self.audit.done(entry.detail(outcome));
            self.meters.revoked(outcome.split(' ').next().unwrap_or_default());
        }
        Ok(self.vault.shred(KEYS_OF, &row.id).await?)
    }

    /// Whether the same person has another live connection of the same account and client: ending one would end both.
    async fn lives_on(&self, row: &OutboxRow, told: &Told) -> Result<bool, Error> {
        let rows = self.connections.list_user(&row.user).await?;
        Ok(rows.iter().filter(|other| other.kind == MANAGED).any(|other| {
            other.managed.as_ref().is_some_and(|managed| {
                managed.client == told.client && About::read(&managed.about).account_id == told.account_id
            })
        }))
    }

    /// What became of a person's ended grants, newest first. A new account that its owner did not take is one of them, but
    /// not while it waits for their answer.
    pub(in crate::grants) async fn revocations(
        &self,
        user: &str,
        since: i64,
    ) -> Result<Vec<Revocation>, Error> {
        let now = self.env.now_ms();
        let mut rows = self.outbox.of_user(user, REVOCATION, since, MOST_TOLD).await?;
        let untaken = self.outbox.of_user(user, PENDING, since, MOST_TOLD).await?;
        rows.extend(
            untaken.into_iter().filter(|row| row.due_at.is_none_or(|due| due <= now || row.attempts > 0)),
        );
        rows.sort_by_key(|row| std::cmp::Reverse(row.created_at));
        rows.truncate(usize::try_from(MOST_TOLD).unwrap_or_default());
        Ok(rows.into_iter().map(told).collect())
    }
}

/// What is needed to end a grant.
#[derive(Deserialize)]
struct Needed {
    document: String,
    client_id: String,
    #[serde(default)]
    key_id: Option<String>,
    #[serde(deserialize_with = "secret")]
    client_secret: ClientSecret,
    #[serde(deserialize_with = "token")]
    access_token: AccessToken,
    #[serde(default, deserialize_with = "refresh")]
    refresh_token: Option<RefreshToken>,
}

fn secret<'de, D: serde::Deserializer<'de>>(from: D) -> Result<ClientSecret, D::Error> {
    String::deserialize(from).map(ClientSecret::new)
}

fn token<'de, D: serde::Deserializer<'de>>(from: D) -> Result<AccessToken, D::Error> {
    String::deserialize(from).map(AccessToken::new)
}

fn refresh<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<RefreshToken>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(RefreshToken::new))
}

pub(super) fn sealed_at(id: &str) -> Place<'_> {
    Place { purpose: Purpose::Outbox, app: KEYS_OF, user: id, generation: 0 }
}

fn told(row: OutboxRow) -> Revocation {
    let told: Told = serde_json::from_str(&row.about).unwrap_or_default();
    let (outcome, code) = match row.ended_at {
        None => ("waiting", row.outcome.as_str()),
        Some(_) => row.outcome.split_once(' ').unwrap_or((&row.outcome, "")),
    };
    Revocation {
        app: row.app,
        account: told.account,
        provider_name: told.provider_name,
        outcome: outcome.to_owned(),
        code: code.to_owned(),
        permissions_url: told.permissions_url,
        asked_at: row.created_at,
        ended_at: row.ended_at,
    }
}
