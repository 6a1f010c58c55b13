//! A development site with people and an App.

use tessera_testkit::cast::Cast;
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
        let Cast { server: _server, site, fake, admin, user } = Cast::with(|_| {}).await;
        Self { _server, site, fake, admin, user }
    }
}
