//! The standalone site: people and bots, sessions, teams, channels, posts.
//!
//! Entities are kept as the JSON that the wire shows, with the columns that are searched beside it.

mod people;
mod posts;
mod rooms;
mod sessions;

use std::sync::Arc;

use super::Engine;
use super::cache::Topic;

pub use people::{NewPerson, People, PersonRow};
pub use posts::{PostRow, Posts};
pub use rooms::{ChannelRow, Member, Rooms};
pub use sessions::{SessionRow, Sessions};

/// The tables `site_*`. Owner: platform.
#[derive(Clone)]
pub struct Site {
    /// People and bots, with their passwords.
    pub people: People,
    /// Signed-in people.
    pub sessions: Sessions,
    /// Teams, channels and who is in them.
    pub rooms: Rooms,
    /// What was said.
    pub posts: Posts,
}

impl Site {
    /// Over the engine of the data.
    pub fn new(engine: &Arc<dyn Engine>, topic: &Topic) -> Self {
        Self {
            people: People::new(Arc::clone(engine), topic),
            sessions: Sessions::new(Arc::clone(engine), topic),
            rooms: Rooms::new(Arc::clone(engine)),
            posts: Posts::new(Arc::clone(engine)),
        }
    }
}
