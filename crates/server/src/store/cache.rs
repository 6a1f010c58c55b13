//! The one cache room: what a noun read, kept until somebody writes it.
//!
//! A reader takes a [`Ticket`] before it asks the database and hands it in with what it found. A writer, once
//! its write is durable, bumps the shard's epoch and removes the key under the shard's lock. So a reader that
//! loaded the old value can never put it back after the writer is done: its ticket is of an older epoch.
//!
//! Where others write to the same database the cache is off: it holds nothing, and only passes invalidations on.

use std::future::Future;
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quick_cache::{DefaultHashBuilder, Equivalent, Weighter, unsync};
use tokio::sync::broadcast;

use super::Error;

/// Locks of their own; also how coarse a writer spoils the tickets of readers.
const SHARDS: usize = 16;

/// A key whose cached value no longer holds. A second node could send and receive these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalidation {
    /// Which cache: the noun's name.
    pub noun: &'static str,
    /// The key's parts, or None when everything of this noun is void.
    pub key: Option<Vec<String>>,
}

/// Where invalidations are announced. Who listens may lag; then everything it holds is void.
pub type Topic = broadcast::Sender<Invalidation>;

/// A cache key that can be named on the [`Topic`].
pub trait Key: Hash + Eq + Clone + Send + Sync + 'static {
    /// The key as texts.
    fn parts(&self) -> Vec<String>;
}

impl Key for String {
    fn parts(&self) -> Vec<String> {
        vec![self.clone()]
    }
}

impl Key for (String, String) {
    fn parts(&self) -> Vec<String> {
        vec![self.0.clone(), self.1.clone()]
    }
}

/// A key as whoever looks it up has it: borrowed, as every read looks several up and mostly finds them.
pub trait Asked<K>: Hash + Equivalent<K> {
    /// The key, to keep.
    fn to_key(&self) -> K;
}

/// A key of two texts, such as an App and a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pair<'a>(pub &'a str, pub &'a str);

impl Equivalent<(String, String)> for Pair<'_> {
    fn equivalent(&self, key: &(String, String)) -> bool {
        self.0 == key.0 && self.1 == key.1
    }
}

impl Asked<(String, String)> for Pair<'_> {
    fn to_key(&self) -> (String, String) {
        (self.0.to_owned(), self.1.to_owned())
    }
}

impl Asked<String> for str {
    fn to_key(&self) -> String {
        self.to_owned()
    }
}

impl<K: Key> Asked<K> for K {
    fn to_key(&self) -> K {
        self.clone()
    }
}

impl Key for [u8; 16] {
    fn parts(&self) -> Vec<String> {
        vec![self.iter().map(|byte| format!("{byte:02x}")).collect()]
    }
}

/// Bounds of a cache as a whole.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most entries.
    pub entries: usize,
    /// The most bytes, as `weigh` counts them.
    pub bytes: usize,
}

/// Proof that a read began before any later invalidation of its shard.
#[derive(Debug, Clone, Copy)]
pub struct Ticket {
    epoch: u64,
}

/// A bounded map in front of a table; what is rarely asked for goes first. `V` is cheap to clone (an `Arc`).
pub struct Cache<K, V> {
    noun: &'static str,
    shards: Box<[Mutex<Shard<K, V>>]>,
    hasher: DefaultHashBuilder,
    scale: Scale<V>,
    on: bool,
    topic: Topic,
}

struct Shard<K, V> {
    epoch: u64,
    entries: unsync::Cache<K, V, Scale<V>>,
}

/// What an entry of one shard weighs, so that neither bound is passed: its bytes, or an even share of them.
struct Scale<V> {
    weigh: fn(&V) -> usize,
    share: usize,
    /// The most that a shard holds.
    most: usize,
}

impl<V> Clone for Scale<V> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<K, V> Weighter<K, V> for Scale<V> {
    fn weight(&self, _: &K, value: &V) -> u64 {
        (self.weigh)(value).max(self.share) as u64
    }
}

impl<K: Key, V: Clone + Send + Sync + 'static> Cache<K, V> {
    /// An empty cache; `on` is false when the engine is not the sole writer.
    pub fn new(noun: &'static str, limits: Limits, weigh: fn(&V) -> usize, on: bool, topic: Topic) -> Self {
        let (entries, most) = (limits.entries.div_ceil(SHARDS).max(1), limits.bytes.div_ceil(SHARDS));
        let scale = Scale { weigh, share: (most / entries).max(1), most };
        let shard = || {
            let entries = unsync::Cache::with_weighter(entries, most as u64, scale.clone());
            Mutex::new(Shard { epoch: 0, entries })
        };
        let shards = (0..SHARDS).map(|_| shard()).collect();
        Self { noun, shards, hasher: DefaultHashBuilder::default(), scale, on, topic }
    }

    /// The cached value.
    pub fn get<Q: Asked<K> + ?Sized>(&self, key: &Q) -> Option<V> {
        if !self.on {
            return None;
        }
        self.shard(key).entries.get(key).cloned()
    }

    /// Taken before the database is read for this key.
    pub fn ticket<Q: Asked<K> + ?Sized>(&self, key: &Q) -> Ticket {
        Ticket { epoch: self.shard(key).epoch }
    }

    /// Keeps what was read, unless the shard was invalidated since the ticket, or another reader was first.
    pub fn insert(&self, ticket: Ticket, key: K, value: V) {
        if !self.on || (self.scale.weigh)(&value) > self.scale.most {
            return;
        }
        let mut shard = self.shard(&key);
        if shard.epoch == ticket.epoch && !shard.entries.contains_key(&key) {
            shard.entries.insert(key, value);
        }
    }

    /// Forgets a key and every read of its shard that is under way. Called when a write has been answered.
    pub fn invalidate(&self, key: &K) {
        {
            let mut shard = self.shard(key);
            shard.epoch += 1;
            shard.entries.remove(key);
        }
        self.announce(|| Some(key.parts()));
    }

    /// Forgets everything, and every read that is under way.
    pub fn clear(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.epoch += 1;
            shard.entries.clear();
        }
        self.announce(|| None);
    }

    /// The cached value, or what `read` finds, which is then kept.
    pub async fn get_or_read<Q, F>(&self, key: &Q, read: F) -> Result<V, Error>
    where
        Q: Asked<K> + ?Sized,
        F: Future<Output = Result<V, Error>>,
    {
        if let Some(value) = self.get(key) {
            return Ok(value);
        }
        let ticket = self.ticket(key);
        let value = read.await?;
        self.insert(ticket, key.to_key(), value.clone());
        Ok(value)
    }

    /// Awaits a write and then runs `forget`, whatever the outcome: a failed write may have happened.
    ///
    /// In a task of its own: when the asking request is dropped half way, the write still happens, and what
    /// is cached must still be forgotten after it.
    pub async fn writing<T, W, F>(self: &Arc<Self>, write: W, forget: F) -> Result<T, Error>
    where
        T: Send + 'static,
        W: Future<Output = Result<T, Error>> + Send + 'static,
        F: FnOnce(&Self) + Send + 'static,
    {
        let cache = Arc::clone(self);
        let task = tokio::spawn(async move {
            let outcome = write.await;
            forget(&cache);
            outcome
        });
        task.await.map_err(|_| Error::Closed)?
    }

    fn announce(&self, key: impl FnOnce() -> Option<Vec<String>>) {
        if self.topic.receiver_count() > 0 {
            // Err means that the last listener just left.
            let _ = self.topic.send(Invalidation { noun: self.noun, key: key() });
        }
    }

    fn shard<Q: Asked<K> + ?Sized>(&self, key: &Q) -> MutexGuard<'_, Shard<K, V>> {
        let index = self.hasher.hash_one(key) as usize % self.shards.len();
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
