//! The light switch of the house: time and chance as values, visible from every room.
//!
//! Nothing else reads a clock or draws a random byte; tests hand in their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Wall-clock time in Unix milliseconds, as every stored time and every token life is counted.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> i64;
}

/// A cryptographically secure source of random bytes. One that fails must say so: callers stop (OS-01).
pub trait Rng: Send + Sync + 'static {
    /// Fills the whole buffer or fails.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RngError>;
}

/// The operating system gave no random bytes.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the random source of the operating system failed")]
pub struct RngError;

/// Clock and random source together, as rooms carry them.
#[derive(Clone)]
pub struct Env {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where random bytes come from.
    pub rng: Arc<dyn Rng>,
}

impl Env {
    /// The clock and the random source of the operating system.
    pub fn system() -> Self {
        Self { clock: Arc::new(SystemClock), rng: Arc::new(SystemRng) }
    }

    /// Milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], RngError> {
        let mut buffer = [0; N];
        self.rng.fill(&mut buffer)?;
        Ok(buffer)
    }

    /// A fresh id in Mattermost's form: 26 characters of its base-32 alphabet, 128 random bits.
    pub fn id(&self) -> Result<String, RngError> {
        Ok(base32(self.bytes::<16>()?))
    }
}

impl Env {
    /// A fresh id, and random bits to go with it.
    pub fn drawn(&self) -> Result<Drawn, RngError> {
        let word = || self.bytes().map(u64::from_be_bytes);
        Ok(Drawn { id: self.id()?, words: [word()?, word()?, word()?] })
    }
}

/// Ids that are unique but no secret, for requests: no random byte is drawn for each.
pub struct Ids {
    start: u64,
    next: AtomicU64,
}

impl Ids {
    /// A series that no other process continues: its first half is random.
    pub fn new(env: &Env) -> Result<Self, RngError> {
        Ok(Self { start: u64::from_be_bytes(env.bytes()?), next: AtomicU64::new(0) })
    }

    /// The next id, in the form of [`Env::id`].
    pub fn next(&self) -> String {
        self.draw().id
    }

    /// The next id, and bits to go with it.
    pub fn draw(&self) -> Drawn {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.start.to_be_bytes());
        bytes[8..].copy_from_slice(&number.to_be_bytes());
        let word = |place: u64| mixed(self.start, number.wrapping_mul(3).wrapping_add(place));
        Drawn { id: base32(bytes), words: [word(0), word(1), word(2)] }
    }
}

/// An id, and bits that are its alone: spread evenly, and no secret.
#[derive(Debug, Clone, Default)]
pub struct Drawn {
    /// The id.
    pub id: String,
    /// The bits.
    pub words: [u64; 3],
}

/// One number of a sequence that is spread over all numbers and comes to none twice (SplitMix64).
fn mixed(start: u64, place: u64) -> u64 {
    let mut word = start.wrapping_add(place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

impl std::fmt::Debug for Ids {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ids")
    }
}

/// 128 bits in the platform's alphabet: 26 characters.
fn base32(bytes: [u8; 16]) -> String {
    const ALPHABET: &[u8; 32] = b"ybndrfg8ejkmcpqxot1uwisza345h769";
    let mut id = String::with_capacity(26);
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in bytes {
        bits = (bits << 8) | u32::from(byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            id.push(char::from(ALPHABET[(bits >> held) as usize & 31]));
        }
    }
    id.push(char::from(ALPHABET[(bits << (5 - held)) as usize & 31]));
    id
}

struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the ambient clock is read")]
    fn now_ms(&self) -> i64 {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

struct SystemRng;

impl Rng for SystemRng {
    #[expect(clippy::disallowed_methods, reason = "the one place where ambient randomness is drawn")]
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RngError> {
        getrandom::fill(buffer).map_err(|_| RngError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_form_of_the_platform() {
        let env = Env::system();
        let id = env.id().unwrap();
        assert_eq!(id.len(), 26);
        assert!(id.bytes().all(|b| b"ybndrfg8ejkmcpqxot1uwisza345h769".contains(&b)));
        assert_ne!(id, env.id().unwrap());
        let ids = Ids::new(&env).unwrap();
        let (first, second) = (ids.next(), ids.next());
        assert_eq!((first.len(), &first[..12]), (26, &second[..12]));
        assert_ne!(first, second);
    }
}
