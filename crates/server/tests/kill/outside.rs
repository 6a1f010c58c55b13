//! What stands outside the process that is killed: the providers, with clocks that can be moved on.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::json;
use tessera_server::env::Env;
use tessera_simulator::{Counted, Running, Simulator};
use tessera_testkit::managed::{CLIENT, SECRET, at, descriptor};
use tessera_testkit::site::{Person, Site, flow};
use tessera_testkit::wire::{Answer, Ask, Sent};

use crate::deck::Kind;

/// The site's address, whatever port a process has.
pub(crate) const SITE: &str = "http://localhost:8065";
/// How long a spent refresh token works, where it does.
const GRACE: u32 = 30;
/// How long the first token lives. Each lives a second longer than the one before, so that whoever wants as much life
/// as the last one had gets another.
const FIRST_LIFE: u64 = 7_200;

/// A provider and the App that uses it.
pub(crate) struct Place {
    pub(crate) kind: Kind,
    pub(crate) app: &'static str,
    pub(crate) provider: Running,
    /// How far its clock is ahead, seconds.
    ahead: Arc<AtomicI64>,
    /// How long the last token that was asked for lives.
    pub(crate) life: u64,
}

impl Place {
    pub(crate) async fn open(kind: Kind) -> Self {
        let app = match kind {
            Kind::Grace => "grace",
            Kind::NoGrace => "no-grace",
            Kind::FamilyDies => "family",
            Kind::Sometimes => "sometimes",
            Kind::Never => "never",
        };
        let ahead = Arc::new(AtomicI64::new(0));
        let clock = Arc::clone(&ahead);
        let builder = Simulator::builder()
            .client(CLIENT, SECRET, [format!("{SITE}{}", flow(app, "complete"))])
            .clock(Arc::new(move || Env::system().now_ms() / 1_000 + clock.load(Ordering::SeqCst)))
            .behaviour(|switches| {
                switches.token_life = Duration::from_secs(FIRST_LIFE);
                switches.rotate_refresh_tokens =
                    matches!(kind, Kind::Grace | Kind::NoGrace | Kind::FamilyDies);
                switches.rotate_by_clock = (kind == Kind::Sometimes).then_some(60);
                switches.reuse_kills_family =
                    matches!(kind, Kind::Grace | Kind::FamilyDies | Kind::Sometimes);
                if matches!(kind, Kind::Grace | Kind::Sometimes) {
                    switches.reuse_grace = GRACE;
                }
            });
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let provider = builder.build().start(listener).unwrap();
        Self { kind, app, provider, ahead, life: FIRST_LIFE }
    }

    /// Writes the App's provider record.
    pub(crate) async fn register(&self, site: Site, admin: &Person) {
        let refresh = match self.kind {
            Kind::Grace => format!("[refresh]\nrotation = 'always'\ngrace_seconds = {GRACE}"),
            Kind::NoGrace | Kind::FamilyDies => "[refresh]\nrotation = 'always'".into(),
            Kind::Sometimes => format!("[refresh]\nrotation = 'sometimes'\ngrace_seconds = {GRACE}"),
            Kind::Never => "[refresh]\nrotation = 'never'".into(),
        };
        let descriptor = descriptor(self.provider.url(), &refresh);
        let record = json!({"descriptor": descriptor, "client_id": CLIENT, "client_secret": SECRET});
        let target = format!("/plugins/com.mattermost.apps/tessera/v1/apps/{}/provider", self.app);
        let ask = Ask::new("PUT", target).body(Sent::Whole(record.to_string().into_bytes()));
        let set = site.send(&ask.bearer(&admin.token)).await;
        assert_eq!(set.status, 200, "{}", set.text());
    }

    /// The life to ask for so that the token that is there does not do; the next one will live a second longer.
    pub(crate) fn outlive(&mut self) -> u64 {
        let wanted = self.life;
        self.life += 1;
        let life = Duration::from_secs(self.life);
        self.provider.change_behaviour(|switches| switches.token_life = life);
        wanted
    }

    /// The next reply is held back until its reader is gone, or for so long.
    pub(crate) fn hold_reply(&self, ms: u32) {
        self.provider.change_behaviour(|switches| switches.delayed_reply = Counted::times(ms, 1));
    }

    /// The next request brings a gateway's word, and nothing is done.
    pub(crate) fn fail_once(&self) {
        self.provider.change_behaviour(|switches| switches.html_502 = Counted::times(true, 1));
    }

    /// Whatever works for a while only does not work any more.
    pub(crate) fn let_grace_pass(&self) {
        self.ahead.fetch_add(i64::from(GRACE) + 1, Ordering::SeqCst);
    }

    /// Whether the provider takes a token.
    pub(crate) async fn takes(&self, token: &str) -> bool {
        let site = at(self.provider.url());
        site.send(&Ask::get("/userinfo").bearer(token)).await.status == 200
    }

    /// Which of two tokens is the later one: its place among all that were ever given.
    pub(crate) fn age(&self, token: &str) -> Option<usize> {
        self.provider.issued_secrets().iter().rposition(|issued| issued == token)
    }

    /// Asks for the person's record as the App.
    pub(crate) fn ask(&self, token: &str, wanted: Option<u64>) -> Ask {
        let query = wanted.map(|seconds| format!("?min_ttl={seconds}")).unwrap_or_default();
        Ask::get(format!("/plugins/com.mattermost.apps/api/v1/oauth2/user{query}")).bearer(token)
    }
}

/// The access token in an answer.
pub(crate) fn token_in(answer: &Answer) -> Result<String, String> {
    let told = answer.header("tessera-connection").unwrap_or_default();
    let parsed = serde_json::from_slice::<serde_json::Value>(&answer.body).unwrap_or_default();
    match (answer.status, parsed["access_token"].as_str()) {
        (200, Some(token)) => Ok(token.to_owned()),
        (status, _) => Err(format!("answered {status} {told} {}", answer.text().trim())),
    }
}

/// Waits until something holds, at most for so long; whether it does.
pub(crate) async fn until(most: Duration, mut holds: impl AsyncFnMut() -> bool) -> bool {
    let looking = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(most, looking).await.is_ok()
}
