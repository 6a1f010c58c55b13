//! What people see: pages, lists, messages; and a server of its own process, which can be killed.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use tessera_server::boot::config::Config;
use tessera_simulator::{Behaviour, Running, Simulator};
use tessera_testkit::browser::{Browser, From};
use tessera_testkit::child::{Child, run};
use tessera_testkit::fake_app::FakeApp;
use tessera_testkit::managed::{APP, CLIENT, Managed, PROVIDER, SECRET, agree, at, descriptor};
use tessera_testkit::postgres::Database;
use tessera_testkit::site::{Person, Site, flow};
use tessera_testkit::wire::{Answer, Ask, Sent};
use url::Url;

/// The binary under test.
pub(crate) const TESSERA: &str = env!("CARGO_BIN_EXE_tessera");
pub(crate) const OURS: &str = "/plugins/com.mattermost.apps/tessera/v1";

/// Asks again until there is something; what never comes fails the test.
pub(crate) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asked = async {
        loop {
            match ask().await {
                Some(found) => return found,
                None => tokio::task::yield_now().await,
            }
        }
    };
    match tokio::time::timeout(std::time::Duration::from_secs(60), asked).await {
        Ok(found) => found,
        Err(_) => panic!("{what} did not come about"),
    }
}

/// The settings of a server on this database.
pub(crate) fn on(database: &Database) -> impl FnOnce(&mut Config) + use<> {
    let url = database.url().to_owned();
    move |config| config.store.postgres_url = url
}

/// What became of a person's ended connections.
pub(crate) async fn revocations(site: Site, who: &Person) -> Vec<Value> {
    let answer = site.send(&Ask::get(format!("{OURS}/revocations")).bearer(&who.token)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json().as_array().unwrap().clone()
}

/// What the App's bot has told a person, oldest first.
pub(crate) async fn messages(site: Site, who: &Person) -> Vec<String> {
    let bots = site.send(&Ask::get("/plugins/com.mattermost.apps/api/v1/bot-ids")).await.json();
    let members = json!([bots[0], who.id]).to_string();
    let channel = site.send(&Ask::post("/api/v4/channels/direct", members).bearer(&who.token)).await.json();
    let channel = channel["id"].as_str().unwrap().to_owned();
    let posts = Ask::get(format!("/api/v4/channels/{channel}/posts")).bearer(&who.token);
    let posts = site.send(&posts).await.json();
    let newest_first = posts["order"].as_array().unwrap().iter();
    let told = newest_first.rev().map(|id| posts["posts"][id.as_str().unwrap()].clone());
    told.map(|post| {
        assert_eq!(post["user_id"], bots[0], "the App's bot speaks: {post}");
        post["message"].as_str().unwrap().to_owned()
    })
    .collect()
}

/// The accounts page of a browser's person.
pub(crate) async fn accounts(browser: &mut Browser, query: &str) -> Answer {
    let page = browser.open(&format!("{OURS}/accounts{query}"), From::Here).await;
    assert_eq!(page.status, 200, "{}", page.text());
    page
}

/// Connects in a browser; `person` agrees at the provider. Gives the last page.
pub(crate) async fn connect_in(browser: &mut Browser, person: &str) -> Answer {
    let begun = browser.open(&flow(APP, "connect"), From::Here).await;
    assert_eq!(begun.status, 307, "{}", begun.text());
    let back = agree(&Url::parse(begun.header("location").unwrap()).unwrap(), person).await;
    browser.open(&format!("{}?{}", back.path(), back.query().unwrap()), From::Elsewhere).await
}

/// A hidden field of a page.
pub(crate) fn field(page: &Answer, name: &str) -> String {
    let text = page.text();
    let (_, rest) = text.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{text}"));
    rest.split('"').next().unwrap().to_owned()
}

/// Which of the provider's tokens work.
pub(crate) async fn working(stage: &Managed) -> Vec<String> {
    let mut working = Vec::new();
    for secret in stage.provider.issued_secrets() {
        if stage.works(&secret).await {
            working.push(secret);
        }
    }
    working
}

/// Ends the person's grant at the provider, as its owner does there.
pub(crate) async fn end_there(provider: &Running) {
    for secret in provider.issued_secrets() {
        let body = format!("token={secret}&client_id={CLIENT}&client_secret={SECRET}");
        let form = Ask::post("/revoke", body).with("Content-Type", "application/x-www-form-urlencoded");
        let ended = at(provider.url()).send(&form).await;
        assert_eq!(ended.status, 200, "{}", ended.text());
    }
}

/// A server in a process of its own, with a managed App.
pub(crate) struct Apart {
    pub(crate) child: Child,
    pub(crate) data: TempDir,
    pub(crate) fake: FakeApp,
    pub(crate) provider: Running,
    pub(crate) admin: Person,
    pub(crate) user: Person,
}

impl Apart {
    /// A provider that behaves.
    pub(crate) async fn start() -> Self {
        Self::set_up(str::to_owned, |_| {}).await
    }

    /// One that behaves like this; `revoke` makes the address that the server revokes at of the provider's own.
    pub(crate) async fn set_up(
        revoke: impl FnOnce(&str) -> String,
        behave: impl FnOnce(&mut Behaviour),
    ) -> Self {
        let data = tempfile::tempdir().unwrap();
        let child = Child::start(TESSERA, data.path());
        let site = child.site;
        let complete = format!("http://localhost:{}{}", site.address.port(), flow(APP, "complete"));
        let simulator = Simulator::builder().client(CLIENT, SECRET, [complete]).behaviour(behave).build();
        let provider =
            simulator.start(tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap()).unwrap();
        let fake = FakeApp::start().await;
        let (admin, user) = (site.sign_in("sysadmin").await, site.sign_in("user-1").await);
        site.install(&admin, &fake.manifest(APP, &["remote_oauth2", "act_as_user", "act_as_bot"])).await;
        let at_first = format!("{}/revoke", provider.url());
        let descriptor = descriptor(provider.url(), "").replace(&at_first, &revoke(&at_first));
        let record = json!({"descriptor": descriptor, "client_id": CLIENT, "client_secret": SECRET});
        let put = Ask::new("PUT", PROVIDER).body(Sent::Whole(record.to_string().into_bytes()));
        let set = site.send(&put.bearer(&admin.token)).await;
        assert_eq!(set.status, 200, "{}", set.text());
        let stage = Self { child, data, fake, provider, admin, user };
        stage.connect().await;
        stage
    }

    async fn connect(&self) {
        let site = self.child.site;
        let begun = site.send(&Ask::get(flow(APP, "connect")).bearer(&self.user.token)).await;
        let back = agree(&Url::parse(begun.header("location").unwrap()).unwrap(), "ada").await;
        let callback = format!("{}?{}", back.path(), back.query().unwrap());
        let done = site.send(&Ask::get(callback).bearer(&self.user.token)).await;
        assert_eq!(done.status, 200, "{}", done.text());
    }

    /// The same data with a new process.
    pub(crate) fn again(mut self, kill: bool) -> Self {
        if kill {
            self.child.kill();
        } else {
            self.child.stop();
        }
        self.child = Child::start(TESSERA, self.data.path());
        self
    }

    /// What the App gets when it asks for the person's record.
    pub(crate) async fn ask(&self, query: &str) -> Answer {
        let (token, _) = self.child.site.tokens(&self.user, &self.fake, APP).await;
        let target = format!("/plugins/com.mattermost.apps/api/v1/oauth2/user{query}");
        self.child.site.send(&Ask::get(target).bearer(&token)).await
    }

    /// Runs `tessera connections` with these words more.
    pub(crate) fn connections(&self, words: &[&str], server: bool) -> (bool, String) {
        let mut command = Command::new(TESSERA);
        command.arg("connections").args(words);
        match server {
            true => {
                let url = format!("http://127.0.0.1:{}", self.child.site.address.port());
                command.args(["--server", &url]).env("TESSERA_TOKEN", &self.admin.token)
            }
            false => command.arg("--data").arg(self.data.path() as &Path),
        };
        let (status, text) = run(command);
        (status.success(), text)
    }
}
