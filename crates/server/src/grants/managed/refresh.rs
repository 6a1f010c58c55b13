//! A refresh: claimed durably, asked once, stored before anybody reads it.

use std::sync::Arc;
use std::time::Duration;

use super::super::{Act, Error, connections};
use super::grant::{self, About, Held};
use super::machine::{self, CLIENT_CHANGED, Next, Rules, Status};
use super::pace::Turn;
use super::record::Setup;
use super::want::Want;
use super::{MANAGED, Managed, fault, swap};
use crate::audit;
use crate::providers::{Failure, Rotation, Tokens};
use crate::store::{ConnectionRow, ManagedRow};
use crate::vault::{Place, Purpose, Sealed};

/// How long a provider may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much longer than that a request may be under way until another one may be sent, ms.
const SLACK_MS: i64 = 5_000;
/// How often a reply that cannot be stored is tried again: over half a minute.
const STORE_TRIES: u32 = 9;
/// The first pause between two of these tries; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// How often another process's request is looked at.
const LOOK: Duration = Duration::from_millis(25);

/// How a refresh ended.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    /// There is a token as it was wanted, or as fresh as the provider makes them.
    Fresh,
    /// There is no such grant any more.
    Gone,
    /// Only a new consent helps.
    Dead,
    /// There is no refresh token: the token is as fresh as it gets.
    Unrefreshable,
    /// Somebody else asks just now, or as many as may: it is looked at again then (Unix ms).
    Busy(i64),
    /// Not now: the last try failed with this code, and the next one is then (Unix ms).
    Later(i64, String),
    /// The provider refuses the App's client with this code: an administrator must look.
    Fault(String),
    /// There is nothing to refresh with: the App has no provider record any more, or no client.
    NoProvider,
    /// Something of ours failed.
    Failed(Arc<Error>),
    /// The task of the refresh died.
    Died,
}

impl Managed {
    /// A fresher token for a grant, by the one refresh of it that is under way.
    pub(super) async fn freshen(self: &Arc<Self>, act: &Act<'_>, want: Want) -> Outcome {
        let (app, user) = (act.app.as_str(), act.actor);
        self.flights
            .join(app, user, || {
                let managed = Arc::clone(self);
                let (app, user, request) = (act.app.clone(), user.to_owned(), act.request.to_owned());
                async move {
                    let act = Act { actor: &user, app: &app, request: &request, reason: "refresh" };
                    managed.fly(&act, want).await.unwrap_or_else(|error| {
                        tracing::error!(%app, %error, "a refresh failed on our side");
                        Outcome::Failed(Arc::new(error))
                    })
                }
            })
            .await
    }

    /// Waits until no refresh is under way.
    pub(in crate::grants) async fn refreshed(&self) {
        self.flights.all_landed().await;
    }

    async fn fly(self: &Arc<Self>, act: &Act<'_>, want: Want) -> Result<Outcome, Error> {
        let place = (act.app.as_str(), act.actor);
        loop {
            // Past the cache: what another process claimed or stored counts.
            let Some(row) = self.connections.read(place.0, place.1).await? else { return Ok(Outcome::Gone) };
            let Some(managed) = row.managed.as_deref().filter(|_| row.kind == MANAGED) else {
                return Ok(Outcome::Gone);
            };
            let now = self.env.now_ms();
            if want.is_met(managed, now) && Status::of(managed.status) != Status::Dead {
                return Ok(Outcome::Fresh);
            }
            match machine::next(managed, now) {
                Next::Dead => return Ok(Outcome::Dead),
                Next::Pause(until) => return Ok(Outcome::Later(until, managed.code.clone())),
                // Who looks ahead does not wait: there is more to look at.
                Next::Wait(until) if want == Want::Ahead => return Ok(Outcome::Busy(until)),
                Next::Wait(_) => tokio::time::sleep(LOOK).await,
                Next::Ask { fence, after_unknown } => {
                    let asking = Asked { generation: row.generation, fence, after_unknown };
                    if let Some(outcome) = self.ask(act, &row, managed, asking, want).await? {
                        return Ok(outcome);
                    }
                }
            }
        }
    }

    /// Sends the request, unless somebody else claimed it first: then there is no outcome, and the row is looked at anew.
    async fn ask(
        self: &Arc<Self>,
        act: &Act<'_>,
        row: &ConnectionRow,
        managed: &ManagedRow,
        asked: Asked,
        want: Want,
    ) -> Result<Option<Outcome>, Error> {
        let app = act.app.as_str();
        let Some(setup) = self.setup(app).await? else { return Ok(Some(Outcome::NoProvider)) };
        if setup.client_id.is_empty() {
            return Ok(Some(Outcome::NoProvider));
        }
        if !setup.described.fault.is_empty() {
            return Ok(Some(Outcome::Fault(setup.described.fault.clone())));
        }
        if managed.client != setup.print {
            self.orphan(app, &setup).await?;
            return Ok(Some(Outcome::Dead));
        }
        // What does not open is not asked for: its key may come back (OS-45).
        let held = self.held(act, row, managed).await?;
        let about = About::read(&managed.about);
        let refresh_token = held.refresh_token.clone();
        if refresh_token.is_none() && !about.own {
            return self.nothing_to_ask_with(act, row, managed).await.map(Some);
        }
        let pace = self.paces.of(app);
        let _turn = match pace.turn(self.env.now_ms(), want != Want::Ahead).await {
            Turn::Taken(turn) => turn,
            Turn::Paused(until) => return Ok(Some(Outcome::Later(until, "provider_paused".into()))),
            Turn::Full => return Ok(Some(Outcome::Busy(self.env.now_ms() + 500))),
        };
        let (env, client) = (&self.env, setup.client());
        let request = match &refresh_token {
            Some(held) => setup.provider().refresh(env, client, held, &about.granted)?,
            None => setup.provider().client_credentials(env, client, &about.asked)?,
        };
        let patience = patience(&setup);
        self.note_refresh(act).await?;
        fault::point("before-claim");
        let now = self.env.now_ms();
        let lease_until = now + fault::lease_ms().unwrap_or_else(|| lease_ms(patience));
        let claimed =
            self.connections.claim((app, act.actor), row.generation, managed.fence, now, lease_until);
        let (mut claimed, forgotten) = (Some(claimed), fault::sabotaged("forget-the-intent"));
        if let Some(claimed) = claimed.take_if(|_| !forgotten)
            && !claimed.await?
        {
            return Ok(None);
        }
        fault::point("claimed");
        let sent_at = self.env.now_ms();
        if sent_at - now > slack_ms(patience) {
            // We were held up: by the time that a reply may come, somebody else may ask with the same refresh token, and
            // where a second use of one ends the grant, nothing of ours could undo that.
            return Ok(None);
        }
        let reply = setup.provider().tokens_within(&self.egress, request, sent_at, patience).await;
        fault::point("replied");
        if let Some(too_late) = claimed {
            too_late.await?;
        }
        match reply {
            Ok(tokens) => {
                pace.went_well();
                let renewed = Renewed { tokens, held, about, sent_at, fence: asked.fence };
                self.store_surely(act, &setup, row.generation, &renewed).await.map(Some)
            }
            Err(failure) => {
                pace.failed(&failure, self.env.now_ms());
                self.settle(act, &setup, managed, asked, &failure).await.map(Some)
            }
        }
    }

    /// A reply that came may be the only one that works: a database or a log that fails for a moment does not lose it.
    async fn store_surely(
        self: &Arc<Self>,
        act: &Act<'_>,
        setup: &Setup,
        read: i64,
        renewed: &Renewed,
    ) -> Result<Outcome, Error> {
        let mut pause = FIRST_PAUSE;
        for _ in 0..STORE_TRIES {
            match Box::pin(self.store(act, setup, read, renewed)).await {
                Err(error) => {
                    tracing::error!(app = %act.app, %error, "a fresh token could not be stored yet, and is held");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                stored => return stored,
            }
        }
        self.store(act, setup, read, renewed).await
    }

    /// A reply is stored before anybody reads it: in place of what was read, or of what came meanwhile from an earlier
    /// request. A later one's is not written over.
    async fn store(
        self: &Arc<Self>,
        act: &Act<'_>,
        setup: &Setup,
        read: i64,
        renewed: &Renewed,
    ) -> Result<Outcome, Error> {
        let Renewed { tokens, held: before, about, sent_at, fence } = renewed;
        let (mut about, sent_at, fence) = (about.clone(), *sent_at, *fence);
        let held = Held::of(tokens, Some(before));
        if let Some(granted) = &tokens.scopes {
            about.granted.clone_from(granted);
        }
        about.refreshable = about.own || held.refresh_token.is_some();
        let late = format!("late:{}:{fence}", about.grant);
        let mut expected = read;
        loop {
            let generation = expected + 1;
            let mark = connections::mark(act.actor, generation);
            self.note_row(audit::Act::ConnectionRefreshed, act, mark).await?;
            let given = Given { tokens, held: &held, about: &about, sent_at };
            let fresh = self.row_of(act, setup, given, generation, fence).await?;
            let over_later = fault::sabotaged("skip-the-fence");
            if fault::sabotaged("release-before-durable") {
                self.release_early(fresh, expected, fence).await;
                return Ok(Outcome::Fresh);
            }
            if self.connections.answer(fresh, expected, fence, over_later).await? {
                fault::point("stored");
                self.confirm_answer(act, generation).await?;
                self.meters.refreshed("ok");
                if about.refreshable && !setup.described.fault.is_empty() {
                    self.mended(act.app.as_str(), setup.described.generation).await?;
                }
                return Ok(Outcome::Fresh);
            }
            let there = self.connections.read(act.app.as_str(), act.actor).await?;
            match there.as_ref().and_then(|row| Some((row, row.managed.as_ref()?))) {
                // Another client asked for it than the App has now: nobody may use it (OS-37).
                Some((row, managed)) if row.kind == MANAGED && managed.code == CLIENT_CHANGED => {
                    self.end_at_provider(act, setup, &held, &about, &late).await?;
                    return Ok(Outcome::Dead);
                }
                // A reply of an earlier request was merged meanwhile, or something else about the grant changed.
                Some((row, managed))
                    if row.kind == MANAGED && (swap::may_answer(managed, fence) || over_later) =>
                {
                    expected = row.generation;
                }
                // A later request of the same grant brought something newer.
                Some((row, managed))
                    if row.kind == MANAGED && About::read(&managed.about).grant == about.grant =>
                {
                    return Ok(Outcome::Fresh);
                }
                // Its person connected anew meanwhile: what came is of a grant that nobody has any more.
                Some((row, _)) if row.kind == MANAGED => {
                    self.end_at_provider(act, setup, &held, &about, &late).await?;
                    return Ok(Outcome::Fresh);
                }
                // It was ended while its reply was on the way: what came is ended as well.
                _ => {
                    self.end_at_provider(act, setup, &held, &about, &late).await?;
                    if there.is_none() {
                        // The key that we sealed with may be one that we made after the old one was destroyed.
                        self.vault.shred(act.app.as_str(), act.actor).await?;
                    }
                    return Ok(Outcome::Gone);
                }
            }
        }
    }

    /// What must never be, for a test that must notice: readers have the token, and the disk has it later.
    async fn release_early(self: &Arc<Self>, row: ConnectionRow, expected: i64, fence: i64) {
        self.connections.show(row.clone()).await;
        let managed = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(fault::LATE).await;
            let _ = managed.connections.answer(row, expected, fence, false).await;
            fault::point("stored");
        });
    }

    /// The row of a grant that was just given, sealed for its place: of this generation, by the reply of request `fence`.
    pub(super) async fn row_of(
        &self,
        act: &Act<'_>,
        setup: &Setup,
        given: Given<'_>,
        generation: i64,
        fence: i64,
    ) -> Result<ConnectionRow, Error> {
        let Given { tokens, held, about, sent_at } = given;
        let place = place(act, generation);
        let sealed = self.vault.seal(&place, &grant::released(tokens, held, about)).await?;
        let sealed_held = self.vault.seal(&Place { purpose: Purpose::Held, ..place }, &held.bytes()).await?;
        let missing = about.missing(setup.descriptor().scopes.offline.as_deref());
        let status = if missing.is_empty() { Status::Connected } else { Status::MissingScopes };
        let (expires_at, now) = (grant::expires_at(tokens), self.env.now_ms());
        let managed = ManagedRow {
            held: sealed_held.into_bytes(),
            expires_at,
            issued_at: sent_at,
            due_at: self.next_look(setup, act, sent_at, expires_at, about.refreshable),
            status: status.code(),
            code: String::new(),
            phase: machine::REST,
            fence,
            answered: fence,
            lease_until: 0,
            attempts: 0,
            client: setup.print.clone(),
            about: about.text(),
        };
        Ok(ConnectionRow {
            app: act.app.as_str().to_owned(),
            user: act.actor.to_owned(),
            kind: MANAGED,
            generation,
            sealed: sealed.into_bytes(),
            // Of a row that is there its own counts.
            created_at: now,
            updated_at: now,
            managed: Some(Box::new(managed)),
        })
    }

    async fn settle(
        self: &Arc<Self>,
        act: &Act<'_>,
        setup: &Setup,
        managed: &ManagedRow,
        asked: Asked,
        failure: &Failure,
    ) -> Result<Outcome, Error> {
        let app = act.app.as_str();
        let now = self.env.now_ms();
        let Asked { generation, fence, after_unknown } = asked;
        let spread = spread(app, act.actor, fence);
        let fallen = machine::fallen(managed, after_unknown, failure, rules(setup), now, spread);
        tracing::warn!(
            app,
            code = %failure.code,
            status = failure.status,
            class = ?failure.class,
            outcome_unknown = failure.outcome_unknown,
            "a refresh brought no token"
        );
        self.meters.refreshed(class_word(failure));
        let detail = format!("{} {}", class_word(failure), failure.code);
        let entry = audit::Entry::done(audit::Act::RefreshFailed, act.actor, app, act.request);
        self.audit.done(entry.detail(&detail));
        let about = About::read(&managed.about);
        let tell = match fallen.news {
            true => Some(self.news(act, &about, fence, generation, &failure.code)?),
            false => None,
        };
        let status = fallen.settled.status;
        let due = fallen.settled.due_at;
        if !self.connections.settle((app, act.actor), generation, fence, fallen.settled, tell).await? {
            // Another request's reply is there: it is not for this one's failure to say how the grant stands.
            return Ok(Outcome::Fresh);
        }
        fault::point("settled");
        if fallen.news {
            self.bell.notify_one();
        }
        if fallen.foreign && setup.descriptor().refresh.rotation != Rotation::Never {
            let entry = audit::Entry::done(audit::Act::GrantSuspect, act.actor, app, act.request);
            self.audit.done(entry.detail(&failure.code));
            self.meters.suspect();
            tracing::warn!(
                app,
                user = act.actor,
                "a grant ended outside: its person ended it at the provider, or somebody else used its refresh token"
            );
        }
        if fallen.fault {
            let first = self.providers.fault(app, setup.described.generation, &failure.code, now).await?;
            if first {
                let entry = audit::Entry::done(audit::Act::ProviderFault, act.actor, app, act.request);
                self.audit.done(entry.detail(&failure.code));
                tracing::error!(
                    app,
                    code = %failure.code,
                    "the provider refuses the App's client: nothing of it is refreshed until an administrator looks"
                );
            }
            return Ok(Outcome::Fault(failure.code.clone()));
        }
        Ok(match Status::of(status) {
            Status::Dead => Outcome::Dead,
            _ => Outcome::Later(due.unwrap_or(now + 1_000), failure.code.clone()),
        })
    }

    /// A grant without a refresh token ends with its access token.
    async fn nothing_to_ask_with(
        self: &Arc<Self>,
        act: &Act<'_>,
        row: &ConnectionRow,
        managed: &ManagedRow,
    ) -> Result<Outcome, Error> {
        let now = self.env.now_ms();
        if managed.expires_at.is_none_or(|at| at > now) {
            self.connections
                .postpone(
                    (act.app.as_str(), act.actor),
                    managed.due_at.unwrap_or_default(),
                    managed.expires_at,
                )
                .await?;
            return Ok(Outcome::Unrefreshable);
        }
        let place = (act.app.as_str(), act.actor);
        let lease_until = now + SLACK_MS;
        if !self.connections.claim(place, row.generation, managed.fence, now, lease_until).await? {
            return Ok(Outcome::Later(now + 100, String::new()));
        }
        let fence = managed.fence + 1;
        let about = About::read(&managed.about);
        let news = self.news(act, &about, fence, row.generation, "no_refresh_token")?;
        let settled = crate::store::Settled {
            status: Status::Dead.code(),
            code: "no_refresh_token".into(),
            phase: machine::REST,
            attempts: managed.attempts,
            due_at: None,
        };
        self.connections.settle(place, row.generation, fence, settled, Some(news)).await?;
        self.bell.notify_one();
        Ok(Outcome::Dead)
    }

    /// What the App never sees, opened.
    pub(super) async fn held(
        &self,
        act: &Act<'_>,
        row: &ConnectionRow,
        managed: &ManagedRow,
    ) -> Result<Held, Error> {
        let place = Place { purpose: Purpose::Held, ..place(act, row.generation) };
        let plain = self.vault.open_sealed(&place, &Sealed::from_bytes(managed.held.clone())).await?;
        Held::read(&plain).ok_or_else(|| Error::Damaged(act.app.clone()))
    }

    /// When a token is looked at next by itself.
    pub(super) fn next_look(
        &self,
        setup: &Setup,
        act: &Act<'_>,
        issued_at: i64,
        expires_at: Option<i64>,
        refreshable: bool,
    ) -> Option<i64> {
        let spread = spread(act.app.as_str(), act.actor, issued_at);
        match refreshable {
            true => machine::due(issued_at, expires_at, spread)
                .or_else(|| setup.described.keep_alive(issued_at, spread)),
            // So that its end is told when it comes, and not to the one who needs it.
            false => expires_at,
        }
    }

    async fn note_refresh(&self, act: &Act<'_>) -> Result<(), Error> {
        let entry = audit::Entry::allowed(audit::Act::RefreshAsked, act.actor, act.app.as_str(), act.request);
        Ok(self.audit.record(entry).await?)
    }

    pub(super) async fn note_row(
        &self,
        what: audit::Act,
        act: &Act<'_>,
        mark: audit::RowMark<'_>,
    ) -> Result<(), Error> {
        let entry = audit::Entry::allowed(what, act.actor, act.app.as_str(), act.request);
        self.audit.record(entry.detail(act.reason).row(mark)).await?;
        self.meters.count(what);
        Ok(())
    }

    /// The row as it lies there now: its time of birth is the database's to keep.
    async fn confirm_answer(&self, act: &Act<'_>, generation: i64) -> Result<(), Error> {
        let row = self.connections.get(act.app.as_str(), act.actor).await?;
        if let Some(row) = row.filter(|row| row.generation == generation) {
            let print = self.audit.prints().connection(&row);
            let mark = audit::RowMark { print: Some(&print), ..connections::mark(act.actor, generation) };
            let entry = audit::Entry::done(audit::Act::RowWritten, act.actor, act.app.as_str(), act.request);
            self.audit.done(entry.row(mark));
        }
        Ok(())
    }
}

/// A grant as it was just given.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) tokens: &'a Tokens,
    pub(super) held: &'a Held,
    pub(super) about: &'a About,
    /// When it was asked for, Unix ms.
    pub(super) sent_at: i64,
}

/// What a request brought, and what it was made from.
struct Renewed {
    tokens: Tokens,
    held: Held,
    about: About,
    sent_at: i64,
    fence: i64,
}

/// A request that brought nothing.
#[derive(Clone, Copy)]
struct Asked {
    generation: i64,
    fence: i64,
    after_unknown: bool,
}

pub(super) fn place<'a>(act: &Act<'a>, generation: i64) -> Place<'a> {
    Place { purpose: Purpose::Connection, app: act.app.as_str(), user: act.actor, generation }
}

pub(super) fn rules(setup: &Setup) -> Rules {
    let refresh = &setup.descriptor().refresh;
    Rules { rotates: refresh.rotation != Rotation::Never, grace_ms: i64::from(refresh.grace_seconds) * 1_000 }
}

/// A spent refresh token works for a while at some providers: a request whose reply was lost must be given up early
/// enough for two others within it. A sixth of the grace, and a lease half as long again, leave that much.
fn patience(setup: &Setup) -> Duration {
    match setup.descriptor().refresh.grace_seconds {
        0 => PATIENCE,
        grace => PATIENCE.min(Duration::from_secs(grace.into()) / 6),
    }
}

fn lease_ms(patience: Duration) -> i64 {
    i64::try_from(patience.as_millis()).unwrap_or(SLACK_MS) + slack_ms(patience)
}

fn slack_ms(patience: Duration) -> i64 {
    SLACK_MS.min(i64::try_from(patience.as_millis() / 2).unwrap_or(SLACK_MS))
}

/// Between 0 and 1, and the same for the same grant and number.
pub(super) fn spread(app: &str, user: &str, number: i64) -> f64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    (app, user, number).hash(&mut hasher);
    (hasher.finish() >> 11) as f64 / (1_u64 << 53) as f64
}

fn class_word(failure: &Failure) -> &'static str {
    use crate::providers::Class;
    match failure.class {
        Class::Terminal => "terminal",
        Class::Transient => "transient",
        Class::Operator => "operator",
        Class::User => "user",
    }
}
