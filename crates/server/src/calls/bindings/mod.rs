//! The bindings of all Apps, as one tree for one person in one place (apps-framework.md section 10).
//!
//! Each App is asked anew each time, as in the original, and all at once. One App must not keep the command line
//! waiting, however: who was late is glanced at from then on, its last answer is shown meanwhile, and when it has
//! something new to say after all, the person's clients hear that bindings have changed.

mod clean;
mod memory;
mod merge;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use tessera_types::error::Aggregate;
use tessera_types::{App, AppId, Binding, CallResponse, Context};
use tokio::time::Instant;

use super::forms::About;
use super::{Calls, ServerCall};
use crate::apps;
use crate::platform::{Audience, Event, Identity, REFRESH_BINDINGS};
use crate::trail;
pub use clean::Outcome;
pub(super) use memory::Memory;
use memory::{Begun, Place, Plan};

/// How many Apps are asked at once.
const AT_ONCE: usize = 64;
/// How long an App is waited for that was in time when last asked.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long an App is waited for that was late.
const GLANCE: Duration = Duration::from_millis(100);

/// All bindings for somebody, and what was wrong with Apps' answers. One bad App never spoils the rest.
#[derive(Debug, Default)]
pub struct Gathered {
    /// The tree, sorted.
    pub bindings: Vec<Binding>,
    /// For whoever tests bindings.
    pub problems: Aggregate,
}

impl Calls {
    /// Asks every enabled App for its bindings for `who`, in the team and channel of `place`, which also names the
    /// user agent.
    ///
    /// # Errors
    /// When the Apps themselves cannot be read.
    pub async fn bindings(
        self: &Arc<Self>,
        who: &Identity,
        place: &Context,
        request: &str,
        deadline: Instant,
    ) -> Result<Gathered, apps::Error> {
        let apps = self.apps.all().await?;
        let asked = apps.into_iter().map(|app| {
            let asking = Asking {
                calls: Arc::clone(self),
                place: place_of(&app, who, place),
                given: place.clone(),
                request: request.to_owned(),
                deadline,
                app,
            };
            Box::pin(asking.outcome())
        });
        let outcomes: Vec<_> = futures_util::stream::iter(asked).buffered(AT_ONCE).collect().await;
        let mut gathered = Gathered::default();
        let mut lists = Vec::new();
        for outcome in outcomes.into_iter().flatten() {
            outcome.problems.iter().for_each(|problem| gathered.problems.push(problem.to_string()));
            lists.push(outcome.bindings.clone());
        }
        gathered.bindings = merge::merge(lists);
        merge::sort(&mut gathered.bindings);
        Ok(gathered)
    }
}

/// One App being asked.
#[derive(Clone)]
struct Asking {
    calls: Arc<Calls>,
    app: Arc<App>,
    place: Place,
    given: Context,
    request: String,
    deadline: Instant,
}

impl Asking {
    /// The App's bindings, or the best that can be said of them now; nothing for an App that is switched off.
    async fn outcome(self) -> Option<Arc<Outcome>> {
        self.calls.apps.callable(&AppId::unchecked(self.place.app.as_str())).await.ok()?;
        if self.app.granted_locations.is_empty() {
            return Some(failed(About::Location, "no location granted to bind to: forbidden".to_owned()));
        }
        let late =
            || failed(About::Answer, format!("{}: did not answer its bindings in time", self.place.app));
        match self.calls.bindings_memory.plan(&self.app, &self.place) {
            Plan::Wait(begun) => self.wait(PATIENCE, begun).await.or_else(|| Some(late())),
            Plan::Glance(begun, known) => self.wait(GLANCE, begun).await.or(known).or_else(|| Some(late())),
            Plan::Leave(known) => known.or_else(|| Some(late())),
        }
    }

    /// The answer, if it comes in time. Otherwise the call goes on by itself until its own deadline, and what it
    /// brings is kept.
    async fn wait(&self, patience: Duration, begun: Begun) -> Option<Arc<Outcome>> {
        let in_time = Instant::now() + patience;
        let mut task = tokio::spawn(trail::carried(Box::pin(self.clone().ask(in_time, begun))));
        if let Ok(ended) = tokio::time::timeout_at(in_time, &mut task).await {
            return ended.ok();
        }
        tracing::debug!(app = %self.place.app, "did not answer its bindings in time");
        self.calls.bindings_memory.is_late(&self.place);
        None
    }

    async fn ask(self, in_time: Instant, _begun: Begun) -> Arc<Outcome> {
        let response = self.response().await;
        let site_url = &self.calls.settings.site_url;
        let outcome = Arc::new(Outcome::of(&self.app, site_url, &self.given.user_agent, response));
        let memory = &self.calls.bindings_memory;
        if Instant::now() <= in_time {
            memory.is_quick(&self.place);
        } else if memory.keep(&self.app, &self.place, &outcome) {
            let audience = Audience::User(self.place.user.clone());
            self.calls.platform.publish(Event { name: REFRESH_BINDINGS, audience });
        }
        outcome
    }

    async fn response(&self) -> CallResponse {
        let made = ServerCall {
            app: &self.app,
            call: self.app.manifest.bindings_call(),
            values: Default::default(),
            given: self.given.clone(),
            acting: Some(&self.place.user),
            request: &self.request,
            deadline: self.deadline,
        };
        let answer = self.calls.server_call(made).await;
        answer.unwrap_or_else(|error| CallResponse::error(error.to_string()))
    }
}

fn failed(about: About, text: String) -> Arc<Outcome> {
    Arc::new(Outcome::failed(about, text))
}

fn place_of(app: &App, who: &Identity, place: &Context) -> Place {
    Place {
        app: app.manifest.app_id.clone(),
        user: who.user_id.clone(),
        team: place.team_id.clone(),
        channel: place.channel_id.clone(),
        user_agent: place.user_agent.clone(),
    }
}
