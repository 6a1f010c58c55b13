//! A callback that arrives without a session waits, sealed, while its owner signs in: never in a URL
//! (decisions.md section 3, 1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tessera_types::{AccessToken, AppId};

use super::{Connect, Error};
use crate::vault::{Domain, Place, Purpose, Sealed};

/// Seconds that a parked callback waits.
pub const PARKED_FOR: u64 = 15 * 60;

impl Connect {
    /// Puts a callback's query aside. Gives the value of the one-time cookie that gets it back.
    ///
    /// Nobody is signed in, so what is kept is bounded by the flows that people began: one that is not open is refused
    /// now rather than after the detour, and each person's are parked so often in a minute only (OS-55).
    pub async fn park(&self, app: &AppId, query: &str) -> Result<AccessToken, Error> {
        let callback = super::CallbackQuery::parse(query)?;
        self.apps.callable(app).await?;
        let digest = self.digest(callback.state().ok_or(Error::NoState)?);
        let owner = self.states.owner(&digest, app.as_str(), self.env.now_ms()).await?;
        self.pace(&self.parks, &owner.ok_or(Error::StateMismatch)?)?;
        let ticket = URL_SAFE_NO_PAD.encode(self.env.bytes::<32>()?);
        let sealed = self.vault.seal(&place(app), query.as_bytes()).await?;
        let until = self.env.now_ms() + i64::try_from(PARKED_FOR * 1000).unwrap_or_default();
        let digest = self.vault.digest(Domain::Parked, ticket.as_bytes());
        self.states.park(&digest, sealed.as_bytes(), until).await?;
        Ok(AccessToken::new(ticket))
    }

    /// Takes a parked query back: once.
    pub async fn unpark(&self, app: &AppId, ticket: &str) -> Result<Option<String>, Error> {
        let digest = self.vault.digest(Domain::Parked, ticket.as_bytes());
        let Some(sealed) = self.states.unpark(&digest, self.env.now_ms()).await? else { return Ok(None) };
        let plain = self.vault.open_sealed(&place(app), &Sealed::from_bytes(sealed)).await?;
        Ok(Some(String::from_utf8_lossy(plain.expose()).into_owned()))
    }
}

fn place(app: &AppId) -> Place<'_> {
    Place { purpose: Purpose::Parked, app: app.as_str(), user: "", generation: 0 }
}
