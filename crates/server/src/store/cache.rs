//! The one cache room: what a noun read, kept until somebody writes it.
//!
//! A reader takes a [`Ticket`] before it asks the database and hands it in with what it found. A writer, once
//! its write is durable, bumps the shard's epoch and removes the key under the shard's lock. So a reader that
//! loaded the old value can never put it back after the writer is done: its ticket is of an older epoch.
//!
//! Where others write to the same database the cache is off: it holds nothing, and only passes invalidations on.

use std::future::Future;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;
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

/// A bounded map in front of a table, least recently used out first. `V` is cheap to clone (an `Arc`).
pub struct Cache<K, V> {
    noun: &'static str,
    shards: Box<[Mutex<Shard<K, V>>]>,
    hasher: RandomState,
    weigh: fn(&V) -> usize,
    limits: Limits,
    on: bool,
    topic: Topic,
}

struct Shard<K, V> {
    epoch: u64,
    bytes: usize,
    entries: LruCache<K, V>,
}

impl<K: Key, V: Clone + Send + Sync + 'static> Cache<K, V> {
    /// An empty cache; `on` is false when the engine is not the sole writer.
    pub fn new(noun: &'static str, limits: Limits, weigh: fn(&V) -> usize, on: bool, topic: Topic) -> Self {
        let shard = || Mutex::new(Shard { epoch: 0, bytes: 0, entries: LruCache::unbounded() });
        Self {
            noun,
            shards: (0..SHARDS).map(|_| shard()).collect(),
            hasher: RandomState::new(),
            weigh,
            limits: Limits { entries: limits.entries.div_ceil(SHARDS), bytes: limits.bytes.div_ceil(SHARDS) },
            on,
            topic,
        }
    }

    /// The cached value.
    pub fn get(&self, key: &K) -> Option<V> {
        if !self.on {
            return None;
        }
        self.shard(key).entries.get(key).cloned()
    }

    /// Taken before the database is read for this key.
    pub fn ticket(&self, key: &K) -> Ticket {
        Ticket { epoch: self.shard(key).epoch }
    }

    /// Keeps what was read, unless the shard was invalidated since the ticket, or another reader was first.
    pub fn insert(&self, ticket: Ticket, key: K, value: V) {
        let weight = (self.weigh)(&value);
        if !self.on || weight > self.limits.bytes {
            return;
        }
        let mut shard = self.shard(&key);
        if shard.epoch != ticket.epoch || shard.entries.contains(&key) {
            return;
        }
        shard.bytes += weight;
        shard.entries.put(key, value);
        while shard.entries.len() > self.limits.entries || shard.bytes > self.limits.bytes {
            let Some((_, oldest)) = shard.entries.pop_lru() else { break };
            shard.bytes = shard.bytes.saturating_sub((self.weigh)(&oldest));
        }
    }

    /// Forgets a key and every read of its shard that is under way. Called when a write has been answered.
    pub fn invalidate(&self, key: &K) {
        {
            let mut shard = self.shard(key);
            shard.epoch += 1;
            if let Some(old) = shard.entries.pop(key) {
                shard.bytes = shard.bytes.saturating_sub((self.weigh)(&old));
            }
        }
        self.announce(|| Some(key.parts()));
    }

    /// Forgets everything, and every read that is under way.
    pub fn clear(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.epoch += 1;
            shard.bytes = 0;
            shard.entries.clear();
        }
        self.announce(|| None);
    }

    /// The cached value, or what `read` finds, which is then kept.
    pub async fn get_or_read<F>(&self, key: K, read: F) -> Result<V, Error>
    where
        F: Future<Output = Result<V, Error>>,
    {
        if let Some(value) = self.get(&key) {
            return Ok(value);
        }
        let ticket = self.ticket(&key);
        let value = read.await?;
        self.insert(ticket, key, value.clone());
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

    fn shard(&self, key: &K) -> MutexGuard<'_, Shard<K, V>> {
        let index = self.hasher.hash_one(key) as usize % self.shards.len();
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
