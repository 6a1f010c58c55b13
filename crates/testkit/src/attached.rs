//! The real server beside a Mattermost, behind one front door, with an App on it and people.

use tessera_server::boot::config::Config;

use crate::browser::{Browser, From, form_token};
use crate::fake_app::FakeApp;
use crate::fake_mattermost::{FakeMattermost, FrontDoor, Version};
use crate::site::{Person, Site};
use crate::wire::Answer;
use crate::within::Within;

/// The App's id.
pub const APP: &str = "hello";

/// All that is there.
pub struct Attached {
    /// The Mattermost.
    pub mattermost: FakeMattermost,
    /// What people and Apps reach.
    pub door: FrontDoor,
    /// What people and Apps reach instead, where the service has a host name of its own.
    own: Option<FrontDoor>,
    /// The path of the site; empty for none.
    below: &'static str,
    /// The service; it stops when it is dropped.
    pub server: Within,
    /// An App that hears calls and answers as it is told. It is not installed yet.
    pub fake: FakeApp,
    /// A system administrator, signed in.
    pub admin: Person,
    /// Somebody else, signed in.
    pub user: Person,
}

impl Attached {
    /// Beside a Mattermost of this version.
    pub async fn to(version: Version) -> Self {
        Self::set_up(version, |_| {}, |_| {}).await
    }

    /// With changes to the Mattermost before the service starts, and to the service's settings.
    pub async fn set_up(
        version: Version,
        prepare: impl FnOnce(&FakeMattermost),
        change: impl FnOnce(&mut Config),
    ) -> Self {
        Self::place(version, "", None, prepare, change).await
    }

    /// With a host name of the service's own: Mattermost's own proxy knows nothing of it.
    pub async fn apart(version: Version, below: &'static str) -> Self {
        Self::place(version, below, Some(FrontDoor::alone().await), |_| {}, |_| {}).await
    }

    /// The same where the site has a path, such as `/chat`.
    pub async fn below(version: Version, path: &'static str) -> Self {
        Self::place(version, path, None, |_| {}, |_| {}).await
    }

    async fn place(
        version: Version,
        below: &'static str,
        own: Option<FrontDoor>,
        prepare: impl FnOnce(&FakeMattermost),
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let mattermost = FakeMattermost::start(version).await;
        let door = FrontDoor::below(below, mattermost.address(), None).await;
        mattermost.set_site_url(&door.url());
        let token = mattermost.service_token();
        // As docs/mattermost.md says, where it is not so by itself.
        mattermost.grant("system_admin", "manage_oauth");
        prepare(&mattermost);
        let server = Within::start_with(|config| {
            config.mattermost.url = door.url();
            config.mattermost.internal_url = mattermost.url();
            config.mattermost.token = token;
            config.site.url = own.as_ref().unwrap_or(&door).url();
            config.egress.allow = vec!["127.0.0.1".to_owned()];
            change(config);
        })
        .await;
        own.as_ref().unwrap_or(&door).set_service(server.site.address);
        let fake = FakeApp::start().await;
        let person = |id: String| Person { token: mattermost.session(&id).token, id };
        let (admin, user) = (person(mattermost.add_admin("root")), person(mattermost.add_user("ada")));
        Self { mattermost, door, own, below, server, fake, admin, user }
    }

    /// Where the service has a host name of its own: its address.
    ///
    /// # Panics
    /// Where it has none.
    pub fn own_url(&self) -> String {
        self.own.as_ref().unwrap().url()
    }

    /// The site, as people reach it.
    pub fn site(&self) -> Site {
        match &self.own {
            Some(own) => Site::at(own.address()),
            None => self.mattermost_site(),
        }
    }

    /// The Mattermost, as people reach it.
    pub fn mattermost_site(&self) -> Site {
        Site { below: self.below, ..Site::at(self.door.address()) }
    }

    /// Installs the App.
    pub async fn install(&self, permissions: &[&str]) {
        self.site().install(&self.admin, &self.fake.manifest(APP, permissions)).await;
    }

    /// A browser in which nobody is signed in.
    pub fn browser(&self) -> Browser {
        Browser::at(self.site(), &self.own.as_ref().unwrap_or(&self.door).origin())
    }

    /// The same browser, as it is on Mattermost's own host, where that is another one.
    pub fn browser_there(&self) -> Browser {
        Browser::at(self.mattermost_site(), &self.door.origin())
    }

    /// Signs somebody in on Mattermost's own page, as people do.
    pub async fn sign_in(&self, browser: &mut Browser, name: &str) -> Answer {
        let answer = browser.submit("/login", &[("login_id", name), ("password", name)]).await;
        assert_eq!(answer.status, 302, "{}", answer.text());
        answer
    }

    /// Presses *Continue* on the confirm page, and follows where that leads.
    pub async fn confirm(&self, browser: &mut Browser, place: &str, page: &Answer) -> (String, Answer) {
        let first = browser.submit(place, &[("token", &form_token(page))]).await;
        self.follow(browser, first).await
    }

    /// Follows redirects as long as they lead to places on the site; gives the answer that leads elsewhere or nowhere, and
    /// where it came from.
    pub async fn follow(&self, browser: &mut Browser, first: Answer) -> (String, Answer) {
        let (mut place, mut answer) = (String::new(), first);
        for _ in 0..10 {
            match answer.header("location") {
                Some(location) if location.starts_with('/') || location.starts_with(&self.door.origin()) => {
                    place = browser.place(&answer);
                    answer = browser.open(&place, From::Here).await;
                }
                _ => return (place, answer),
            }
        }
        panic!("redirects without an end, last to {place}");
    }
}
