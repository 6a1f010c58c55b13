//! Who is calling: from a token to a person or a bot (C.2). Mattermost is asked with the token itself; its answer serves
//! reads for a few seconds, and nothing else.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use quick_cache::unsync::Cache;
use serde_json::json;
use tessera_types::{AccessToken, AppId, User};

use super::Mattermost;
use super::joined::{Turn, heard};
use super::rest::As;
use crate::platform::{Credential, CsrfProof, Error, Freshness, Identity};
use crate::vault::Domain;

/// How long an answer serves reads, ms (decisions.md section 4).
pub(super) const FRESH_MS: i64 = 10_000;
/// The same of "nobody": a new session is noticed sooner.
const NOBODY_MS: i64 = 5_000;
/// How many tokens are remembered.
const HELD: usize = 100_000;
/// A longer text is no token of a Mattermost.
const LONGEST_TOKEN: usize = 50;

/// What was answered of a token, by its hash.
pub(super) struct Identities(Mutex<Cache<[u8; 32], Known>>);

#[derive(Clone)]
pub(super) struct Known {
    pub(super) asked_at: i64,
    pub(super) who: Option<Arc<Identity>>,
}

impl Identities {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Cache::new(HELD)))
    }

    pub(super) fn get(&self, digest: &[u8; 32], now: i64) -> Option<Option<Arc<Identity>>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()?;
        let serves = if known.who.is_some() { FRESH_MS } else { NOBODY_MS };
        (now - known.asked_at < serves).then_some(known.who)
    }

    pub(super) fn put(&self, digest: [u8; 32], known: Known) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, known);
    }

    pub(super) fn remove(&self, digest: &[u8; 32]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(digest);
    }

    /// From here on everybody is asked about anew.
    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Mattermost {
    pub(super) async fn identify(
        &self,
        credential: Credential<'_>,
        freshness: Freshness,
    ) -> Result<Option<Identity>, Error> {
        let (token, proof) = match credential {
            Credential::Bearer(token) => (token, None),
            Credential::Cookie { token, proof } if self.settings.is_apart() => {
                return self.identify_browser(token, proof, freshness).await;
            }
            Credential::Cookie { token, proof } => (token, Some(proof)),
        };
        if !is_token(token) {
            return Ok(None);
        }
        let digest = self.session_digest(token);
        let now = self.env.now_ms();
        let known = self.identities.get(&digest, now).filter(|_| freshness == Freshness::Cached);
        let who = match known {
            Some(who) => who,
            // On the heap: most requests find what they need above, and every future would carry it.
            None if freshness == Freshness::Cached => Box::pin(self.ask_once(token, digest)).await?,
            // Who must know it as it is now does not hear what somebody asked before.
            None => Box::pin(self.ask_now(token, digest)).await?,
        };
        let Some(who) = who else { return Ok(None) };
        if let Some(proof) = proof
            && !self.is_proven(token, &who, proof).await?
        {
            return Ok(None);
        }
        Ok(Some(Identity::clone(&who)))
    }

    /// For reads: whoever wants to know of the same token meanwhile hears the same answer. Nobody holds anything while it is
    /// asked; where whoever asks fails, or goes away, the others ask for themselves.
    async fn ask_once(&self, token: &AccessToken, digest: [u8; 32]) -> Result<Option<Arc<Identity>>, Error> {
        let asking = match self.questions.join(digest) {
            Turn::Asks(asking) => asking,
            Turn::Waits(told) => match heard(told).await {
                Some(who) => return Ok(who),
                None => return self.ask_now(token, digest).await,
            },
        };
        // It may have been answered between our look and our turn.
        let known = self.identities.get(&digest, self.env.now_ms());
        let who = match known {
            Some(who) => who,
            None => self.ask_now(token, digest).await?,
        };
        asking.answered(who.clone());
        Ok(who)
    }

    async fn ask_now(&self, token: &AccessToken, digest: [u8; 32]) -> Result<Option<Arc<Identity>>, Error> {
        let now = self.env.now_ms();
        let who = self.ask_who(token, &digest).await?.map(Arc::new);
        self.identities.put(digest, Known { asked_at: now, who: who.clone() });
        Ok(who)
    }

    fn session_digest(&self, token: &AccessToken) -> [u8; 32] {
        self.vault.digest(Domain::Session, token.expose().as_bytes())
    }

    /// Ends somebody's session, at Mattermost: as its own page does.
    pub(super) async fn end_session(&self, token: &AccessToken) -> Result<(), Error> {
        if self.settings.is_apart() {
            return self.end_browser(token).await;
        }
        if !is_token(token) {
            return Ok(());
        }
        let ended = self.rest.tell(Method::POST, As::Token(token), "/users/logout", &json!({})).await;
        self.identities.remove(&self.session_digest(token));
        match ended {
            Ok(()) | Err(Error::Site { status: 401, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn ask_who(&self, token: &AccessToken, digest: &[u8; 32]) -> Result<Option<Identity>, Error> {
        // As a header, never as a cookie: so the answer touches nobody's cookies.
        let user: User = match self.rest.get(As::Token(token), "/users/me").await {
            Ok(user) => user,
            Err(Error::Site { status: 401, .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        if user.delete_at != 0 {
            return Ok(None);
        }
        let app = self.app_of(token, &user).await?;
        let session_id = digest[..13].iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Some(Identity {
            display_name: display_name(&user),
            user_id: user.id,
            username: user.username,
            is_bot: user.is_bot,
            app,
            session_id,
        }))
    }

    /// Whose App a token is: our own table says so, as Mattermost tells it to nobody but the session itself.
    async fn app_of(&self, token: &AccessToken, user: &User) -> Result<Option<AppId>, Error> {
        if let Some(row) = self.tokens.find(token).await? {
            return Ok((row.user == user.id).then(|| AppId::unchecked(row.app.as_str())));
        }
        if !user.is_bot {
            return Ok(None);
        }
        // Another token of an App's bot, made by an administrator for the App's author.
        let apps = self.apps.all().await?;
        let app = apps.iter().find(|app| app.bot_user_id == user.id);
        Ok(app.map(|app| AppId::unchecked(app.manifest.app_id.as_str())))
    }

    /// A cookie's request must prove where it comes from; Mattermost itself is asked whether it does, by a request that
    /// changes nothing and needs the same proof.
    async fn is_proven(
        &self,
        token: &AccessToken,
        who: &Identity,
        proof: CsrfProof<'_>,
    ) -> Result<bool, Error> {
        let mut headers = HeaderMap::new();
        match proof {
            CsrfProof::Safe => return Ok(true),
            CsrfProof::Missing => return Ok(false),
            CsrfProof::Token(given) => {
                let Ok(given) = HeaderValue::from_str(given) else { return Ok(false) };
                headers.insert("x-csrf-token", given);
            }
            CsrfProof::XmlHttpRequest => {
                headers.insert("x-requested-with", HeaderValue::from_static("XMLHttpRequest"));
            }
        }
        let Ok(mut cookie) = HeaderValue::from_str(&format!("MMAUTHTOKEN={}", token.expose())) else {
            return Ok(false);
        };
        cookie.set_sensitive(true);
        headers.insert(header::COOKIE, cookie);
        let body = Bytes::from(format!("[\"{}\"]", who.user_id));
        let reply = self.rest.exchange(Method::POST, "/users/status/ids", headers, Some(body)).await?;
        match reply.status {
            status if status.is_success() => Ok(true),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Ok(false),
            status => Err(Error::Site { status: status.as_u16(), id: String::new(), message: String::new() }),
        }
    }
}

fn is_token(token: &AccessToken) -> bool {
    let text = token.expose();
    (1..=LONGEST_TOKEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Nickname, else "first last", else user name (section 0.7, NOBOT).
pub(super) fn display_name(user: &User) -> String {
    let full = format!("{} {}", user.first_name.trim(), user.last_name.trim());
    let names = [user.nickname.trim(), full.trim(), user.username.as_str()];
    names.into_iter().find(|name| !name.is_empty()).unwrap_or_default().to_owned()
}
