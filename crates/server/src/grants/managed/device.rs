//! Connecting without a browser here (RFC 8628; OS-29): the person types a code at the provider, on whatever device they
//! have, and the service asks now and then whether they did. The outbox does the asking, so one process asks at a time
//! and a restart forgets nothing.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tessera_types::AuthorizationCode;
use zeroize::Zeroizing;

use super::super::{Act, Error};
use super::consent::{Accepted, New};
use super::revoke::{KEYS_OF, sealed_at};
use super::{Managed, grant};
use crate::providers::{DeviceNext, DevicePoll};
use crate::store::OutboxRow;
use crate::vault::Sealed;

/// A person who may be typing a code somewhere.
pub(super) const DEVICE: i64 = 3;

/// What the person who asked is told; nobody else is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeviceFlow {
    /// By which its state is asked for.
    pub id: String,
    /// What to type.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// The same with the code in it, where the provider has that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification_uri_complete: Option<String>,
    /// Until when, Unix milliseconds.
    pub expires_at: i64,
    /// What everybody should know who is handed such a code.
    pub warning: String,
}

/// How such a flow stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeviceState {
    /// `waiting`, `connected`, `kept` (what is connected has more scopes), `denied`, `expired`, `other_account` (of the
    /// one that is connected: disconnect it first), `failed` or `provider_changed`.
    pub state: String,
    /// The provider's code, where it failed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub code: String,
}

const WARNING: &str = "Enter this code only if you asked for it yourself just now: whoever gave it to you otherwise \
                       gets your account.";

/// What is kept of it, as it can be read by who runs the service.
#[derive(Serialize, Deserialize)]
struct Kept {
    print: String,
    asked: Vec<String>,
    poll: DevicePoll,
}

#[derive(Deserialize)]
struct Needed {
    device_code: String,
}

impl Managed {
    /// Begins: None where the App is not managed, or its provider has no such flow.
    pub(in crate::grants) async fn device(&self, act: &Act<'_>) -> Result<Option<DeviceFlow>, Error> {
        let Some(setup) = self.setup(act.app.as_str()).await? else { return Ok(None) };
        if setup.client_id.is_empty() {
            return Err(Error::NoClient(act.app.clone()));
        }
        let asked = setup.asked();
        let (env, provider) = (&self.env, setup.provider());
        let Some(request) = provider.device(env, setup.client(), &asked)? else { return Ok(None) };
        let sent_at = env.now_ms();
        let name = || setup.descriptor().display_name.clone();
        let device = provider
            .device_code(&self.egress, request, sent_at)
            .await
            .map_err(|failure| Error::Exchange { provider: name(), failure })?;
        let poll = DevicePoll::new(&device, sent_at);
        let id = env.id()?;
        let row_id = format!("device:{id}");
        let plain = json!({"device_code": device.device_code.expose()}).to_string();
        let plain = Zeroizing::new(plain.into_bytes());
        let sealed = self.vault.seal(&sealed_at(&row_id), &plain).await?;
        let kept = Kept { print: setup.print.clone(), asked, poll };
        self.outbox
            .add(OutboxRow {
                id: row_id,
                kind: DEVICE,
                app: act.app.as_str().to_owned(),
                user: act.actor.to_owned(),
                about: text(&kept, act)?,
                sealed: Some(sealed.into_bytes()),
                due_at: Some(poll.next_at),
                attempts: 0,
                outcome: String::new(),
                created_at: sent_at,
                ended_at: None,
            })
            .await?;
        Ok(Some(DeviceFlow {
            id,
            user_code: device.user_code,
            verification_uri: device.verification_uri.to_string(),
            verification_uri_complete: device.verification_uri_complete.map(String::from),
            expires_at: poll.expires_at,
            warning: WARNING.to_owned(),
        }))
    }

    /// How one stands, for the person who began it; None for everybody else.
    pub(in crate::grants) async fn device_state(
        &self,
        act: &Act<'_>,
        id: &str,
    ) -> Result<Option<DeviceState>, Error> {
        let row = self.outbox.get(&format!("device:{id}"), DEVICE, act.actor).await?;
        Ok(row.filter(|row| row.app == act.app.as_str()).map(|row| {
            let (state, code) = match row.ended_at {
                None => ("waiting", ""),
                Some(_) => row.outcome.split_once(' ').unwrap_or((&row.outcome, "")),
            };
            DeviceState { state: state.to_owned(), code: code.to_owned() }
        }))
    }

    /// Asks the provider once whether the person has typed the code.
    pub(super) async fn poll(self: &Arc<Self>, row: &OutboxRow) -> Result<(), Error> {
        let app = tessera_types::AppId::unchecked(row.app.as_str());
        let act = Act { actor: &row.user, app: &app, request: &row.id, reason: "device" };
        let damaged = || Error::Damaged(app.clone());
        let mut kept: Kept = serde_json::from_str(&row.about).map_err(|_| damaged())?;
        let now = self.env.now_ms();
        if now >= kept.poll.expires_at {
            return self.over(row, "expired").await;
        }
        let setup = match self.setup(&row.app).await? {
            Some(setup) if setup.print == kept.print => setup,
            _ => return self.over(row, "provider_changed").await,
        };
        let sealed = Sealed::from_bytes(row.sealed.clone().ok_or_else(damaged)?);
        let plain = self.vault.open_sealed(&sealed_at(&row.id), &sealed).await?;
        let Needed { device_code } = serde_json::from_slice(plain.expose()).map_err(|_| damaged())?;
        let code = AuthorizationCode::new(device_code);
        let request = setup.provider().device_token(&self.env, setup.client(), &code)?;
        match setup.provider().tokens(&self.egress, request, now).await {
            Ok(tokens) => {
                let account = self.account(&setup, &tokens, None).await?;
                let refreshable = tokens.refresh_token.is_some();
                let about = grant::about(setup.descriptor(), account, kept.asked, &tokens, refreshable);
                let outcome = match self.take(&act, &setup, New { tokens, about, sent_at: now }).await? {
                    Accepted::Connected(_) => "connected",
                    Accepted::Kept(_) | Accepted::Probed { .. } => "kept",
                    Accepted::OtherAccount { ticket, .. } => {
                        // Nobody stands in front of a page who could be asked.
                        self.drop_pending(&act, &ticket).await?;
                        "other_account"
                    }
                };
                self.over(row, outcome).await
            }
            Err(failure) => match kept.poll.failed(&failure, self.env.now_ms()) {
                DeviceNext::At(next) => {
                    self.outbox.put_off(row, &text(&kept, &act)?, "waiting", next).await?;
                    Ok(())
                }
                DeviceNext::Denied => self.over(row, "denied").await,
                DeviceNext::Expired => self.over(row, "expired").await,
                DeviceNext::Failed => self.over(row, &format!("failed {}", failure.code)).await,
            },
        }
    }

    async fn over(&self, row: &OutboxRow, outcome: &str) -> Result<(), Error> {
        self.outbox.end(row, outcome, self.env.now_ms()).await?;
        Ok(self.vault.shred(KEYS_OF, &row.id).await?)
    }
}

fn text<T: Serialize>(value: &T, act: &Act<'_>) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|_| Error::Damaged(act.app.clone()))
}
