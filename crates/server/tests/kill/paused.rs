//! Two processes over one PostgreSQL, one of which is stopped beyond its lease while its reply is on the way.

use std::process::Command;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use tessera_testkit::child::Child;
use tessera_testkit::fake_app::FakeApp;
use tessera_testkit::managed::agree;
use tessera_testkit::postgres::Database;
use tessera_testkit::site::{Person, flow};
use tessera_testkit::wire::{Ask, send};
use url::Url;

use crate::deck::{Kind, Step};
use crate::outside::{Place, token_in, until};
use crate::stage::command;
use crate::table::Ended;

/// How long a request may be under way here, ms; elsewhere more than half a minute.
const LEASE_MS: u32 = 300;
/// How long a reply is on the way, ms: long enough for its reader to be stopped.
const ON_THE_WAY_MS: u32 = 150;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The two, and the providers that they ask.
pub(crate) struct Pair {
    nodes: [Child; 2],
    fake: FakeApp,
    user: Person,
    places: [Place; 2],
    _database: Database,
    _dirs: Vec<TempDir>,
}

impl Pair {
    pub(crate) async fn open(sabotage: Option<&str>) -> Self {
        let database = Database::create().await.unwrap();
        let dirs: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
        // The first to start would make a key of its own: both get one that was made before.
        Child::spawn(command(dirs[2].path(), None)).stop();
        let node = |dir: &TempDir| {
            let mut command = command(dir.path(), sabotage);
            command
                .env("TESSERA_STORE__POSTGRES_URL", database.url())
                .env("TESSERA_VAULT__ROOT_KEY_FILE", dirs[2].path().join("root.key"))
                .env("TESSERA_LEASE_MS", LEASE_MS.to_string());
            Child::spawn(command)
        };
        let nodes = [node(&dirs[0]), node(&dirs[1])];
        let site = nodes[0].site;
        let fake = FakeApp::start().await;
        let (admin, user) = (site.sign_in("sysadmin").await, site.sign_in("user-1").await);
        let places = [Place::open(Kind::Grace).await, Place::open(Kind::NoGrace).await];
        for place in &places {
            let permissions = ["remote_oauth2", "act_as_user", "act_as_bot"];
            site.install(&admin, &fake.manifest(place.app, &permissions)).await;
            place.register(site, &admin).await;
        }
        let pair = Self { nodes, fake, user, places, _database: database, _dirs: dirs };
        for place in &pair.places {
            pair.connect(place).await;
        }
        pair
    }

    async fn connect(&self, place: &Place) {
        let site = self.nodes[0].site;
        let begun = site.send(&Ask::get(flow(place.app, "connect")).bearer(&self.user.token)).await;
        assert_eq!(begun.status, 307, "{}", begun.text());
        let back = agree(&Url::parse(begun.header("location").unwrap()).unwrap(), "ada").await;
        let target = format!("{}?{}", back.path(), back.query().unwrap_or_default());
        let page = site.send(&Ask::get(target).bearer(&self.user.token)).await;
        assert_eq!(page.status, 200, "{}", page.text());
    }

    async fn app_token(&self, place: &Place) -> String {
        let call = json!({
            "path": "/token",
            "context": {"app_id": place.app},
            "expand": {"acting_user_access_token": "all"},
        });
        let answer = self.nodes[0].site.post(&self.user.token, "/call", &call).await;
        assert_eq!(answer.json()["type"], "ok", "{}", answer.text());
        let heard = self.fake.calls_to("/token").last().unwrap().json();
        heard["context"]["acting_user_access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn round(&mut self, step: Step) -> Ended {
        let which = usize::from(step == Step::LateAlone);
        match tokio::time::timeout(PATIENCE, self.stopped_beyond_its_lease(step, which)).await {
            Ok(Ok(())) => Ended::Recovered,
            Ok(Err(why)) => {
                signal(&self.nodes[0], "CONT");
                let place = &self.places[which];
                self.connect(place).await;
                Ended::Wrong(why)
            }
            Err(_) => {
                signal(&self.nodes[0], "CONT");
                Ended::Wrong("it did not come to an end".into())
            }
        }
    }

    async fn stopped_beyond_its_lease(&mut self, step: Step, which: usize) -> Result<(), String> {
        let wanted = self.places[which].outlive();
        let place = &self.places[which];
        let token = self.app_token(place).await;
        let [holder, other] = [self.nodes[0].site.address, self.nodes[1].site.address];
        let asked = place.provider.token_requests();
        let done = place.provider.refreshes();
        place.hold_reply(ON_THE_WAY_MS);
        let ask = place.ask(&token, Some(wanted));
        let held = {
            let ask = ask.clone();
            tokio::spawn(async move { send(holder, &ask).await })
        };
        if !until(PATIENCE, async || place.provider.refreshes() > done).await {
            return Err("nothing was asked of the provider".into());
        }
        signal(&self.nodes[0], "STOP");
        // The other one waits for the lease to end by itself, and asks then.
        let answered = send(other, &ask).await;
        if place.provider.token_requests() != asked + 2 {
            return Err(format!("{} requests instead of two", place.provider.token_requests() - asked));
        }
        let seen = token_in(&answered);
        signal(&self.nodes[0], "CONT");
        let late = held.await.map_err(|error| error.to_string())?;
        let stored = token_in(&send(other, &place.ask(&token, None)).await)?;
        match (step, seen) {
            (Step::LateAmongOthers, Ok(seen)) => {
                if place.age(&stored) < place.age(&seen) {
                    return Err("an earlier request's late reply was written over a later one's".into());
                }
            }
            (Step::LateAlone, Err(_)) => {
                // Nobody but the one that was stopped has a reply, and it counts.
                let late = token_in(&late)?;
                if late != stored {
                    return Err("the only reply that there is was not stored".into());
                }
            }
            (_, seen) => return Err(format!("the other process got {seen:?}")),
        }
        if !place.takes(&stored).await {
            return Err("the provider does not take the stored token".into());
        }
        self.goes_on(which, &token, &stored).await
    }

    /// Another refresh, by the process that was stopped.
    async fn goes_on(&mut self, which: usize, token: &str, before: &str) -> Result<(), String> {
        let wanted = self.places[which].outlive();
        let place = &self.places[which];
        let next = token_in(&send(self.nodes[0].site.address, &place.ask(token, Some(wanted))).await)?;
        if next == before || !place.takes(&next).await {
            return Err("another refresh brought nothing that works".into());
        }
        Ok(())
    }
}

fn signal(node: &Child, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), node.id().to_string()]).status().unwrap();
    assert!(sent.success());
}
