//! The rulers of the house: what rooms count and time with. Visible from every room, the ground floor included, and
//! imports none.
//!
//! A room owns what it measures and announces it to a registry that `boot` hands round; nothing here is global.
//! Measuring costs an atomic addition or two: no lock, no allocation, no look-up of labels.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// Upper bounds of a timing's buckets, in microseconds; above the last there is one bucket more.
const BOUNDS: [u64; 14] = [
    250, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    10_000_000, 30_000_000,
];
const BUCKETS: usize = BOUNDS.len() + 1;

/// How long something took: a histogram in seconds. Clones measure into the same one.
#[derive(Debug, Clone, Default)]
pub struct Timing(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    buckets: [AtomicU64; BUCKETS],
    /// Microseconds in all: enough for half a million years.
    sum: AtomicU64,
}

impl Timing {
    /// Counts one that took so long.
    pub fn observe(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let place = BOUNDS.iter().position(|bound| micros <= *bound).unwrap_or(BOUNDS.len());
        if let Some(bucket) = self.0.buckets.get(place) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.0.sum.fetch_add(micros, Ordering::Relaxed);
    }
}

impl EncodeMetric for Timing {
    fn encode(&self, mut encoder: MetricEncoder) -> Result<(), fmt::Error> {
        let counts: Vec<u64> = self.0.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        let bounds = BOUNDS.iter().map(|micros| *micros as f64 / 1e6).chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = bounds.zip(counts.iter().copied()).collect();
        let sum = self.0.sum.load(Ordering::Relaxed) as f64 / 1e6;
        encoder.encode_histogram::<NoLabelSet>(sum, counts.iter().sum(), &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

impl TypedMetric for Timing {
    const TYPE: MetricType = MetricType::Histogram;
}

/// A gauge that is read when somebody asks, and costs nothing until then.
pub struct Reading(Box<dyn Fn() -> i64 + Send + Sync>);

impl Reading {
    /// A gauge that shows what this gives.
    pub fn new(read: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Box::new(read))
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reading")
    }
}

impl EncodeMetric for Reading {
    fn encode(&self, mut encoder: MetricEncoder) -> Result<(), fmt::Error> {
        encoder.encode_gauge(&(self.0)())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text;
    use prometheus_client::registry::Registry;

    use super::*;

    #[test]
    fn a_timing_counts_into_the_bucket_that_it_fits() {
        let (timing, mut registry) = (Timing::default(), Registry::default());
        registry.register("took_seconds", "How long", timing.clone());
        registry.register("now", "How many", Reading::new(|| 7));
        for micros in [1, 250, 251, 2_000_000, 60_000_000] {
            timing.observe(Duration::from_micros(micros));
        }
        let mut text = String::new();
        text::encode(&mut text, &registry).unwrap();
        for line in [
            "took_seconds_bucket{le=\"0.00025\"} 2\n",
            "took_seconds_bucket{le=\"0.001\"} 3\n",
            "took_seconds_bucket{le=\"2.5\"} 4\n",
            "took_seconds_bucket{le=\"30.0\"} 4\n",
            "took_seconds_bucket{le=\"+Inf\"} 5\n",
            "took_seconds_count 5\n",
            "took_seconds_sum 62.000502\n",
            "now 7\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
    }
}
