//! A local OAuth2 provider, so that an author has something to connect with before there is an account anywhere.

use std::net::Ipv4Addr;

use tessera_simulator::{PASSWORD, Running, Simulator};
use tessera_types::{AppId, ClientSecret, OAuth2App, routes};
use tokio::net::TcpListener;

use super::report::{Client, Offer};
use crate::grants::{self, Act};
use crate::lifecycle::Lifecycle;
use crate::platform::{Audience, Event, REFRESH_BINDINGS};

/// What the App is called at the provider. A record with such a client at this machine was written by us, or with what
/// we had printed: it is kept fit for use. Any other is the author's, and is left alone.
const CLIENT: &str = "tessera-dev-";
/// The accounts that it has.
const ACCOUNTS: [&str; 2] = ["ada", "grace"];

/// The provider, running. It keeps nothing: what was connected with it in an earlier run has to be connected again.
pub(super) struct Provider(Running);

impl Provider {
    /// Starts it beside the site: on the next port, so that it is found where it was before, or on any.
    pub(super) async fn start(
        site_port: u16,
    ) -> Result<Option<Self>, Box<dyn std::error::Error + Send + Sync>> {
        let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        let listener = match bind(site_port.wrapping_add(1)).await {
            Ok(listener) => listener,
            Err(_) => bind(0).await?,
        };
        Ok(Some(Self(Simulator::builder().build().start(listener)?)))
    }

    /// Makes the App a client of the provider: by its OAuth2 record, or where the author has filled that, by word.
    pub(super) async fn offer(&self, lifecycle: &Lifecycle, app: &AppId) -> Result<Offer, grants::Error> {
        let act = Act { actor: "", app, request: "local", reason: "development" };
        let now = lifecycle.grants.credentials(&act).await?;
        let client = Client {
            client_id: format!("{CLIENT}{app}"),
            client_secret: lifecycle.env.id().map_err(crate::vault::Error::from)?,
            provider_url: self.0.url().to_owned(),
            accounts: ACCOUNTS,
            password: PASSWORD,
        };
        let redirect_uri = routes::complete_url(lifecycle.site_url.as_str(), app);
        let (id, secret) = (client.client_id.as_str(), client.client_secret.as_str());
        self.0.add_client(id, secret, [redirect_uri.as_str()]);
        if !now.is_empty() && !is_ours(&now, &client.client_id) {
            return Ok(Offer::Printed { configured: now.client_id, client });
        }
        let record = OAuth2App {
            client_id: id.to_owned(),
            client_secret: ClientSecret::new(secret),
            remote_root_url: client.provider_url.clone(),
            ..now
        };
        lifecycle.grants.put_credentials(&act, &record).await?;
        lifecycle.platform.publish(Event { name: REFRESH_BINDINGS, audience: Audience::Everyone });
        Ok(Offer::Stored(client))
    }

    pub(super) async fn stop(self) {
        self.0.shutdown().await;
    }
}

fn is_ours(record: &OAuth2App, client_id: &str) -> bool {
    record.client_id == client_id && record.remote_root_url.starts_with("http://127.0.0.1:")
}
