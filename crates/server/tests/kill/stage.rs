//! The process that is killed, and what it needs to be started again.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use tessera_testkit::child::{Child, serve};
use tessera_testkit::fake_app::FakeApp;
use tessera_testkit::managed::agree;
use tessera_testkit::site::{Person, Site, flow};
use tessera_testkit::wire::{Answer, Ask, try_send};
use url::Url;

use crate::deck::Kind;
use crate::outside::{Place, SITE, token_in, until};

/// The binary under test.
const TESSERA: &str = env!("CARGO_BIN_EXE_tessera");

/// One process after another over one folder.
pub(crate) struct Stage {
    pub(crate) child: Option<Child>,
    dir: TempDir,
    sabotage: Option<String>,
    fake: FakeApp,
    pub(crate) user: Person,
    pub(crate) places: Vec<Place>,
    tokens: Vec<Option<String>>,
    /// How long what must happen by itself may take.
    pub(crate) patience: Duration,
}

/// The binary, by a name that nobody else has: cargo puts another one in its place when it builds without faults.
fn binary() -> &'static str {
    static COPY: OnceLock<(TempDir, String)> = OnceLock::new();
    let (_, copy) = COPY.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let copy = dir.path().join("tessera");
        if std::fs::hard_link(TESSERA, &copy).is_err() {
            std::fs::copy(TESSERA, &copy).unwrap();
        }
        let copy = copy.to_str().unwrap().to_owned();
        (dir, copy)
    });
    copy
}

/// A server's command that knows nothing of whoever runs this.
pub(crate) fn command(dir: &std::path::Path, sabotage: Option<&str>) -> Command {
    let mut command = serve(binary(), dir);
    command.env("TESSERA_SITE__URL", SITE).env("TESSERA_FAULT_FILE", dir.join("fault"));
    if let Some(name) = sabotage {
        command.env("TESSERA_SABOTAGE", name);
    }
    command
}

impl Stage {
    pub(crate) async fn open(sabotage: Option<&str>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let child = Child::spawn(command(dir.path(), sabotage));
        let fake = FakeApp::start().await;
        let admin = child.site.sign_in("sysadmin").await;
        let user = child.site.sign_in("user-1").await;
        let mut places = Vec::new();
        for kind in Kind::ALL {
            let place = Place::open(kind).await;
            child
                .site
                .install(&admin, &fake.manifest(place.app, &["remote_oauth2", "act_as_user", "act_as_bot"]))
                .await;
            place.register(child.site, &admin).await;
            places.push(place);
        }
        let tokens = vec![None; places.len()];
        // Where a rule is off, what must happen by itself may never come.
        let patience = Duration::from_secs(if sabotage.is_some() { 1 } else { 20 });
        let sabotage = sabotage.map(str::to_owned);
        let mut stage = Self { child: Some(child), dir, sabotage, fake, user, places, tokens, patience };
        for place in 0..stage.places.len() {
            stage.connect(place).await;
        }
        stage
    }

    pub(crate) fn site(&self) -> Site {
        self.child.as_ref().unwrap().site
    }

    fn fault_file(&self) -> PathBuf {
        self.dir.path().join("fault")
    }

    /// From now on this step ends the process.
    pub(crate) fn arm(&self, step: &str) {
        std::fs::write(self.fault_file(), step).unwrap();
    }

    /// Waits for the process to end by itself; false when it does not.
    pub(crate) async fn died(&mut self) -> bool {
        let child = self.child.as_mut().unwrap();
        until(Duration::from_secs(60), async || child.has_ended()).await
    }

    /// A new process over what the last one left.
    pub(crate) fn start_again(&mut self) {
        let _ = std::fs::remove_file(self.fault_file());
        if let Some(child) = self.child.take() {
            child.kill();
        }
        self.child = Some(Child::spawn(command(self.dir.path(), self.sabotage.as_deref())));
    }

    /// A token with which the App acts as the user.
    pub(crate) async fn app_token(&mut self, place: usize) -> String {
        if let Some(token) = &self.tokens[place] {
            return token.clone();
        }
        let call = json!({
            "path": "/token",
            "context": {"app_id": self.places[place].app},
            "expand": {"acting_user_access_token": "all"},
        });
        let answer = self.site().post(&self.user.token, "/call", &call).await;
        assert_eq!(answer.json()["type"], "ok", "{}", answer.text());
        let heard = self.fake.calls_to("/token").last().unwrap().json();
        let token = heard["context"]["acting_user_access_token"].as_str().unwrap().to_owned();
        self.tokens[place] = Some(token.clone());
        token
    }

    /// What the App gets, with at least so much life left.
    pub(crate) async fn read(&mut self, place: usize, wanted: Option<u64>) -> Result<String, String> {
        let mut answer = None;
        for _ in 0..2 {
            let token = self.app_token(place).await;
            let ask = self.places[place].ask(&token, wanted);
            let got = self.site().send(&ask).await;
            // The App's token ends after some minutes, and a run takes longer.
            if got.status != 401 {
                answer = Some(got);
                break;
            }
            self.tokens[place] = None;
        }
        token_in(&answer.ok_or("the App's own token does not work")?)
    }

    /// The same, sent and not waited for: the process will not live to answer.
    pub(crate) async fn doomed_read(
        &mut self,
        place: usize,
        wanted: u64,
    ) -> tokio::task::JoinHandle<Option<Answer>> {
        // One that works for certain, as there is no second try.
        let fresh = self.read(place, None).await;
        assert!(fresh.is_ok(), "{fresh:?}");
        let token = self.app_token(place).await;
        let (ask, address) = (self.places[place].ask(&token, Some(wanted)), self.site().address);
        tokio::spawn(async move { try_send(address, &ask).await })
    }

    /// As far as the callback, which nobody has followed yet.
    pub(crate) async fn callback(&self, place: usize) -> Ask {
        let connect = Ask::get(flow(self.places[place].app, "connect")).bearer(&self.user.token);
        let begun = self.site().send(&connect).await;
        assert_eq!(begun.status, 307, "{}", begun.text());
        let back = agree(&Url::parse(begun.header("location").unwrap()).unwrap(), "ada").await;
        let target = format!("{}?{}", back.path(), back.query().unwrap_or_default());
        Ask::get(target).bearer(&self.user.token)
    }

    /// Connects the user with a provider.
    pub(crate) async fn connect(&mut self, place: usize) {
        let callback = self.callback(place).await;
        let page = self.site().send(&callback).await;
        assert_eq!(page.status, 200, "{}", page.text());
    }

    /// Ends the user's connection, as the user.
    pub(crate) fn disconnect(&self, place: usize) -> Ask {
        let app = self.places[place].app;
        Ask::new("DELETE", format!("/plugins/com.mattermost.apps/tessera/v1/connections/{app}"))
            .bearer(&self.user.token)
    }

    /// How often something was counted by this process, over all its outcomes but those left out.
    pub(crate) async fn counted(&self, what: &str, but: &str) -> u64 {
        let text = self.site().send(&Ask::get("/metrics")).await.text();
        let lines = text.lines().filter(|line| line.starts_with(what));
        let lines = lines.filter(|line| but.is_empty() || !line.contains(but));
        lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum()
    }
}
