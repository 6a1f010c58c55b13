//! What happens on the site, told to whoever listens.
//!
//! Bounded on purpose: telling never waits, and a listener that is too slow loses its place ([`Listener::next`]
//! gives `None`), as it would on Mattermost; its client connects again and reads what it missed.

use std::collections::BTreeSet;
use std::sync::Arc;

use prometheus_client::registry::Registry;
use serde_json::{Map, Value};
use tokio::sync::broadcast;

use super::super::{Audience, Event};
use crate::meter::Reading;

/// How many pieces of news wait for the slowest listener.
const HELD: usize = 512;

/// A piece of news.
#[derive(Debug, Clone)]
pub struct News {
    /// The event's name.
    pub event: &'static str,
    /// Its data.
    pub data: Map<String, Value>,
    /// Whom it concerns.
    pub place: Place,
    /// Who hears it; None for everybody.
    audience: Option<BTreeSet<String>>,
}

/// What an event is about, as clients see it.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// A user, or empty.
    pub user_id: String,
    /// A channel, or empty.
    pub channel_id: String,
    /// A team, or empty.
    pub team_id: String,
}

#[derive(Clone)]
enum Signal {
    News(Arc<News>),
    /// Somebody's session ended: everyone looks whether it was theirs.
    Recheck,
}

/// What a listener hears.
pub enum Heard {
    /// News for this user.
    News(Arc<News>),
    /// See whether the session still is.
    Recheck,
}

pub(super) struct Hub {
    signals: broadcast::Sender<Signal>,
}

impl Hub {
    pub(super) fn new() -> Self {
        Self { signals: broadcast::Sender::new(HELD) }
    }

    pub(super) fn publish(&self, event: &Event) {
        let (audience, user_id) = match &event.audience {
            Audience::Everyone => (None, String::new()),
            Audience::User(id) => (Some(BTreeSet::from([id.clone()])), id.clone()),
        };
        let place = Place { user_id, ..Place::default() };
        self.tell(Signal::News(Arc::new(News { event: event.name, data: Map::new(), place, audience })));
    }

    /// News for the members of a channel.
    pub(super) fn to_members(
        &self,
        event: &'static str,
        data: Map<String, Value>,
        place: Place,
        members: Vec<String>,
    ) {
        let audience = Some(members.into_iter().collect());
        self.tell(Signal::News(Arc::new(News { event, data, place, audience })));
    }

    pub(super) fn recheck(&self) {
        self.tell(Signal::Recheck);
    }

    fn tell(&self, signal: Signal) {
        // Err means that nobody listens.
        let _ = self.signals.send(signal);
    }

    /// How many listen.
    pub(super) fn listeners(&self) -> usize {
        self.signals.receiver_count()
    }

    pub(super) fn listen(&self) -> Listener {
        Listener { signals: self.signals.subscribe() }
    }
}

/// One client's ear.
pub struct Listener {
    signals: broadcast::Receiver<Signal>,
}

impl Listener {
    /// The next piece of news for this user; None when too much was missed, or the site is closing.
    pub async fn next(&mut self, user_id: &str) -> Option<Heard> {
        loop {
            match self.signals.recv().await.ok()? {
                Signal::Recheck => return Some(Heard::Recheck),
                Signal::News(news)
                    if news.audience.as_ref().is_none_or(|audience| audience.contains(user_id)) =>
                {
                    return Some(Heard::News(news));
                }
                Signal::News(_) => {}
            }
        }
    }
}

impl super::Standalone {
    /// Hears everything from now on.
    pub fn listen(&self) -> Listener {
        self.hub.listen()
    }

    /// Announces what is counted.
    pub fn announce(self: &Arc<Self>, registry: &mut Registry) {
        // Held weakly: the metrics must not keep the site alive.
        let site = Arc::downgrade(self);
        let listeners = move || site.upgrade().map_or(0, |site| site.hub.listeners());
        registry.register(
            "websocket_sessions",
            "Clients that listen on the websocket of the standalone site",
            Reading::new(move || i64::try_from(listeners()).unwrap_or(i64::MAX)),
        );
    }
}
