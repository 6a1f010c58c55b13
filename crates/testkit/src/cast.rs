//! How most tests begin: a server, an App that listens, and two people.

use tessera_server::boot::config::Config;

use crate::fake_app::FakeApp;
use crate::site::{Person, Site};
use crate::within::Within;

/// Who is there. The App is not installed yet.
pub struct Cast {
    /// The server; it stops when it is dropped.
    pub server: Within,
    /// Where it answers.
    pub site: Site,
    /// An App that hears calls and answers as it is told.
    pub fake: FakeApp,
    /// `sysadmin`, signed in.
    pub admin: Person,
    /// `user-1`, signed in.
    pub user: Person,
}

impl Cast {
    /// On a server of development, with these changes to its settings.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::on(Within::start_with(change).await).await
    }

    /// On a server that runs already.
    pub async fn on(server: Within) -> Self {
        let site = server.site;
        let fake = FakeApp::start().await;
        let admin = site.sign_in("sysadmin").await;
        let user = site.sign_in("user-1").await;
        Self { server, site, fake, admin, user }
    }
}
