//! What is remembered of slow Apps, so that nobody waits for them twice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quick_cache::unsync::Cache;
use tessera_types::{App, Binding};

use super::clean::Outcome;

/// How many answers are remembered; only slow Apps' are.
const ANSWERS: usize = 1_024;
/// A larger answer is not remembered, in bindings of all depths.
const LARGEST: usize = 500;
/// How many calls of one slow App may be under way at once.
const UNDER_WAY: usize = 8;

/// For whom and where bindings were asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) app: String,
    pub(super) user: String,
    pub(super) team: String,
    pub(super) channel: String,
    pub(super) user_agent: String,
}

/// Which Apps are slow, and their last answers.
pub(in crate::calls) struct Memory(Arc<Mutex<State>>);

struct State {
    answers: Cache<Place, (Arc<App>, Arc<Outcome>)>,
    /// By App's id: those that are being asked, and those that are slow.
    standings: HashMap<String, Standing>,
}

#[derive(Default)]
struct Standing {
    under_way: usize,
    slow: bool,
}

/// What to do about an App now.
pub(super) enum Plan {
    /// It answered in time when it was last asked, or never was.
    Wait(Begun),
    /// It is slow: ask, wait a little, and make do with this.
    Glance(Begun, Option<Arc<Outcome>>),
    /// Too many calls are with it already.
    Leave(Option<Arc<Outcome>>),
}

impl Memory {
    pub(in crate::calls) fn new() -> Self {
        Self(Arc::new(Mutex::new(State { answers: Cache::new(ANSWERS), standings: HashMap::new() })))
    }

    /// What to do. Where that is to ask, the call counts as under way until what is given back is dropped.
    pub(super) fn plan(&self, app: &Arc<App>, place: &Place) -> Plan {
        let mut state = self.state();
        let standing = state.standings.entry(place.app.clone()).or_default();
        let slow = standing.slow;
        let full = slow && standing.under_way >= UNDER_WAY;
        if !full {
            standing.under_way += 1;
        }
        let begun = || Begun { memory: Self(Arc::clone(&self.0)), app: place.app.clone() };
        if !slow {
            return Plan::Wait(begun());
        }
        let known = state.known(app, place);
        if full { Plan::Leave(known) } else { Plan::Glance(begun(), known) }
    }

    /// A call took too long: the App is slow from now on.
    pub(super) fn is_late(&self, place: &Place) {
        self.state().standings.entry(place.app.clone()).or_default().slow = true;
    }

    /// A call ended in time: the App is not slow any more.
    pub(super) fn is_quick(&self, place: &Place) {
        let mut state = self.state();
        state.standings.entry(place.app.clone()).or_default().slow = false;
        state.answers.remove(place);
    }

    /// A late answer came. Whether it is news: not what was shown in its place.
    pub(super) fn keep(&self, app: &Arc<App>, place: &Place, outcome: &Arc<Outcome>) -> bool {
        let mut state = self.state();
        let news = state.known(app, place).is_none_or(|known| known != *outcome);
        if size(&outcome.bindings) <= LARGEST {
            state.answers.insert(place.clone(), (Arc::clone(app), Arc::clone(outcome)));
        }
        news
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The last answer, unless the App's record has changed since: it may have other locations now.
    fn known(&self, app: &Arc<App>, place: &Place) -> Option<Arc<Outcome>> {
        let (of, outcome) = self.answers.get(place)?;
        Arc::ptr_eq(of, app).then(|| Arc::clone(outcome))
    }
}

/// A call that is under way.
pub(super) struct Begun {
    memory: Memory,
    app: String,
}

impl Drop for Begun {
    fn drop(&mut self) {
        let mut state = self.memory.state();
        if let Some(standing) = state.standings.get_mut(&self.app) {
            standing.under_way -= 1;
            if standing.under_way == 0 && !standing.slow {
                state.standings.remove(&self.app);
            }
        }
    }
}

fn size(bindings: &[Binding]) -> usize {
    bindings.iter().map(|binding| 1 + size(&binding.bindings)).sum()
}
