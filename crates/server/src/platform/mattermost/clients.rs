//! Each App's client at Mattermost's own OAuth2 provider (C.4), registered when it is first needed.

use std::sync::atomic::Ordering;

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tessera_types::{AppId, ClientSecret, OAuth2App, routes};
use url::Url;

use super::Mattermost;
use super::rest::As;
use super::sign_in::client_name;
use crate::grants::{Act, Change, of_site};
use crate::platform::Error;

#[derive(Deserialize)]
struct Registered {
    id: String,
    #[serde(default)]
    client_secret: ClientSecret,
    #[serde(default)]
    callback_urls: Vec<String>,
}

impl Mattermost {
    /// Where Mattermost sends people back to, once they agreed that an App acts for them.
    pub(super) fn agreed_url(&self, app: &AppId) -> Result<Url, Error> {
        let path = format!("{}{}", routes::app_path(app), crate::platform::AGREED);
        Url::parse(&self.own(&path)).map_err(|error| Error::Unreachable(error.to_string()))
    }

    /// Registers the App's client unless it has one; None when it has one now, else why not, in words.
    pub(super) async fn ensure_client(&self, app: &AppId, request: &str) -> Result<Option<String>, Error> {
        let own = of_site(app);
        let act = Act { actor: "", app: &own, request, reason: "client of the site" };
        if self.grants.site_client(&act).await.map_err(grants)?.is_some() {
            return Ok(None);
        }
        let record = self.apps.installed(app).await?;
        let name = record.manifest.display_name.trim();
        let name = if name.is_empty() { app.as_str() } else { name };
        let about = format!("Lets the App {app} act for the people who agree to it.");
        let made = self.register_client(name, &about, &self.agreed_url(app)?, app.as_str()).await;
        let client = match made {
            Ok(client) => client,
            Err(Error::Site { status, id, message }) if status != 401 => {
                return Ok(Some(format!(
                    "Mattermost registers no client for the App ({status} {id}: {message}): \
                     ServiceSettings.EnableOAuthServiceProvider must be true, and the service's account needs the \
                     permission manage_oauth"
                )));
            }
            Err(error) => return Err(error),
        };
        tracing::info!(%app, client_id = client.client_id, "registered a client for an App at Mattermost");
        self.grants.set_site_client(&act, self.descriptor(), client).await.map_err(grants)?;
        Ok(None)
    }

    /// The same for the client with which people sign in on a host name of our own. It is looked at once after each start:
    /// somebody may have removed it, or our address may be another one.
    pub(super) async fn ensure_sign_in_client(&self, request: &str) -> Result<(), Error> {
        let own = client_name();
        let act = Act { actor: "", app: &own, request, reason: "client of the site" };
        let seen = self.client_seen.load(Ordering::Relaxed);
        if !seen {
            self.look_after(&own, &self.signed_in_url()?, request).await?;
        }
        if self.grants.site_client(&act).await.map_err(grants)?.is_some() {
            self.client_seen.store(true, Ordering::Relaxed);
            return Ok(());
        }
        let about = "Tells Tessera, which looks after Apps' connections, who is signed in.";
        let client = self.register_client("Tessera", about, &self.signed_in_url()?, "").await?;
        tracing::info!(
            client_id = client.client_id,
            "registered a client at Mattermost with which people sign in"
        );
        self.grants.set_site_client(&act, self.descriptor(), client).await.map_err(grants)?;
        self.client_seen.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn register_client(
        &self,
        name: &str,
        about: &str,
        callback: &Url,
        app: &str,
    ) -> Result<OAuth2App, Error> {
        let mut wanted = json!({
            "name": name,
            "description": about,
            "icon_url": "",
            "callback_urls": [callback.as_str()],
            "homepage": self.settings.own_url.as_str(),
            // An administrator installed the App, and this service, and saw what it may do: nobody is asked a second time.
            "is_trusted": true,
        });
        if !app.is_empty() {
            wanted["mattermost_app_id"] = json!(app);
        }
        let made: Registered = self.rest.send(Method::POST, As::Service, "/oauth/apps", &wanted).await?;
        Ok(OAuth2App { client_id: made.id, client_secret: made.client_secret, ..OAuth2App::default() })
    }

    /// Mattermost as a provider: browsers go to its public address, we to the one that we have for it.
    fn descriptor(&self) -> String {
        let (site, internal) = (trimmed(&self.settings.site_url), trimmed(&self.settings.internal_url));
        format!(
            "name = \"mattermost\"\ndisplay_name = \"Mattermost\"\nverified = true\n\
             authorize_url = \"{site}/oauth/authorize\"\ntoken_url = \"{internal}/oauth/access_token\"\n\
             client_auth = \"post\"\n[refresh]\nrotation = \"always\"\n[reply]\ncode = \"id\"\n[errors]\n{ERRORS}"
        )
    }

    /// Takes up what an administrator did to the App's client at Mattermost: a new secret is kept, an address that is not ours
    /// any more is put right, and of one that is gone nothing is kept, so that another one is registered. False where
    /// nothing was otherwise than we have it.
    pub(super) async fn look_after_client(&self, app: &AppId, request: &str) -> Result<bool, Error> {
        self.look_after(&of_site(app), &self.agreed_url(app)?, request).await
    }

    async fn look_after(&self, own: &AppId, callback: &Url, request: &str) -> Result<bool, Error> {
        let act = Act { actor: "", app: own, request, reason: "client of the site" };
        let Some(known) = self.grants.site_client(&act).await.map_err(grants)? else { return Ok(false) };
        let path = format!("/oauth/apps/{}", known.client_id);
        let there: Registered = match self.rest.get(As::Service, &path).await {
            Ok(there) => there,
            Err(Error::Site { status: 404, .. }) => {
                tracing::warn!(%own, client_id = known.client_id, "a client is gone from Mattermost, and is made anew");
                self.grants.forget_site_client(&act).await.map_err(grants)?;
                return Ok(true);
            }
            // Who may not look at it can still use it.
            Err(Error::Site { status: 403 | 501, .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        if there.callback_urls != [callback.as_str()] {
            // It lies elsewhere than when the client was registered: Mattermost takes the whole of one, or nothing.
            let mut whole: Value = self.rest.get(As::Service, &path).await?;
            whole["callback_urls"] = json!([callback.as_str()]);
            self.rest.tell(Method::PUT, As::Service, &path, &whole).await?;
        }
        if there.client_secret.is_empty() {
            return Ok(false);
        }
        let client = OAuth2App { client_secret: there.client_secret, ..known };
        let change = self.grants.set_site_client(&act, self.descriptor(), client).await.map_err(grants)?;
        if change == Change::Made {
            tracing::info!(%own, "a client has another secret at Mattermost, which is kept from now on");
        }
        Ok(change == Change::Made)
    }

    /// Takes the App's client away from Mattermost, and with it every token that people gave the App there.
    pub(super) async fn remove_client(&self, app: &AppId, request: &str) -> Result<(), Error> {
        self.remove_own_client(&of_site(app), request).await
    }

    async fn remove_own_client(&self, own: &AppId, request: &str) -> Result<(), Error> {
        let act = Act { actor: "", app: own, request, reason: "client of the site" };
        let Some(client) = self.grants.site_client(&act).await.map_err(grants)? else { return Ok(()) };
        let path = format!("/oauth/apps/{}", client.client_id);
        let gone = self.rest.tell(Method::DELETE, As::Service, &path, &json!({})).await;
        match gone {
            Ok(()) | Err(Error::Site { status: 404, .. }) => {}
            Err(error) => return Err(error),
        }
        self.grants.forget_site_client(&act).await.map(drop).map_err(grants)
    }
}

/// What its own codes mean, which are the ids of its errors. A refresh token that it does not know is the person's to renew, and
/// no fault of the client, though the status is 404.
const ERRORS: &str = "\"api.oauth.get_access_token.refresh_token.app_error\" = \"terminal\"\n\
                      \"api.oauth.get_access_token.expired_code.app_error\" = \"terminal\"\n\
                      \"api.oauth.get_access_token.redirect_uri.app_error\" = \"operator\"\n\
                      \"api.oauth.get_access_token.credentials.app_error\" = \"operator\"\n\
                      \"api.oauth.get_access_token.bad_client_id.app_error\" = \"operator\"\n";

fn trimmed(url: &Url) -> &str {
    url.as_str().trim_end_matches('/')
}

pub(super) fn grants(error: crate::grants::Error) -> Error {
    Error::Grants(Box::new(error))
}
