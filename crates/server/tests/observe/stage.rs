//! A site, an App on it that connects accounts, and people.

use tessera_server::boot::config::Config;
use tessera_testkit::cast::Cast;
use tessera_testkit::fake_app::FakeApp;
use tessera_testkit::site::{PERMISSIONS, Person, Site, flow};
use tessera_testkit::wire::{Answer, Ask};
use tessera_testkit::within::Within;

pub(crate) const APP: &str = "watched";

pub(crate) struct Stage {
    pub(crate) server: Within,
    pub(crate) site: Site,
    pub(crate) fake: FakeApp,
    pub(crate) admin: Person,
    pub(crate) user: Person,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let Cast { server, site, fake, admin, user } = Cast::with(change).await;
        site.install(&admin, &fake.manifest(APP, &PERMISSIONS)).await;
        fake.leads_to_a_provider();
        Self { server, site, fake, admin, user }
    }
}

/// Begins a flow with the person's own token. Gives its state.
pub(crate) async fn begin(site: Site, who: &Person) -> String {
    let answer = site.send(&Ask::get(flow(APP, "connect")).bearer(&who.token)).await;
    assert_eq!(answer.status, 307, "{}", answer.text());
    answer.header("location").unwrap().split_once("state=").unwrap().1.to_owned()
}

/// Comes back from the provider.
pub(crate) async fn complete(site: Site, who: &Person, query: &str) -> Answer {
    site.send(&Ask::get(format!("{}?{query}", flow(APP, "complete"))).bearer(&who.token)).await
}
