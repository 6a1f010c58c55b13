//! Signing in on a host name of our own: Mattermost's own provider says who somebody is, once. Its token is ended as soon as it
//! has told that, so that nothing which opens Mattermost is left with us.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use subtle::ConstantTimeEq as _;
use tessera_types::{AccessToken, AppId, AuthorizationCode, SecretBytes, User};
use url::Url;

use super::Mattermost;
use super::clients::grants;
use super::rest::As;
use crate::grants::{Act, Returned, of_site};
use crate::platform::{CameBack, Entered, Error, Leading, SIGNED_IN};
use crate::trail;
use crate::vault::{Domain, Place, Purpose, Sealed};

/// How long signing in may take, s.
const TRIP: i64 = 600;
/// A longer address is not come back to: it would not fit into the cookie.
const LONGEST_RETURN: usize = 1_024;

/// What the browser carries until it comes back, sealed. Nothing is stored for whoever has not signed in, so that nobody
/// fills the store.
#[derive(Serialize, Deserialize)]
struct Trip {
    state: String,
    flow: String,
    return_to: String,
    /// Unix ms.
    until: i64,
}

/// The name under which our own client at Mattermost's provider is kept. No App can have it.
pub(super) fn client_name() -> AppId {
    of_site(&AppId::unchecked(":sign-in"))
}

fn place(own: &AppId) -> Place<'_> {
    Place { purpose: Purpose::Flow, app: own.as_str(), user: "", generation: 0 }
}

fn request() -> String {
    trail::current().map(|trail| trail.request().to_string()).unwrap_or_default()
}

impl Mattermost {
    /// Where Mattermost sends people back to, once they are signed in there.
    pub(super) fn signed_in_url(&self) -> Result<Url, Error> {
        Url::parse(&self.own(SIGNED_IN)).map_err(|error| Error::Unreachable(error.to_string()))
    }

    pub(super) async fn lead_to_sign_in(&self, return_to: &str) -> Result<Leading, Error> {
        let (own, request, redirect) = (client_name(), request(), self.signed_in_url()?);
        self.ensure_sign_in_client(&request).await?;
        let state = URL_SAFE_NO_PAD.encode(self.env.bytes::<32>()?);
        let act = Act { actor: "", app: &own, request: &request, reason: "sign-in" };
        let led = self.grants.site_authorize(&act, &redirect, &state).await.map_err(grants)?;
        let (url, flow) = led.ok_or(Error::Contended("the client with which people sign in"))?;
        let damaged =
            |error: &dyn std::fmt::Display| Error::Damaged { what: "flow", reason: error.to_string() };
        let trip = Trip {
            flow: std::str::from_utf8(&flow).map_err(|error| damaged(&error))?.to_owned(),
            return_to: if return_to.len() > LONGEST_RETURN { String::new() } else { return_to.to_owned() },
            until: self.env.now_ms() + TRIP * 1_000,
            state,
        };
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(&trip).map_err(|error| damaged(&error))?);
        let sealed = self.vault.seal(&place(&own), &plain).await?.into_bytes();
        Ok(Leading {
            url,
            cookie: self.trip_cookie(&trip.state),
            value: AccessToken::new(URL_SAFE_NO_PAD.encode(sealed)),
            max_age: TRIP.unsigned_abs(),
        })
    }

    /// One name for each trip, so that several tabs can be on theirs.
    pub(super) fn trip_cookie(&self, state: &str) -> String {
        let digest = self.vault.digest(Domain::State, state.as_bytes());
        format!("tessera-sign-in-{}", URL_SAFE_NO_PAD.encode(&digest[..9]))
    }

    /// Who came back: None where this browser began no such trip, or too long ago, or it is nobody who may.
    pub(super) async fn come_back(
        &self,
        cookie: &AccessToken,
        back: CameBack<'_>,
    ) -> Result<Option<Entered>, Error> {
        let (own, request) = (client_name(), request());
        let Ok(sealed) = URL_SAFE_NO_PAD.decode(cookie.expose()) else { return Ok(None) };
        let Ok(plain) = self.vault.open_sealed(&place(&own), &Sealed::from_bytes(sealed)).await else {
            return Ok(None);
        };
        let Ok(trip) = serde_json::from_slice::<Trip>(plain.expose()) else { return Ok(None) };
        let is_its = bool::from(trip.state.as_bytes().ct_eq(back.state.as_bytes()));
        if !is_its || trip.until <= self.env.now_ms() {
            return Ok(None);
        }
        let act = Act { actor: "", app: &own, request: &request, reason: "sign-in" };
        let returned = Returned {
            flow: &SecretBytes::new(trip.flow.into_bytes()),
            redirect_uri: &self.signed_in_url()?,
            code: AuthorizationCode::new(back.code),
            iss: back.iss,
            values: &BTreeMap::new(),
        };
        let token = self.grants.site_swap(&act, returned).await.map_err(grants)?;
        let me: Result<User, Error> = self.rest.get(As::Token(&token), "/users/me").await;
        // It told what it was for.
        if let Err(error) = self.rest.tell(Method::POST, As::Token(&token), "/users/logout", &json!({})).await
        {
            tracing::warn!(%error, "a token that said who somebody is could not be ended, and ends by itself");
        }
        let me = me?;
        if me.delete_at != 0 || me.is_bot {
            return Ok(None);
        }
        let (session, max_age) = self.begin_session(&me.id).await?;
        tracing::info!(user = me.id, "signed in by Mattermost");
        Ok(Some(Entered { session, max_age, return_to: trip.return_to }))
    }
}
