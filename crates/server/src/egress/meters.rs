//! What is counted of outgoing requests: those that got no usable reply, by why.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::Reason;

type Why = [(&'static str, &'static str); 1];

pub(super) struct Meters(Family<Why, Counter<u64, AtomicU64>>);

/// Every word there is, so that each counter is there before its first count.
const WORDS: [&str; 12] = [
    "forbidden_address",
    "plain_http",
    "bad_url",
    "lookup",
    "connect",
    "connect_timeout",
    "tls",
    "deadline",
    "closed",
    "cut",
    "too_large",
    "malformed",
];

impl Default for Meters {
    fn default() -> Self {
        let meters = Self(Family::default());
        for word in WORDS {
            meters.0.get_or_create_owned(&[("reason", word)]);
        }
        meters
    }
}

impl Meters {
    pub(super) fn announce(&self, registry: &mut Registry) {
        registry.register(
            "egress_failures",
            "Outgoing requests without a usable reply, by reason; the first three were refused before they were sent",
            self.0.clone(),
        );
    }

    pub(super) fn count(&self, reason: &Reason) {
        self.0.get_or_create_owned(&[("reason", word(reason))]).inc();
    }
}

fn word(reason: &Reason) -> &'static str {
    match reason {
        Reason::Forbidden => "forbidden_address",
        Reason::PlainHttp => "plain_http",
        Reason::Scheme(_) | Reason::NoHost | Reason::Unsendable => "bad_url",
        Reason::Lookup { .. } => "lookup",
        Reason::Connect(_) => "connect",
        Reason::ConnectTimeout => "connect_timeout",
        Reason::Tls(_) => "tls",
        Reason::Deadline => "deadline",
        Reason::Closed => "closed",
        Reason::Cut => "cut",
        Reason::TooLarge { .. } => "too_large",
        Reason::Malformed => "malformed",
    }
}
