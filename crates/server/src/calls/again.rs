//! Calls that need a token which their person has not agreed to yet. What was asked waits, sealed, until they come back from
//! agreeing, and is given out once: to them alone, for what the link carried, within a few minutes.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use tessera_types::{AppId, CallRequest, Context};

use super::Calls;
use crate::env::{Env, RngError};
use crate::platform::Identity;
use crate::store::{self, Asked, Store};
use crate::vault::{self, Domain, Place, Purpose, Sealed, Vault};

/// How long it waits, ms.
const WAITS_FOR: i64 = 10 * 60_000;
/// How much of a call is kept, in bytes: a larger one is asked again by hand.
const LARGEST: usize = 64 << 10;

/// Where such calls wait.
pub struct Waiting {
    asked: Asked,
    vault: Arc<Vault>,
    env: Env,
}

/// What was asked.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    /// The call, without anything that was expanded.
    pub request: CallRequest,
    /// Where later answers to the command go that it came from; empty where it came from none.
    pub hook: String,
}

/// Why a call that waited cannot be told.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant is the lower room's own text")]
pub enum WaitError {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Vault(#[from] vault::Error),
    #[error(transparent)]
    Rng(#[from] RngError),
    #[error("a call that waited is damaged: {0}")]
    Damaged(#[from] serde_json::Error),
}

impl Waiting {
    /// In this store.
    pub fn new(store: &Store, vault: Arc<Vault>, env: Env) -> Self {
        Self { asked: store.asked.clone(), vault, env }
    }

    fn digest(&self, ticket: &str) -> [u8; 32] {
        self.vault.digest(Domain::Asked, ticket.as_bytes())
    }

    async fn keep(&self, app: &AppId, user: &str, kept: &Kept) -> Result<Option<String>, WaitError> {
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(kept)?);
        if plain.len() > LARGEST {
            return Ok(None);
        }
        let ticket = URL_SAFE_NO_PAD.encode(self.env.bytes::<32>()?);
        let sealed = self.vault.seal(&place(app, user), &plain).await?;
        let now = self.env.now_ms();
        let digest = self.digest(&ticket);
        self.asked.keep(user, app.as_str(), &digest, sealed.as_bytes(), now, now + WAITS_FOR).await?;
        Ok(Some(ticket))
    }
}

fn place<'a>(app: &'a AppId, user: &'a str) -> Place<'a> {
    Place { purpose: Purpose::Asked, app: app.as_str(), user, generation: 0 }
}

impl Calls {
    /// The same, where calls wait for their person to agree.
    #[must_use]
    pub fn waiting(self, waiting: Waiting) -> Self {
        Self { waiting: Some(waiting), ..self }
    }

    /// Puts a call aside, and gives what its person brings back. None for what nobody would miss, such as what is looked up
    /// while somebody types, and for an App that acts for somebody: it may ask again by itself.
    pub(super) async fn put_aside(
        &self,
        app: &AppId,
        caller: &Identity,
        hook: Option<&str>,
        request: CallRequest,
    ) -> Option<String> {
        let (waiting, hook) = (self.waiting.as_ref()?, hook?);
        let is_by_the_way = !request.query.is_empty() || !request.selected_field.is_empty();
        if caller.app.is_some() || caller.is_bot || is_by_the_way {
            return None;
        }
        let request = CallRequest { context: of_ids(request.context), ..request };
        let kept = Kept { request, hook: hook.to_owned() };
        let ticket = waiting.keep(app, &caller.user_id, &kept).await;
        // Whoever asked can ask again: the link is what matters.
        ticket.inspect_err(|error| tracing::warn!(%error, "a call could not be put aside")).ok().flatten()
    }

    /// What this person asked of this App, taken out: there is none a second time.
    pub async fn take_back(&self, app: &AppId, user: &str, ticket: &str) -> Result<Option<Kept>, WaitError> {
        let Some(waiting) = self.waiting.as_ref().filter(|_| !ticket.is_empty()) else { return Ok(None) };
        let (digest, now) = (waiting.digest(ticket), waiting.env.now_ms());
        let Some(sealed) = waiting.asked.take(user, app.as_str(), &digest, now).await? else {
            return Ok(None);
        };
        let plain = waiting.vault.open_sealed(&place(app, user), &Sealed::from_bytes(sealed)).await?;
        Ok(Some(serde_json::from_slice(plain.expose())?))
    }
}

/// What a user agent may say of where it is; whatever else a request had in it, tokens above all, is not kept.
fn of_ids(context: Context) -> Context {
    let Context { channel_id, team_id, post_id, root_post_id, user_id, app_id, location, .. } = context;
    let (user_agent, track_as_submit) = (context.user_agent, context.track_as_submit);
    Context {
        channel_id,
        team_id,
        post_id,
        root_post_id,
        user_id,
        app_id,
        location,
        user_agent,
        track_as_submit,
        ..Context::default()
    }
}
