//! States, and the cookies that bind flows to browsers.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tessera_types::AppId;
use url::Url;

use super::{Bind, Connect, Error, Visitor};
use crate::env::{Env, RngError};
use crate::rate::{Limit, Wait};
use crate::store::StateRow;
use crate::vault::Domain;

/// A cookie to be set when a flow begins.
#[derive(Debug, Clone)]
pub struct FlowCookie {
    /// Without prefix: one name for each flow, so that several tabs work.
    pub name: String,
    /// 32 random bytes in base64url.
    pub value: tessera_types::AccessToken,
    /// Seconds it is good for.
    pub max_age: u64,
}

/// The name of the cookie of the flow with this state, without prefix.
pub fn flow_cookie_name(digest: &[u8; 32]) -> String {
    format!("tessera-flow-{}", URL_SAFE_NO_PAD.encode(&digest[..9]))
}

/// A state that was issued.
pub(super) struct Issued {
    pub(super) state: String,
    pub(super) cookie: Option<FlowCookie>,
    /// The provider's address, where it is ours to build.
    pub(super) url: Option<Url>,
}

/// Stands in the row of a flow in a browser that brought no cookie: never equal to a real hash, never empty.
const NO_BROWSER: [u8; 1] = [0];

/// 32 random bytes in base64url, a dot, the person's id: 256 bits that Apps may take for any text (OS-01).
fn fresh(env: &Env, user: &str) -> Result<String, RngError> {
    Ok(format!("{}.{user}", URL_SAFE_NO_PAD.encode(env.bytes::<32>()?)))
}

impl Connect {
    /// A fresh state, stored: 32 random bytes in base64url, a dot, the person's id (OS-01). With `probe` its flow connects
    /// nobody.
    pub(super) async fn issue(
        &self,
        app: &AppId,
        visitor: &Visitor<'_>,
        probe: bool,
    ) -> Result<Issued, Error> {
        let state = self.fresh_state(visitor)?;
        let (url, flow) = self.managed_flow(app, visitor, &state, probe).await?.unzip();
        let cookie = self.keep_state(app, visitor, &state, self.redirect_uri(app), flow).await?;
        Ok(Issued { state, cookie, url })
    }

    /// A state that nobody has seen.
    pub(super) fn fresh_state(&self, visitor: &Visitor<'_>) -> Result<String, Error> {
        Ok(fresh(&self.env, &visitor.identity.user_id)?)
    }

    /// Stores a state, with where its flow comes back to and what it keeps until then; gives the cookie that binds it.
    pub(super) async fn keep_state(
        &self,
        app: &AppId,
        visitor: &Visitor<'_>,
        state: &str,
        redirect: String,
        flow: Option<Vec<u8>>,
    ) -> Result<Option<FlowCookie>, Error> {
        let user = &visitor.identity.user_id;
        let digest = self.digest(state);
        let now = self.env.now_ms();
        let bound = visitor.by_cookie && self.settings.bind == Bind::Browser;
        let cookie = match bound {
            true => Some(FlowCookie {
                name: flow_cookie_name(&digest),
                value: tessera_types::AccessToken::new(URL_SAFE_NO_PAD.encode(self.env.bytes::<32>()?)),
                max_age: self.settings.state_life.as_secs(),
            }),
            false => None,
        };
        let browser = cookie.as_ref().map(|cookie| self.browser_hash(cookie.value.expose()));
        let row = StateRow {
            digest,
            user: user.clone(),
            app: app.as_str().to_owned(),
            browser: browser.map(Vec::from).unwrap_or_default(),
            redirect,
            created_at: now,
            expires_at: now + i64::try_from(self.settings.state_life.as_millis()).unwrap_or(i64::MAX / 2),
            flow,
        };
        let most = match self.settings.pending_flows {
            0 => i64::MAX,
            most => most.into(),
        };
        if self.states.insert_within(row, most).await? {
            return Ok(cookie);
        }
        // One that ended just now makes room at once.
        let frees_at = self.states.frees_at(user, app.as_str(), now, most).await?.unwrap_or(now);
        let wait = Wait::of_ms(frees_at - now);
        Err(Error::TooManyFlows { app: app.clone(), most: self.settings.pending_flows, wait })
    }

    /// Takes one of what this person may do within a minute.
    pub(super) fn pace(&self, limit: &Limit, user: &str) -> Result<(), Error> {
        limit.take(user).map_err(|wait| Error::TooFast { many: limit.many(), wait })
    }

    /// Takes back the state of a flow that did not begin after all, which would count among those that its person has
    /// open.
    pub(super) async fn abandon(&self, state: &str) {
        if let Err(error) = self.states.forget(&self.digest(state)).await {
            tracing::warn!(%error, "the state of a flow that did not begin stays until it expires");
        }
    }

    /// Spends a state in one statement. A wrong person, App or browser consumes nothing (OS-03). What the database
    /// compares are keyed hashes of the state and the cookie: how long that takes tells nothing about either (OS-05).
    pub(super) async fn redeem(
        &self,
        state: &str,
        app: &AppId,
        visitor: &Visitor<'_>,
        cookie: Option<&str>,
        redirect: &str,
    ) -> Result<StateRow, Error> {
        let user = &visitor.identity.user_id;
        // Exactly one dot, and behind it the person who stands here.
        match state.split_once('.') {
            Some((_, owner)) if !owner.contains('.') && owner == user => {}
            _ => return Err(Error::Forbidden),
        }
        let browser = cookie.map_or(NO_BROWSER.to_vec(), |cookie| self.browser_hash(cookie).to_vec());
        let digest = self.digest(state);
        let spent = self.states.redeem(&digest, user, app.as_str(), &browser, self.env.now_ms()).await?;
        match spent {
            Some(row) if row.redirect == redirect => Ok(row),
            _ => Err(Error::StateMismatch),
        }
    }

    /// The keyed hash under which a state is stored.
    pub fn digest(&self, state: &str) -> [u8; 32] {
        self.vault.digest(Domain::State, state.as_bytes())
    }

    fn browser_hash(&self, cookie: &str) -> [u8; 32] {
        self.vault.digest(Domain::Flow, cookie.as_bytes())
    }

    pub(super) fn redirect_uri(&self, app: &AppId) -> String {
        tessera_types::routes::complete_url(self.settings.site_url.as_str(), app)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn short(text: &str) -> [u8; 12] {
        text.as_bytes().try_into().unwrap()
    }

    #[test]
    fn os_01_a_million_states_differ_in_every_part_of_43_characters() {
        let env = Env::system();
        let mut heads = HashSet::new();
        let mut tails = HashSet::new();
        for _ in 0..1_000_000 {
            let state = fresh(&env, "user").unwrap();
            let (random, user) = state.split_once('.').unwrap();
            assert_eq!((random.len(), user), (43, "user"));
            assert!(
                random.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)),
                "{random}"
            );
            // Twelve characters at either end have 70 bits or more, and do not repeat either: a source that fills
            // only a part of the 256 would show.
            heads.insert(short(&random[..12]));
            tails.insert(short(&random[random.len() - 12..]));
        }
        assert_eq!((heads.len(), tails.len()), (1_000_000, 1_000_000));
    }
}
