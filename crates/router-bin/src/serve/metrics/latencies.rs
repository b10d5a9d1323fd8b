//! Histograms of latencies, recorded without a lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use histogram::{AtomicHistogram, Config, Histogram};
use serde::Serialize;

/// The longest latency recorded, in microseconds: a minute. Longer ones count as it.
const LONGEST_US: u64 = 60_000_000;

/// Buckets of at most 0.2 % relative width, up to 2^26 microseconds.
fn config() -> Config {
    // The powers are constants, which the library accepts.
    Config::new(9, 26).expect("valid powers")
}

/// Latencies of one outcome while they are recorded. Allocated whole, so recording
/// allocates nothing.
pub(super) struct AtomicLatencies {
    histogram: AtomicHistogram,
    sum_us: AtomicU64,
}

impl Default for AtomicLatencies {
    fn default() -> Self {
        Self {
            histogram: AtomicHistogram::with_config(&config()),
            sum_us: AtomicU64::new(0),
        }
    }
}

impl AtomicLatencies {
    /// Records a latency; returns it as recorded, in microseconds.
    pub(super) fn record(&self, latency: Duration) -> u64 {
        let latency_us = u64::try_from(latency.as_micros()).unwrap_or(LONGEST_US);
        let latency_us = latency_us.min(LONGEST_US);
        // The longest latency is within the histogram's range.
        let _ = self.histogram.increment(latency_us);
        self.sum_us.fetch_add(latency_us, Ordering::Relaxed);
        latency_us
    }
}

/// Latencies of one outcome at one moment.
pub(super) struct Latencies {
    histogram: Histogram,
    count: u64,
    sum_us: u64,
}

impl Default for Latencies {
    fn default() -> Self {
        Self {
            histogram: Histogram::with_config(&config()),
            count: 0,
            sum_us: 0,
        }
    }
}

/// A latency histogram of few buckets.
pub(crate) struct Buckets {
    pub(crate) count: u64,
    pub(crate) sum_us: u64,
    pub(crate) buckets: Vec<u64>,
}

/// Percentiles of one outcome's latencies, in microseconds.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Percentiles {
    count: u64,
    p50: u64,
    p95: u64,
    p99: u64,
}

impl Latencies {
    /// Adds those recorded so far.
    pub(super) fn add(&mut self, recorded: &AtomicLatencies) {
        let more = recorded.histogram.load();
        self.count += more.as_slice().iter().sum::<u64>();
        self.sum_us += recorded.sum_us.load(Ordering::Relaxed);
        // Both have the same buckets, and no count comes near 2^64.
        let _ = self.histogram.checked_add_assign(&more);
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn percentiles(&self) -> Percentiles {
        let at = |quantile| {
            let bucket = self.histogram.quantile_bucket(quantile).ok().flatten();
            bucket.map_or(0, |bucket| bucket.end())
        };
        Percentiles {
            count: self.count,
            p50: at(0.50),
            p95: at(0.95),
            p99: at(0.99),
        }
    }

    /// The latencies between the ascending `bounds` (in microseconds) and above the
    /// last. A histogram bucket that spans a bound counts below it.
    pub(super) fn buckets(&self, bounds: &[u64]) -> Buckets {
        let mut buckets = vec![0; bounds.len() + 1];
        for bucket in &self.histogram {
            buckets[bounds.partition_point(|bound| *bound < bucket.start())] += bucket.count();
        }
        Buckets {
            count: self.count,
            sum_us: self.sum_us,
            buckets,
        }
    }
}
