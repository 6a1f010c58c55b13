//! The trail of a request: its id and its trace (W3C Trace Context), from the request that came in to every request
//! that goes out because of it.
//!
//! It goes along with the task instead of being handed from function to function. That is right for what only tells
//! a story: nothing is decided, allowed or stored by it. Whoever starts a task of its own takes it along by
//! [`carried`].

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use crate::env::Drawn;

tokio::task_local! {
    static TRAIL: Trail;
}

/// The longest id of a request that is taken from outside.
const LONGEST: usize = 64;

/// Which request, and which trace it belongs to.
#[derive(Debug, Clone)]
pub struct Trail {
    request: Arc<str>,
    trace: TraceId,
    span: SpanId,
    parent: Option<SpanId>,
    sampled: bool,
}

/// 16 bytes, not all zero; 32 hexadecimal digits in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceId([u8; 16]);

/// 8 bytes, not all zero; 16 hexadecimal digits in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanId([u8; 8]);

impl Trail {
    /// A new trail, of a trace that is `sampled` or not. One that goes on where a valid `parent` left off keeps its
    /// trace, and whether that is sampled. `given` is the request's id where it was chosen elsewhere.
    pub fn begin(drawn: Drawn, given: Option<&str>, parent: Option<Parent>, sampled: bool) -> Self {
        let span = drawn.span();
        let [high, low, _] = drawn.words;
        let request = given.map_or_else(|| drawn.id.into(), Into::into);
        match parent {
            Some(Parent { trace, span: parent, sampled }) => {
                Self { request, trace, span, parent: Some(parent), sampled }
            }
            None => Self { request, trace: TraceId::of(high, low), span, parent: None, sampled },
        }
    }

    /// The request's id: plain characters, whoever chose it.
    pub fn request(&self) -> &Arc<str> {
        &self.request
    }

    /// The trace.
    pub fn trace(&self) -> TraceId {
        self.trace
    }

    /// This request within the trace.
    pub fn span(&self) -> SpanId {
        self.span
    }

    /// What this request is a part of, where somebody said so.
    pub fn parent(&self) -> Option<SpanId> {
        self.parent
    }

    /// Whether somebody records this trace.
    pub fn sampled(&self) -> bool {
        self.sampled
    }

    /// The header `traceparent` of a request of ours, which is the part `span` of the trace.
    pub fn traceparent(&self, span: SpanId) -> String {
        format!("00-{}-{span}-{:02x}", self.trace, u8::from(self.sampled))
    }
}

/// Where somebody else's part of a trace left off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// The trace.
    pub trace: TraceId,
    /// The part of it that caused this request.
    pub span: SpanId,
    /// Whether the trace is recorded.
    pub sampled: bool,
}

impl Drawn {
    /// An id for a part of a trace.
    pub fn span(&self) -> SpanId {
        SpanId::of(self.words[2])
    }

    /// Whether this one is among so many of all, from 0 for none to 1 for every one.
    pub fn is_among(&self, ratio: f64) -> bool {
        // 53 bits are what the number type holds exactly.
        ((self.words[1] >> 11) as f64) < ratio * (1_u64 << 53) as f64
    }
}

impl TraceId {
    fn of(high: u64, low: u64) -> Self {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&high.to_be_bytes());
        bytes[8..].copy_from_slice(&low.max(1).to_be_bytes());
        Self(bytes)
    }

    /// The bytes.
    pub fn bytes(self) -> [u8; 16] {
        self.0
    }
}

impl SpanId {
    fn of(word: u64) -> Self {
        Self(word.max(1).to_be_bytes())
    }

    /// The bytes.
    pub fn bytes(self) -> [u8; 8] {
        self.0
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

/// Works on this trail.
pub async fn follow<F: Future>(trail: Trail, work: F) -> F::Output {
    TRAIL.scope(trail, work).await
}

/// The trail that this task is on, if it is on one.
pub fn current() -> Option<Trail> {
    TRAIL.try_with(Clone::clone).ok()
}

/// The same work on the trail of whoever calls this: for tasks of their own.
pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let trail = current();
    async move {
        match trail {
            Some(trail) => TRAIL.scope(trail, work).await,
            None => work.await,
        }
    }
}

/// A request's id from outside, if it is plain: 1 to 64 letters, digits, dashes and underscores of ASCII.
pub fn plain(id: &str) -> Option<&str> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (!id.is_empty() && id.len() <= LONGEST && id.bytes().all(fits)).then_some(id)
}

impl Parent {
    /// Reads a `traceparent` (W3C Trace Context, section 3.2); later versions may have more at the end.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut next = |length: usize| {
            let part = parts.next()?;
            let hex = part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            (part.len() == length && hex).then_some(part)
        };
        let (version, trace, span, flags) = (next(2)?, next(32)?, next(16)?, next(2)?);
        if version == "ff" || (version == "00" && text.len() != 55) {
            return None;
        }
        let trace = u128::from_str_radix(trace, 16).ok().filter(|trace| *trace != 0)?;
        let span = u64::from_str_radix(span, 16).ok().filter(|span| *span != 0)?;
        let flags = u8::from_str_radix(flags, 16).ok()?;
        let (trace, span) = (TraceId(trace.to_be_bytes()), SpanId(span.to_be_bytes()));
        Some(Self { trace, span, sampled: flags & 1 == 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::{Env, Ids};

    const GIVEN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_valid_parent_is_continued_and_any_other_is_not() {
        let ids = Ids::new(&Env::system()).unwrap();
        let begin = |given: &str| Trail::begin(ids.draw(), None, Parent::parse(given), false);
        let trail = begin(GIVEN);
        assert_eq!(trail.trace().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(trail.parent().unwrap().to_string(), "b7ad6b7169203331");
        assert!(trail.sampled() && trail.span() != trail.parent().unwrap());
        assert_eq!(trail.traceparent(trail.parent().unwrap()), GIVEN);
        let later = format!("01{}-more", &GIVEN[2..]);
        assert_eq!(begin(&later).trace(), trail.trace());
        for bad in [
            "",
            "00",
            &GIVEN[..54],
            &format!("{GIVEN}-more"),
            &GIVEN.to_uppercase(),
            &GIVEN.replace("00-", "ff-"),
            &GIVEN.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            &GIVEN.replace("b7ad6b7169203331", &"0".repeat(16)),
            &GIVEN.replace("b7ad6b7169203331", "+7ad6b7169203331"),
            &GIVEN.replace("-01", "-0\u{e9}"),
        ] {
            let fresh = begin(bad);
            assert!(fresh.parent().is_none() && !fresh.sampled(), "{bad}");
            assert_ne!(fresh.trace(), trail.trace(), "{bad}");
        }
    }

    #[test]
    fn as_many_are_recorded_as_were_asked_for() {
        let ids = Ids::new(&Env::system()).unwrap();
        let share = |ratio| (0..10_000).filter(|_| ids.draw().is_among(ratio)).count();
        assert_eq!((share(0.0), share(1.0)), (0, 10_000));
        let quarter = share(0.25);
        assert!((2_200..2_800).contains(&quarter), "{quarter}");
    }

    #[test]
    fn only_plain_ids_are_taken() {
        let longest = "x".repeat(64);
        for good in ["a", "A-9_z", longest.as_str()] {
            assert_eq!(plain(good), Some(good));
        }
        for bad in ["", "a b", "a\nb", "a\"b", "\u{e9}", "a.b", &"x".repeat(65)] {
            assert_eq!(plain(bad), None, "{bad:?}");
        }
    }

    #[tokio::test]
    async fn a_task_of_its_own_goes_on_where_it_was_started() {
        let ids = Ids::new(&Env::system()).unwrap();
        let trail = Trail::begin(ids.draw(), Some("mine"), None, true);
        let seen = follow(trail, async {
            let lost = tokio::spawn(async { current().is_none() });
            let kept = tokio::spawn(carried(async { current().map(|trail| trail.request().to_string()) }));
            (lost.await.unwrap(), kept.await.unwrap())
        });
        assert_eq!(seen.await, (true, Some("mine".to_owned())));
        assert!(carried(async { current() }).await.is_none());
    }
}
