//! When to ask again whether a person has agreed on another device (RFC 8628 section 3.5; OS-29): a state and what
//! changes it, without a clock.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::device::Device;
use super::failure::{Class, Failure};

/// What `slow_down` adds.
const SLOWER_MS: i64 = 5_000;
/// The longest pause that doubling leads to.
const LONGEST_MS: i64 = 300_000;

/// Where the polling of one flow stands; a few numbers, to be kept beside its device code. Times are Unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DevicePoll {
    /// The pause between two questions.
    pub interval_ms: i64,
    /// Before this the provider is not asked.
    pub next_at: i64,
    /// From then on there is nothing to ask for.
    pub expires_at: i64,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceNext {
    /// The provider is asked again at this time.
    At(i64),
    /// The person said no.
    Denied,
    /// The codes have run out.
    Expired,
    /// It cannot be had this way; the failure says why.
    Failed,
}

impl DevicePoll {
    /// Begins with what the provider answered to a request that was sent at `sent_ms`; the first question comes an
    /// interval later.
    pub fn new(device: &Device, sent_ms: i64) -> Self {
        let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let interval_ms = ms(device.interval);
        let expires_at = sent_ms.saturating_add(ms(device.expires_in));
        Self { interval_ms, next_at: sent_ms.saturating_add(interval_ms), expires_at }
    }

    /// What is to be done with nothing asked yet: wait, ask because the time has come, or no more.
    pub fn next(&self) -> DeviceNext {
        if self.next_at >= self.expires_at { DeviceNext::Expired } else { DeviceNext::At(self.next_at) }
    }

    /// Takes in that a question failed at `now_ms`: by its code where the RFC has one, and by its class else.
    pub fn failed(&mut self, failure: &Failure, now_ms: i64) -> DeviceNext {
        match failure.code.as_str() {
            "authorization_pending" => {}
            "slow_down" => self.interval_ms = self.interval_ms.saturating_add(SLOWER_MS),
            // The second is Microsoft's.
            "access_denied" | "authorization_declined" => return DeviceNext::Denied,
            "expired_token" => return DeviceNext::Expired,
            _ if failure.class != Class::Transient => return DeviceNext::Failed,
            // No reply, or a gateway's: the RFC wants an exponential pause.
            _ => self.interval_ms = self.interval_ms.saturating_mul(2).min(self.interval_ms.max(LONGEST_MS)),
        }
        let asked = failure.retry_after.and_then(|pause| i64::try_from(pause.as_millis()).ok());
        self.next_at = now_ms.saturating_add(self.interval_ms.max(asked.unwrap_or_default()));
        self.next()
    }
}
