//! Signing in and out, and whose a credential is.

use std::sync::Arc;

use subtle::ConstantTimeEq as _;
use tessera_types::{AccessToken, AppId, Password, User};

use super::people::user_of;
use super::{Error, Refusal, Standalone, well_formed};
use crate::platform::{self, Credential, CsrfProof, Identity};
use crate::store::AppTokenRow;
use crate::store::site::SessionRow;
use crate::vault::Domain;

/// A person who just signed in.
pub struct SignedIn {
    /// The session's token: told once, stored nowhere.
    pub token: AccessToken,
    /// What a cookie's requests must repeat.
    pub csrf: String,
    /// Who.
    pub user: User,
}

/// What a token stands for.
enum Session {
    Person(Arc<SessionRow>),
    App(Arc<AppTokenRow>),
}

impl Session {
    fn user(&self) -> &str {
        match self {
            Self::Person(row) => &row.user,
            Self::App(row) => &row.user,
        }
    }

    fn csrf(&self) -> &str {
        match self {
            Self::Person(row) => &row.csrf,
            Self::App(row) => &row.csrf,
        }
    }
}

impl Standalone {
    /// Signs a person in by user name or e-mail address.
    pub async fn sign_in(&self, login_id: &str, password: &Password) -> Result<SignedIn, Error> {
        let account = login_id.trim().to_lowercase();
        if account.is_empty() || account.len() > 256 || password.is_empty() {
            return Err(Refusal::bad_login().into());
        }
        let found = self.site.people.by_login(&account).await?;
        // One count for user name and address: they open the same door.
        let counted = found.as_ref().map_or(account.as_str(), |(row, _)| row.username.as_str());
        self.throttle.attempt(counted).map_err(Refusal::too_many_logins)?;
        let counted = counted.to_owned();
        let (row, hash) = found.map_or((None, None), |(row, hash)| (Some(row), hash));
        let right = self.passwords.verify(password, hash).await?;
        let Some(row) = row.filter(|_| right) else { return Err(Refusal::bad_login().into()) };
        self.throttle.passed(&counted);
        if row.delete_at != 0 {
            return Err(Refusal::inactive().into());
        }
        let signed_in = self.begin_session(user_of(&row)?).await?;
        // Who was deactivated at this very moment shall not find a live session after coming back.
        if self.person(&row.id).await?.delete_at != 0 {
            self.end_sessions(&row.id).await?;
            return Err(Refusal::inactive().into());
        }
        Ok(signed_in)
    }

    async fn begin_session(&self, user: User) -> Result<SignedIn, Error> {
        let now = self.env.now_ms();
        let token = AccessToken::new(self.env.id()?);
        let csrf = self.env.id()?;
        let row = SessionRow {
            digest: self.session_digest(&token),
            id: self.env.id()?,
            user: user.id.clone(),
            csrf: csrf.clone(),
            created_at: now,
            expires_at: now.saturating_add(self.settings.session_life_ms),
        };
        self.site.sessions.add(row).await?;
        Ok(SignedIn { token, csrf, user })
    }

    /// Ends the session of a token, an App's included, at once.
    pub async fn sign_out(&self, token: &AccessToken) -> Result<(), Error> {
        let person = self.site.sessions.delete(&self.session_digest(token)).await?;
        if person || self.tokens.revoke(token).await? {
            self.hub.recheck();
        }
        Ok(())
    }

    /// Whose a credential is.
    pub(super) async fn identify(
        &self,
        credential: Credential<'_>,
    ) -> Result<Option<Identity>, platform::Error> {
        let (token, proof) = match credential {
            Credential::Bearer(token) => (token, None),
            Credential::Cookie { token, proof } => (token, Some(proof)),
        };
        let Some(session) = self.session(token).await? else { return Ok(None) };
        if proof.is_some_and(|proof| !self.proves(&proof, session.csrf())) {
            return Ok(None);
        }
        let Some(user) = self.site.people.get(session.user()).await? else { return Ok(None) };
        if user.delete_at != 0 {
            return Ok(None);
        }
        let (app, session_id) = match &session {
            Session::Person(row) => (None, row.id.clone()),
            Session::App(row) => (Some(AppId::unchecked(row.app.as_str())), row.id.clone()),
        };
        Ok(Some(Identity {
            user_id: user.id.clone(),
            username: user.username.clone(),
            display_name: user.display_name.clone(),
            is_bot: user.is_bot,
            app,
            session_id,
        }))
    }

    /// The valid session of a token. Both memories are asked before the database is.
    async fn session(&self, token: &AccessToken) -> Result<Option<Session>, platform::Error> {
        if !well_formed(token) {
            return Ok(None);
        }
        if let Some(row) = self.tokens.cached(token) {
            return Ok(Some(Session::App(row)));
        }
        let digest = self.session_digest(token);
        let person = match self.site.sessions.cached(&digest) {
            Some(row) => Some(row),
            None => match self.tokens.find(token).await? {
                Some(row) => return Ok(Some(Session::App(row))),
                None => self.site.sessions.find(&digest).await?,
            },
        };
        let now = self.env.now_ms();
        Ok(person.filter(|row| row.expires_at > now).map(Session::Person))
    }

    fn proves(&self, proof: &CsrfProof<'_>, csrf: &str) -> bool {
        match proof {
            CsrfProof::Safe => true,
            CsrfProof::Token(given) => bool::from(given.as_bytes().ct_eq(csrf.as_bytes())),
            CsrfProof::XmlHttpRequest => !self.settings.strict_csrf,
            CsrfProof::Missing => false,
        }
    }

    fn session_digest(&self, token: &AccessToken) -> [u8; 32] {
        self.vault.digest(Domain::Session, token.expose().as_bytes())
    }
}
