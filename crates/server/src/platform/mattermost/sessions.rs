//! Sessions of browsers on a host name of our own. Each is a random value in a cookie, of which a hash is kept, and says no
//! more than who somebody is: what they may, and whether they are still there, is Mattermost's to say.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tessera_types::AccessToken;

use super::Mattermost;
use super::identity::Known;
use crate::platform::{CsrfProof, Error, Freshness, Identity};
use crate::store::BrowserSessionRow;
use crate::vault::Domain;

/// How long one lives at most, s.
const LIFE: i64 = 12 * 3_600;

impl Mattermost {
    /// A new session, whatever the browser had before: nobody else can know its value.
    pub(super) async fn begin_session(&self, user: &str) -> Result<(AccessToken, u64), Error> {
        let token = AccessToken::new(URL_SAFE_NO_PAD.encode(self.env.bytes::<32>()?));
        let row = BrowserSessionRow {
            digest: self.browser_digest(&token),
            user: user.to_owned(),
            expires_at: self.env.now_ms() + LIFE * 1_000,
        };
        self.sessions.add(row).await?;
        Ok((token, LIFE.unsigned_abs()))
    }

    /// Whose it is. The session itself is looked up each time; who its person is may be known for some seconds.
    pub(super) async fn identify_browser(
        &self,
        token: &AccessToken,
        proof: CsrfProof<'_>,
        freshness: Freshness,
    ) -> Result<Option<Identity>, Error> {
        // No page of ours is told a token to repeat, so that none proves anything.
        let is_proven = matches!(proof, CsrfProof::Safe | CsrfProof::XmlHttpRequest);
        if !is_proven {
            return Ok(None);
        }
        let digest = self.browser_digest(token);
        let now = self.env.now_ms();
        let Some(session) = self.sessions.find(&digest, now).await? else { return Ok(None) };
        let known = self.identities.get(&digest, now).filter(|_| freshness == Freshness::Cached);
        if let Some(Some(who)) = known {
            return Ok(Some(Identity::clone(&who)));
        }
        let Some(who) = Box::pin(self.whom_it_named(&session.user)).await? else {
            // Deactivated: whoever is activated again signs in again.
            self.sessions.delete_user(&session.user).await?;
            self.identities.remove(&digest);
            return Ok(None);
        };
        let session_id = digest[..13].iter().map(|byte| format!("{byte:02x}")).collect();
        let who = Arc::new(Identity { session_id, ..who });
        self.identities.put(digest, Known { asked_at: now, who: Some(Arc::clone(&who)) });
        Ok(Some(Identity::clone(&who)))
    }

    /// Ends one.
    pub(super) async fn end_browser(&self, token: &AccessToken) -> Result<(), Error> {
        let digest = self.browser_digest(token);
        self.sessions.delete(&digest).await?;
        self.identities.remove(&digest);
        Ok(())
    }

    fn browser_digest(&self, token: &AccessToken) -> [u8; 32] {
        self.vault.digest(Domain::Session, format!("browser:{}", token.expose()).as_bytes())
    }
}
