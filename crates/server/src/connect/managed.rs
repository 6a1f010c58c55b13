//! Flows of managed Apps: the service builds the provider's address, swaps the code, and tells the App afterwards
//! (decisions.md section 2).

use std::collections::BTreeMap;
use std::sync::Arc;

use tessera_types::{App, AppId, AuthorizationCode, CallResponse, Context, Expand, RawJson, SecretBytes};
use url::Url;

use super::complete::{CallbackQuery, Completed, Finish};
use super::{Connect, Error, Visitor};
use crate::audit;
use crate::calls::{CallError, ServerCall};
use crate::grants::{About, Accepted, Act, DeviceFlow, DeviceState, Returned};
use crate::upstream;
use crate::vault::{Place, Purpose, Sealed};

/// The same person, another account at the provider: they are asked before anything changes.
#[derive(Debug)]
pub struct Choice {
    /// What takes the new account, or ends it.
    pub ticket: String,
    /// The account that is connected: `somebody@example.com at Google`.
    pub before: String,
    /// The new one.
    pub after: String,
}

impl Connect {
    /// Where this App's people are sent, and what the flow keeps, sealed; None where the App says where.
    pub(super) async fn managed_flow(
        &self,
        app: &AppId,
        visitor: &Visitor<'_>,
        state: &str,
        probe: bool,
    ) -> Result<Option<(Url, Vec<u8>)>, Error> {
        let redirect = self.redirect_url(app)?;
        let act = act(app, visitor, "connect");
        let led = self.grants.authorize(&act, &redirect, state, probe).await?;
        let Some((url, flow)) = led else { return Ok(None) };
        let sealed = self.vault.seal(&place(app), &flow).await?;
        Ok(Some((url, sealed.into_bytes())))
    }

    /// The redirect URI as it goes to the provider: from the site's configured address alone (OS-09).
    fn redirect_url(&self, app: &AppId) -> Result<Url, Error> {
        Url::parse(&self.redirect_uri(app)).map_err(|_| Error::NoRedirect)
    }

    /// Ends a flow whose state was spent: the code is swapped, the grant kept, and the App told.
    pub(super) async fn finish_managed(&self, finish: Finish, flow: Vec<u8>) -> Result<Completed, Error> {
        let Finish { app, record, identity, by_cookie, request, deadline, query } = finish;
        let visitor = Visitor { identity: &identity, by_cookie, request: &request, deadline };
        let act = act(&app, &visitor, "connect");
        let app_name = record.manifest.display_name.clone();
        let (declined, iss) = (query.declined(), query.get("iss"));
        self.grants.check_issuer(&act, iss).await?;
        if let Some(code) = declined {
            self.note(audit::Act::FlowCompleted, &app, &visitor, code).await?;
            return Ok(Completed { declined, ..Completed::well(app_name) });
        }
        let code = query.get("code").filter(|code| !code.is_empty()).ok_or(Error::NoCode)?;
        let flow = self.vault.open_sealed(&place(&app), &Sealed::from_bytes(flow)).await?;
        let accepted = self.accept(&act, &app, &flow, code, iss, &query).await?;
        self.note(audit::Act::FlowCompleted, &app, &visitor, "").await?;
        let about = match accepted {
            Accepted::OtherAccount { ticket, before, after } => {
                let choice = Choice { ticket, before: before.account(), after: after.account() };
                return Ok(Completed { choice: Some(choice), ..Completed::well(app_name) });
            }
            Accepted::Probed { provider, checked } => {
                let said = match checked {
                    true => format!("{provider} checks proof keys (PKCE). Nobody was connected."),
                    false => format!("{provider} ignores proof keys (PKCE). Nobody was connected."),
                };
                return Ok(Completed { probed: Some(said), ..Completed::well(app_name) });
            }
            Accepted::Kept(about) => {
                return Ok(Completed {
                    account: Some(about.account()),
                    kept: true,
                    ..Completed::well(app_name)
                });
            }
            Accepted::Connected(about) => about,
        };
        let said = self.greet(&app, &record, &visitor, query).await;
        Ok(Completed { account: Some(about.account()), said, ..Completed::well(app_name) })
    }

    async fn accept(
        &self,
        act: &Act<'_>,
        app: &AppId,
        flow: &SecretBytes,
        code: &str,
        iss: Option<&str>,
        query: &CallbackQuery,
    ) -> Result<Accepted, Error> {
        let redirect_uri = self.redirect_url(app)?;
        let returned = Returned {
            flow,
            redirect_uri: &redirect_uri,
            code: AuthorizationCode::new(code),
            iss,
            values: query.values(),
        };
        Ok(self.grants.accept(act, returned).await?)
    }

    /// The App is told, with the record and without the code, so that it can greet its user. The account is connected
    /// whatever it says: its error is a note.
    async fn greet(
        &self,
        app: &AppId,
        record: &Arc<App>,
        visitor: &Visitor<'_>,
        query: CallbackQuery,
    ) -> Option<String> {
        let values: BTreeMap<String, RawJson> = match query.without_code() {
            Ok(values) => values,
            Err(error) => return Some(error.to_string()),
        };
        let mut call = record.manifest.complete_call();
        let mut expand = call.expand.take().unwrap_or_default();
        if expand.oauth2_user.is_empty() {
            "all".clone_into(&mut expand.oauth2_user);
        }
        call.expand = Some(Expand { ..expand });
        let response = self
            .calls
            .server_call(ServerCall {
                app: record,
                call,
                values,
                given: Context::default(),
                acting: Some(&visitor.identity.user_id),
                request: visitor.request,
                deadline: visitor.deadline,
            })
            .await;
        match response {
            Ok(response) if response.is_error() => Some(response.text),
            Ok(response) if matches!(response.kind.as_str(), "" | CallResponse::OK) => None,
            Ok(response) => Some(Error::ResponseType(response.kind).to_string()),
            // It has nothing to say: an App whose tokens the service keeps needs no code for this call.
            Err(CallError::Upstream(upstream::Error::NotFound { .. })) => None,
            Err(error) => {
                tracing::warn!(%app, %error, "an App could not be told of a connection");
                Some("the App could not be told that you are connected".to_owned())
            }
        }
    }

    /// Where an administrator goes to find out whether the provider looks at proof keys (OS-11); None where the App is
    /// not managed. The flow is bound to the person alone: they open it in a browser of theirs.
    pub async fn probe(&self, app: &AppId, visitor: &Visitor<'_>) -> Result<Option<String>, Error> {
        self.connectable(app, visitor).await?;
        self.pace(&self.begins, &visitor.identity.user_id)?;
        let by_person = Visitor { by_cookie: false, ..*visitor };
        let issued = self.issue(app, &by_person, true).await?;
        match issued.url {
            Some(url) => {
                self.note(audit::Act::FlowStarted, app, visitor, "probe").await?;
                Ok(Some(url.to_string()))
            }
            None => {
                self.abandon(&issued.state).await;
                Ok(None)
            }
        }
    }

    /// Begins a connection by a code that the person types at the provider; None where there is no such way.
    pub async fn device(&self, app: &AppId, visitor: &Visitor<'_>) -> Result<Option<DeviceFlow>, Error> {
        self.connectable(app, visitor).await?;
        self.pace(&self.begins, &visitor.identity.user_id)?;
        let flow = self.grants.device(&act(app, visitor, "device")).await?;
        if flow.is_some() {
            self.note(audit::Act::FlowStarted, app, visitor, "device").await?;
        }
        Ok(flow)
    }

    /// How one stands, for the person who began it.
    pub async fn device_state(
        &self,
        app: &AppId,
        visitor: &Visitor<'_>,
        id: &str,
    ) -> Result<Option<DeviceState>, Error> {
        self.person(visitor)?;
        Ok(self.grants.device_state(&act(app, visitor, "device"), id).await?)
    }

    /// The owner's answer to a [`Choice`]: takes the new account, or ends it. None when it waits no longer.
    pub async fn choose(
        &self,
        app: &AppId,
        visitor: &Visitor<'_>,
        ticket: &str,
        take: bool,
    ) -> Result<Option<Completed>, Error> {
        self.person(visitor)?;
        let record = self.apps.callable(app).await?;
        let act = act(app, visitor, "choice");
        let app_name = record.manifest.display_name.clone();
        if !take {
            let dropped = self.grants.drop_pending(&act, ticket).await?;
            return Ok(dropped.then(|| Completed { kept: true, ..Completed::well(app_name) }));
        }
        let taken: Option<About> = self.grants.take_pending(&act, ticket).await?;
        let Some(about) = taken else { return Ok(None) };
        self.note(audit::Act::FlowCompleted, app, visitor, "other-account").await?;
        let said = self.greet(app, &record, visitor, CallbackQuery::default()).await;
        Ok(Some(Completed { account: Some(about.account()), said, ..Completed::well(app_name) }))
    }
}

fn act<'a>(app: &'a AppId, visitor: &'a Visitor<'_>, reason: &'static str) -> Act<'a> {
    Act { actor: &visitor.identity.user_id, app, request: visitor.request, reason }
}

fn place(app: &AppId) -> Place<'_> {
    Place { purpose: Purpose::Flow, app: app.as_str(), user: "", generation: 0 }
}
