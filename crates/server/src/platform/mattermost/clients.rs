//! Each App's client at Mattermost's own OAuth2 provider (C.4), registered when it is first needed.

use http::Method;
use serde::Deserialize;
use serde_json::json;
use tessera_types::{AppId, ClientSecret, OAuth2App, routes};
use url::Url;

use super::Mattermost;
use super::rest::As;
use crate::grants::{Act, of_site};
use crate::platform::Error;

#[derive(Deserialize)]
struct Registered {
    id: String,
    client_secret: ClientSecret,
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
        let wanted = json!({
            "name": if name.is_empty() { app.as_str() } else { name },
            "description": format!("Lets the App {app} act for the people who agree to it."),
            "icon_url": "",
            "callback_urls": [self.agreed_url(app)?.as_str()],
            "homepage": self.settings.own_url.as_str(),
            // An administrator installed the App and saw what it may do: nobody is asked a second time.
            "is_trusted": true,
            "mattermost_app_id": app.as_str(),
        });
        let made = self.rest.send(Method::POST, As::Service, "/oauth/apps", &wanted).await;
        let made: Registered = match made {
            Ok(made) => made,
            Err(Error::Site { status, id, message }) if status != 401 => {
                return Ok(Some(format!(
                    "Mattermost registers no client for the App ({status} {id}: {message}): \
                     ServiceSettings.EnableOAuthServiceProvider must be true, and the service's account needs the \
                     permission manage_oauth"
                )));
            }
            Err(error) => return Err(error),
        };
        let client = OAuth2App {
            client_id: made.id.clone(),
            client_secret: made.client_secret,
            ..OAuth2App::default()
        };
        self.grants.set_site_client(&act, self.descriptor(), client).await.map_err(grants)?;
        tracing::info!(%app, client_id = made.id, "registered a client for an App at Mattermost");
        Ok(None)
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
        let own = of_site(app);
        let act = Act { actor: "", app: &own, request, reason: "client of the site" };
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
