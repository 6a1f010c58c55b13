//! How an App's record lies in the store: its members in clear, its secrets sealed beside them.

use tessera_types::{App, AppId, ClientSecret, JwtSecret, WebhookSecret, json, secret};

use super::{Error, Registry, damaged, encode};
use crate::store::AppRow;
use crate::vault::{Place, Purpose, Sealed};

/// The secrets of a record, as they are sealed.
#[derive(Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
struct Secrets {
    #[serde(serialize_with = "secret::expose")]
    secret: JwtSecret,
    #[serde(serialize_with = "secret::expose")]
    webhook_secret: WebhookSecret,
    #[serde(serialize_with = "secret::expose")]
    mattermost_client_secret: ClientSecret,
}

impl Registry {
    pub(super) async fn encode(&self, id: &AppId, app: &App, generation: i64) -> Result<AppRow, Error> {
        let mut open = app.clone();
        let mut secrets = Secrets {
            secret: std::mem::take(&mut open.secret),
            webhook_secret: std::mem::take(&mut open.webhook_secret),
            ..Secrets::default()
        };
        if let Some(client) = &mut open.mattermost_oauth2 {
            secrets.mattermost_client_secret = std::mem::take(&mut client.client_secret);
        }
        // Credentials for the remote service are the grants' business: they have a row of their own.
        open.remote_oauth2 = Default::default();
        let plain = zeroize::Zeroizing::new(encode(id, &secrets)?);
        let sealed = self.vault.seal(&place(id, generation), &plain).await?;
        Ok(AppRow {
            app: id.as_str().to_owned(),
            doc: String::from_utf8_lossy(&encode(id, &open)?).into_owned(),
            sealed: Some(sealed.into_bytes()),
            generation,
            updated_at: self.env.now_ms(),
        })
    }

    pub(super) async fn decode_row(&self, id: &AppId, row: &AppRow) -> Result<App, Error> {
        let mut app: App =
            json::from_slice_strict(row.doc.as_bytes()).map_err(|error| damaged(id, &error))?;
        if let Some(sealed) = &row.sealed {
            let sealed = Sealed::from_bytes(sealed.clone());
            let plain = self.vault.open_sealed(&place(id, row.generation), &sealed).await?;
            let secrets: Secrets =
                json::from_slice_strict(plain.expose()).map_err(|error| damaged(id, &error))?;
            app.secret = secrets.secret;
            app.webhook_secret = secrets.webhook_secret;
            if let Some(client) = &mut app.mattermost_oauth2 {
                client.client_secret = secrets.mattermost_client_secret;
            }
        }
        Ok(app)
    }
}

fn place(id: &AppId, generation: i64) -> Place<'_> {
    Place { purpose: Purpose::AppSecrets, app: id.as_str(), user: "", generation }
}
