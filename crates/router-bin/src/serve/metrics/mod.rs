//! Counts and latencies of the answered requests, and the last few of them.
//!
//! Each thread records in one of a few shards, so that requests rarely contend for
//! a lock; a reader adds up the shards. Recording an answer allocates nothing.

mod clock;
mod recent;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use cache_keys::CanonicalJson;
use hdrhistogram::Histogram;
use intent_router::{OutcomeClass, Refreshed, Routed, UserContext};
use serde::Serialize;

use self::clock::now;
use self::recent::Ring;

pub(crate) use self::recent::{RECENT, RecentRequest};

/// The longest latency recorded, in microseconds: a minute. Longer ones count as it.
const LONGEST_US: u64 = 60_000_000;

/// The most shards; each has up to half a MiB of histograms.
const MOST_SHARDS: usize = 8;

/// Counts and latencies since the service started.
pub(crate) struct Metrics {
    started: Instant,
    shards: Box<[Mutex<Shard>]>,
    failed: AtomicU64,
    refreshes: RefreshCounters,
    /// Changed by reloads, which are rare.
    reloads: Mutex<Reloads>,
}

/// The records of the threads that share this shard.
struct Shard {
    /// Indexed by [`OutcomeClass`].
    latencies: [Histogram<u64>; 3],
    queries_made: u64,
    queries_saved: u64,
    recent: Ring,
}

impl Shard {
    fn new() -> Self {
        Self {
            latencies: histograms(),
            queries_made: 0,
            queries_saved: 0,
            recent: Ring::new(),
        }
    }
}

/// Histograms of three significant digits up to a minute. They are allocated
/// whole, so that recording never allocates.
fn histograms() -> [Histogram<u64>; 3] {
    // The bounds are constants, which the library accepts.
    [(); 3].map(|()| Histogram::new_with_bounds(1, LONGEST_US, 3).expect("valid bounds"))
}

/// The counters behind [`Refreshes`].
#[derive(Default)]
struct RefreshCounters {
    stored: AtomicU64,
    not_stored: AtomicU64,
    failed: AtomicU64,
    skipped: AtomicU64,
}

/// Refreshes of stored answers by result.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Refreshes {
    /// A newer answer was stored.
    pub(crate) stored: u64,
    /// The newer answer was not stored: because of an invalidation or a newer fill,
    /// because caching was switched off, or because the member no longer exists.
    pub(crate) not_stored: u64,
    /// The source failed, or took too long.
    pub(crate) failed: u64,
    /// Skipped at the limit of concurrent refreshes.
    pub(crate) skipped: u64,
}

/// Reloads by result.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reloads {
    /// Reloads that changed something.
    pub(crate) reloaded: u64,
    /// Reloads that failed.
    pub(crate) failed: u64,
    /// Whether the last reload failed.
    pub(crate) is_failing: bool,
    /// When the current catalogue and detector were loaded.
    pub(crate) loaded_at: SystemTime,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let shards = threads.min(MOST_SHARDS);
        Self {
            started: Instant::now(),
            shards: (0..shards).map(|_| Mutex::new(Shard::new())).collect(),
            failed: AtomicU64::new(0),
            refreshes: RefreshCounters::default(),
            reloads: Mutex::new(Reloads {
                reloaded: 0,
                failed: 0,
                is_failing: false,
                loaded_at: now(),
            }),
        }
    }

    /// The shard of this thread.
    fn shard(&self) -> MutexGuard<'_, Shard> {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static NUMBER: usize = THREADS.fetch_add(1, Ordering::Relaxed);
        }
        lock(&self.shards[NUMBER.with(|number| number % self.shards.len())])
    }

    /// Counts a request that could not be answered.
    pub(crate) fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a refresh that ended.
    pub(crate) fn refreshed(&self, refreshed: &Refreshed) {
        self.shard().queries_made += u64::from(refreshed.calls);
        let refreshes = &self.refreshes;
        let counter = match (&refreshed.failure, refreshed.stored) {
            (Some(_), _) => &refreshes.failed,
            (None, true) => &refreshes.stored,
            (None, false) => &refreshes.not_stored,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a refresh that took too long. The number of its database calls is
    /// unknown.
    pub(crate) fn refresh_timed_out(&self) {
        self.refreshes.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a refresh skipped at the limit of concurrent refreshes.
    pub(crate) fn refresh_skipped(&self) {
        self.refreshes.skipped.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a reload: whether something changed, or `None` if it failed.
    pub(crate) fn reloaded(&self, changed: Option<bool>) {
        let mut reloads = lock(&self.reloads);
        reloads.is_failing = changed.is_none();
        match changed {
            Some(true) => {
                reloads.reloaded += 1;
                reloads.loaded_at = now();
            }
            Some(false) => {}
            None => reloads.failed += 1,
        }
    }

    /// Counts a request that began and ended at these times.
    pub(crate) fn answered(
        &self,
        user: &UserContext,
        routed: &Routed,
        began: Instant,
        ended: Instant,
    ) {
        let latency = ended.saturating_duration_since(began);
        let latency_us = u64::try_from(latency.as_micros()).unwrap_or(LONGEST_US);
        let request = RecentRequest::new(user, routed, ended, latency_us);
        let mut shard = self.shard();
        shard.latencies[routed.cache.class() as usize]
            .saturating_record(latency_us.min(LONGEST_US));
        shard.queries_made += u64::from(routed.calls);
        shard.queries_saved += u64::from(routed.calls_saved());
        let oldest = shard.recent.push(request, began);
        // Freed after the lock is released, as it may be the last owner of its texts.
        drop(shard);
        drop(oldest);
    }

    /// Removes the recent requests of a user and returns their number. Requests that
    /// are in flight now are counted when they end, but not listed.
    pub(crate) fn forget(&self, user: &CanonicalJson) -> usize {
        let now = Instant::now();
        let shards = self.shards.iter();
        shards
            .map(|shard| lock(shard).recent.forget(user, now))
            .sum()
    }

    /// All figures. Each shard is locked once, one after another.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut latencies = histograms();
        let (mut queries_made, mut queries_saved) = (0, 0);
        let mut recent = Vec::with_capacity(self.shards.len() * RECENT);
        for shard in &self.shards {
            let shard = lock(shard);
            for (sum, latency) in latencies.iter_mut().zip(&shard.latencies) {
                // Both have the same bounds, so every value fits.
                sum.add(latency).expect("histograms of the same bounds");
            }
            queries_made += shard.queries_made;
            queries_saved += shard.queries_saved;
            recent.extend(shard.recent.iter().cloned());
        }
        recent.sort_by(RecentRequest::latest_first);
        recent.truncate(RECENT);
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Snapshot {
            uptime: self.started.elapsed(),
            failed: count(&self.failed),
            refreshes: Refreshes {
                stored: count(&self.refreshes.stored),
                not_stored: count(&self.refreshes.not_stored),
                failed: count(&self.refreshes.failed),
                skipped: count(&self.refreshes.skipped),
            },
            reloads: *lock(&self.reloads),
            queries_made,
            queries_saved,
            latencies,
            recent,
        }
    }
}

/// Locks even a poisoned mutex: no update can panic halfway, so the data is
/// consistent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The metrics at one moment.
pub(crate) struct Snapshot {
    pub(crate) uptime: Duration,
    pub(crate) failed: u64,
    pub(crate) refreshes: Refreshes,
    pub(crate) reloads: Reloads,
    pub(crate) queries_made: u64,
    pub(crate) queries_saved: u64,
    /// The last answered requests, the latest first.
    pub(crate) recent: Vec<RecentRequest>,
    /// Indexed by [`OutcomeClass`].
    latencies: [Histogram<u64>; 3],
}

impl Snapshot {
    /// The number of requests with this outcome.
    pub(crate) fn requests(&self, class: OutcomeClass) -> u64 {
        self.latencies[class as usize].len()
    }

    /// Percentiles of the latencies of this outcome.
    pub(crate) fn latency(&self, class: OutcomeClass) -> Percentiles {
        let histogram = &self.latencies[class as usize];
        Percentiles {
            count: histogram.len(),
            p50: histogram.value_at_quantile(0.50),
            p95: histogram.value_at_quantile(0.95),
            p99: histogram.value_at_quantile(0.99),
        }
    }

    /// The latencies of this outcome, counted between the ascending `bounds` (in
    /// microseconds) and above the last.
    pub(crate) fn buckets(&self, class: OutcomeClass, bounds: &[u64]) -> Buckets {
        let histogram = &self.latencies[class as usize];
        let count = histogram.len();
        let mut counted = 0;
        let mut buckets: Vec<u64> = Vec::with_capacity(bounds.len() + 1);
        for bound in bounds {
            let at_most = histogram.count_between(0, *bound);
            buckets.push(at_most - counted);
            counted = at_most;
        }
        buckets.push(count - counted);
        let sum_us = if count == 0 {
            0.0
        } else {
            histogram.mean() * count as f64
        };
        Buckets {
            count,
            sum_us,
            buckets,
        }
    }
}

/// A latency histogram of few buckets.
pub(crate) struct Buckets {
    pub(crate) count: u64,
    pub(crate) sum_us: f64,
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
