//! Each App's client at Mattermost's own OAuth2 provider (C.4), registered when it is first needed.

use std::sync::atomic::Ordering;

use http::Method;
use serde::Deserialize;
use serde_json::json;
use tessera_types::{AppId, ClientSecret, OAuth2App, routes};
use url::Url;

use super::Mattermost;
use super::rest::As;
use super::sign_in::client_name;
use crate::grants::{Act, of_site};
use crate::platform::Error;

#[derive(Deserialize)]
struct Registered {
    id: String,
    client_secret: ClientSecret,
}

/// A client that is there.
#[derive(Deserialize)]
struct Known {
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
        if !self.grants.site_client(&act).await.map_err(grants)?.is_empty() {
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
        let client = self.grants.site_client(&act).await.map_err(grants)?;
        if !client.is_empty() {
            if self.client_seen.load(Ordering::Relaxed) {
                return Ok(());
            }
            let there: Option<Known> = self.rest.find(As::Service, &format!("/oauth/apps/{client}")).await?;
            let redirect = self.signed_in_url()?;
            if there.is_some_and(|there| there.callback_urls.iter().any(|url| url == redirect.as_str())) {
                self.client_seen.store(true, Ordering::Relaxed);
                return Ok(());
            }
            self.remove_own_client(&own, request).await?;
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
             client_auth = \"post\"\n[refresh]\nrotation = \"always\"\n"
        )
    }

    /// Takes the App's client away from Mattermost, and with it every token that people gave the App there.
    pub(super) async fn remove_client(&self, app: &AppId, request: &str) -> Result<(), Error> {
        self.remove_own_client(&of_site(app), request).await
    }

    async fn remove_own_client(&self, own: &AppId, request: &str) -> Result<(), Error> {
        let act = Act { actor: "", app: own, request, reason: "client of the site" };
        let client = self.grants.site_client(&act).await.map_err(grants)?;
        if client.is_empty() {
            return Ok(());
        }
        let gone =
            self.rest.tell(Method::DELETE, As::Service, &format!("/oauth/apps/{client}"), &json!({})).await;
        match gone {
            Ok(()) | Err(Error::Site { status: 404, .. }) => {}
            Err(error) => return Err(error),
        }
        self.grants.forget_site_client(&act).await.map(drop).map_err(grants)
    }
}

fn trimmed(url: &Url) -> &str {
    url.as_str().trim_end_matches('/')
}

pub(super) fn grants(error: crate::grants::Error) -> Error {
    Error::Grants(Box::new(error))
}
