//! The trip to the site's own provider, where a person agrees once that an App acts for them (C.4). A flow like any other,
//! with a state of its own, which leads back to what the person was about to do.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tessera_types::{AppId, AuthorizationCode, SecretBytes, routes};
use url::Url;

use super::begin::Begun;
use super::{CallbackQuery, Connect, Error, Visitor};
use crate::audit;
use crate::grants::{Act, Returned, of_site};
use crate::platform::AGREED;
use crate::vault::{Place, Purpose, Sealed};

/// What the flow keeps until it comes back.
#[derive(Serialize, Deserialize)]
struct Trip {
    flow: Vec<u8>,
    return_to: String,
    /// The ticket of a call that waits for the agreement; empty where none does.
    #[serde(default)]
    again: String,
}

/// A trip that ended.
#[derive(Debug)]
pub struct Agreed {
    /// The App's display name.
    pub app_name: String,
    /// Where the person was about to go: a path on our site, or nothing.
    pub return_to: String,
    /// The ticket of a call that waited for this; empty where none did.
    pub again: String,
    /// The site's refusal, as one of the fixed codes.
    pub declined: Option<&'static str>,
}

impl Connect {
    /// Sends a person to the site, to agree that the App acts for them; `return_to` is a path that was looked at,
    /// `again` the ticket of a call that waits.
    pub async fn begin_agreement(
        &self,
        app: &AppId,
        visitor: &Visitor<'_>,
        return_to: &str,
        again: &str,
    ) -> Result<Begun, Error> {
        let begun = Box::pin(self.try_begin_agreement(app, visitor, return_to, again)).await;
        match begun {
            Ok(begun) => Ok(begun),
            Err(error) => Err(self.refused(app, visitor, error).await),
        }
    }

    async fn try_begin_agreement(
        &self,
        app: &AppId,
        visitor: &Visitor<'_>,
        return_to: &str,
        again: &str,
    ) -> Result<Begun, Error> {
        self.person(visitor)?;
        self.apps.callable(app).await?;
        self.pace(&self.begins, &visitor.identity.user_id)?;
        let (own, state) = (of_site(app), self.fresh_state(visitor)?);
        let redirect = self.agreed_url(app)?;
        let act = acting(&own, visitor);
        let led = self.grants.site_authorize(&act, &redirect, &state).await?;
        let (url, flow) = led.ok_or_else(|| Error::NothingToAgree(app.clone()))?;
        let trip = Trip { flow: flow.to_vec(), return_to: return_to.to_owned(), again: again.to_owned() };
        let trip = zeroize::Zeroizing::new(serde_json::to_vec(&trip).map_err(|_| Error::TaskDied)?);
        let sealed = self.vault.seal(&place(&own), &trip).await?.into_bytes();
        let cookie = self.keep_state(&own, visitor, &state, redirect.to_string(), Some(sealed)).await?;
        self.note(audit::Act::FlowStarted, &own, visitor, "site").await?;
        Ok(Begun { url: url.to_string(), cookie })
    }

    /// Ends the trip: the code is swapped, in a task of its own that the browser cannot cancel, and the token kept.
    pub async fn end_agreement(
        self: &Arc<Self>,
        app: &AppId,
        visitor: &Visitor<'_>,
        query: CallbackQuery,
        cookie: Option<&str>,
    ) -> Result<Agreed, Error> {
        let ended = Box::pin(self.try_end_agreement(app, visitor, query, cookie)).await;
        match ended {
            Ok(agreed) => Ok(agreed),
            Err(error) => Err(self.refused(app, visitor, error).await),
        }
    }

    async fn try_end_agreement(
        self: &Arc<Self>,
        app: &AppId,
        visitor: &Visitor<'_>,
        query: CallbackQuery,
        cookie: Option<&str>,
    ) -> Result<Agreed, Error> {
        self.person(visitor)?;
        let record = self.apps.callable(app).await?;
        let own = of_site(app);
        let redirect = self.agreed_url(app)?;
        let state = query.state().ok_or(Error::NoState)?;
        let spent = self.redeem(state, &own, visitor, cookie, redirect.as_str()).await?;
        let sealed = Sealed::from_bytes(spent.flow.ok_or(Error::StateMismatch)?);
        let plain = self.vault.open_sealed(&place(&own), &sealed).await?;
        let trip: Trip = serde_json::from_slice(plain.expose()).map_err(|_| Error::StateMismatch)?;
        let app_name = record.manifest.display_name.clone();
        let (return_to, again, declined) = (trip.return_to, trip.again, query.declined());
        if declined.is_none() {
            let finish = Finish {
                own: own.clone(),
                user: visitor.identity.user_id.clone(),
                request: visitor.request.to_owned(),
                flow: SecretBytes::new(trip.flow),
                redirect,
                query,
            };
            let connect = Arc::clone(self);
            let work = async move { connect.swap(finish).await };
            self.tasks.run(work).await.unwrap_or(Err(Error::TaskDied))?;
        }
        self.note(audit::Act::FlowCompleted, &own, visitor, declined.unwrap_or("site")).await?;
        Ok(Agreed { app_name, return_to, again, declined })
    }

    async fn swap(&self, finish: Finish) -> Result<(), Error> {
        let Finish { own, user, request, flow, redirect, query } = finish;
        let code = query.get("code").filter(|code| !code.is_empty()).ok_or(Error::NoCode)?;
        let act = Act { actor: &user, app: &own, request: &request, reason: "agreement" };
        let returned = Returned {
            flow: &flow,
            redirect_uri: &redirect,
            code: AuthorizationCode::new(code),
            iss: query.get("iss"),
            values: query.values(),
        };
        self.grants.site_accept(&act, returned).await?;
        Ok(())
    }

    fn agreed_url(&self, app: &AppId) -> Result<Url, Error> {
        let path = format!("{}{AGREED}", routes::app_path(app));
        let url = routes::below_site(self.settings.site_url.as_str(), &path);
        Url::parse(&url).map_err(|_| Error::NoRedirect)
    }
}

/// What the task takes along.
struct Finish {
    own: AppId,
    user: String,
    request: String,
    flow: SecretBytes,
    redirect: Url,
    query: CallbackQuery,
}

fn acting<'a>(own: &'a AppId, visitor: &Visitor<'a>) -> Act<'a> {
    Act { actor: &visitor.identity.user_id, app: own, request: visitor.request, reason: "agreement" }
}

fn place(own: &AppId) -> Place<'_> {
    Place { purpose: Purpose::Flow, app: own.as_str(), user: "", generation: 0 }
}
