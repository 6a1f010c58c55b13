//! Connect: from a click to the provider's address.

use std::collections::BTreeMap;

use serde_json::Value;
use tessera_types::{App, AppId, CallResponse, Context, RawJson, routes};
use url::Url;

use super::state::Issued;
use super::{Connect, Error, FlowCookie, Visitor};
use crate::audit;
use crate::calls::ServerCall;
use crate::grants::{Act, REMOTE_OAUTH2};

/// A flow that began.
#[derive(Debug)]
pub struct Begun {
    /// Where the browser goes.
    pub url: String,
    /// What binds the flow to the browser.
    pub cookie: Option<FlowCookie>,
}

impl Connect {
    /// Whether this App can be connected by this visitor at all, before anything is begun. Gives its display name.
    pub async fn connectable(&self, app: &AppId, visitor: &Visitor<'_>) -> Result<String, Error> {
        self.person(visitor)?;
        let record = self.apps.callable(app).await?;
        match record.is_granted(REMOTE_OAUTH2) {
            true => Ok(record.manifest.display_name.clone()),
            false => Err(Error::ConnectNotPermitted(app.clone())),
        }
    }

    /// Whether the visitor has a connection with the App already: who has one was asked before (OS-17).
    pub async fn is_connected(&self, app: &AppId, visitor: &Visitor<'_>) -> Result<bool, Error> {
        let act =
            Act { actor: &visitor.identity.user_id, app, request: visitor.request, reason: "confirm page" };
        Ok(self.grants.is_connected(&act).await?)
    }

    /// Begins a flow: a state is made, the App is asked where to go, and its answer is checked.
    pub async fn begin(&self, app: &AppId, visitor: &Visitor<'_>) -> Result<Begun, Error> {
        match self.try_begin(app, visitor).await {
            Ok(begun) => Ok(begun),
            Err(error) => Err(self.refused(app, visitor, error).await),
        }
    }

    async fn try_begin(&self, app: &AppId, visitor: &Visitor<'_>) -> Result<Begun, Error> {
        self.connectable(app, visitor).await?;
        let record = self.apps.callable(app).await?;
        // First of all: the App may not be asked, nor a state be spent, while a token that it needs for that is missing.
        if let Some(url) = self.agreement_first(&record, app, visitor).await? {
            return Ok(Begun { url, cookie: None });
        }
        self.pace(&self.begins, &visitor.identity.user_id)?;
        let Issued { state, cookie, url } = self.issue(app, visitor, false).await?;
        let bound = if cookie.is_some() { "browser" } else { "person" };
        let led = match url {
            // An administrator said where: nobody asks the App.
            Some(url) => {
                self.note(audit::Act::FlowStarted, app, visitor, bound).await.map(|()| url.to_string())
            }
            None => self.lead(&record, app, visitor, &state, bound).await,
        };
        match led {
            Ok(url) => Ok(Begun { url, cookie }),
            Err(error) => {
                // Its cookie never gets to the browser, so nobody could spend it. A person's own token may still: as
                // in the original, an App that said no knows the state (C-OC-15).
                if cookie.is_some() {
                    self.abandon(&state).await;
                }
                Err(error)
            }
        }
    }

    /// Where the person must go first, and come back from: an App that acts for them within this flow may do so only once
    /// they agreed.
    async fn agreement_first(
        &self,
        record: &App,
        app: &AppId,
        visitor: &Visitor<'_>,
    ) -> Result<Option<String>, Error> {
        let acts = |call: tessera_types::Call| {
            call.expand.is_some_and(|expand| !matches!(expand.acting_user_access_token.as_str(), "" | "none"))
        };
        let manifest = &record.manifest;
        if !acts(manifest.connect_call()) && !acts(manifest.complete_call()) {
            return Ok(None);
        }
        let Some(url) = self.calls.where_to_agree(app, &visitor.identity.user_id).await? else {
            return Ok(None);
        };
        let mut url = Url::parse(&url).map_err(|_| Error::NoRedirect)?;
        let back = Url::parse(&routes::connect_url(self.settings.site_url.as_str(), app));
        let back = back.map_err(|_| Error::NoRedirect)?;
        url.query_pairs_mut().append_pair("return_to", back.path());
        Ok(Some(url.into()))
    }

    /// Where the App leads with this state: nowhere that it must not (OS-08).
    async fn lead(
        &self,
        record: &App,
        app: &AppId,
        visitor: &Visitor<'_>,
        state: &str,
        bound: &str,
    ) -> Result<String, Error> {
        self.note(audit::Act::FlowStarted, app, visitor, bound).await?;
        let value = RawJson::from_value(&state).map_err(|_| Error::TaskDied)?;
        let response = self
            .calls
            .server_call(ServerCall {
                app: record,
                call: record.manifest.connect_call(),
                values: BTreeMap::from([("state".to_owned(), value)]),
                given: Context::default(),
                acting: Some(&visitor.identity.user_id),
                request: visitor.request,
                deadline: visitor.deadline,
            })
            .await
            .map_err(Error::FromApp)?;
        let url = url_of(response)?;
        self.check_url(app, visitor, &url, state).await?;
        Ok(url)
    }
}

/// The provider's address in an App's answer (section 2.5, steps 4 to 6).
fn url_of(response: CallResponse) -> Result<String, Error> {
    if response.is_error() {
        return Err(Error::AppSaidNo(response.text));
    }
    if !matches!(response.kind.as_str(), "" | CallResponse::OK) {
        return Err(Error::ResponseType(response.kind));
    }
    match response.data.unwrap_or_default().to::<Value>() {
        Ok(Value::String(url)) if !url.is_empty() => Ok(url),
        Ok(Value::String(_)) => Err(Error::DataType("string")),
        Ok(Value::Null) | Err(_) => Err(Error::DataType("<nil>")),
        Ok(Value::Bool(_)) => Err(Error::DataType("bool")),
        Ok(Value::Number(_)) => Err(Error::DataType("float64")),
        Ok(Value::Array(_)) => Err(Error::DataType("[]interface {}")),
        Ok(Value::Object(_)) => Err(Error::DataType("map[string]interface {}")),
    }
}
