//! A development site with people and an App.

use tessera_testkit::fake_app::FakeApp;
use tessera_testkit::site::{Person, Site};
use tessera_testkit::within::Within;

pub(crate) const APP: &str = "echotest";

pub(crate) struct Stage {
    _server: Within,
    pub(crate) site: Site,
    pub(crate) fake: FakeApp,
    pub(crate) admin: Person,
    pub(crate) user: Person,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let _server = Within::start().await;
        let site = _server.site;
        let fake = FakeApp::start().await;
        let admin = site.sign_in("sysadmin").await;
        let user = site.sign_in("user-1").await;
        Self { _server, site, fake, admin, user }
    }
}
