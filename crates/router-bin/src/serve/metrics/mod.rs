//! Counts and latencies of the answered requests, and the last few of them.
//!
//! Each thread records in one of a few shards, and a reader adds them up. Recording
//! an answer takes no lock and allocates nothing.

mod clock;
mod latencies;
mod recent;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use cache_keys::CanonicalJson;
use intent_router::{OutcomeClass, Refreshed, Routed, UserContext};
use parking_lot::Mutex;
use serde::Serialize;

use self::clock::now;
use self::latencies::{AtomicLatencies, Buckets, Latencies};
use self::recent::{History, Unread};

pub(crate) use self::latencies::Percentiles;
pub(crate) use self::recent::RecentRequest;

/// The most shards; each has a quarter of a MiB of histograms.
const MOST_SHARDS: usize = 8;

/// Counts and latencies since the service started.
pub(crate) struct Metrics {
    started: Instant,
    shards: Box<[Shard]>,
    history: History,
    failed: AtomicU64,
    refreshes: RefreshCounters,
    /// Changed by reloads, which are rare.
    reloads: Mutex<Reloads>,
    /// Callers refused, by the code of the problem that they got.
    refused: Mutex<BTreeMap<&'static str, u64>>,
}

/// The records of the threads that share this shard. Aligned, so that no two shards
/// share a cache line.
#[repr(align(128))]
#[derive(Default)]
struct Shard {
    /// Indexed by [`OutcomeClass`].
    latencies: [AtomicLatencies; 3],
    queries_saved: AtomicU64,
    recent: Unread,
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
            shards: (0..shards).map(|_| Shard::default()).collect(),
            history: History::default(),
            failed: AtomicU64::new(0),
            refreshes: RefreshCounters::default(),
            reloads: Mutex::new(Reloads {
                reloaded: 0,
                failed: 0,
                is_failing: false,
                loaded_at: now(),
            }),
            refused: Mutex::default(),
        }
    }

    /// The shard of this thread.
    fn shard(&self) -> &Shard {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static NUMBER: usize = THREADS.fetch_add(1, Ordering::Relaxed);
        }
        &self.shards[NUMBER.with(|number| number % self.shards.len())]
    }

    /// Counts a request that could not be answered.
    pub(crate) fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a caller who was refused with a problem of this code.
    pub(crate) fn refused(&self, code: &'static str) {
        *self.refused.lock().entry(code).or_default() += 1;
    }

    /// The numbers of refused callers by the code of their problems.
    pub(crate) fn refusals(&self) -> BTreeMap<&'static str, u64> {
        self.refused.lock().clone()
    }

    /// Counts a refresh that ended.
    pub(crate) fn refreshed(&self, refreshed: &Refreshed) {
        let refreshes = &self.refreshes;
        let counter = match (&refreshed.failure, refreshed.stored) {
            (Some(_), _) => &refreshes.failed,
            (None, true) => &refreshes.stored,
            (None, false) => &refreshes.not_stored,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a refresh that took too long.
    pub(crate) fn refresh_timed_out(&self) {
        self.refreshes.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a refresh skipped at the limit of concurrent refreshes.
    pub(crate) fn refresh_skipped(&self) {
        self.refreshes.skipped.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a reload: whether something changed, or `None` if it failed.
    pub(crate) fn reloaded(&self, changed: Option<bool>) {
        let mut reloads = self.reloads.lock();
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
        let shard = self.shard();
        let latency_us = shard.latencies[routed.cache.class() as usize].record(latency);
        let saved = routed.calls_saved().into();
        shard.queries_saved.fetch_add(saved, Ordering::Relaxed);
        let request = RecentRequest::new(user, routed, began, ended, latency_us);
        shard.recent.push(request);
    }

    /// Removes the recent requests of a user and returns their number. Requests that
    /// are in flight now are counted when they end, but not listed.
    pub(crate) fn forget(&self, user: &CanonicalJson) -> usize {
        self.history.forget(user, Instant::now(), self.unread())
    }

    fn unread(&self) -> impl Iterator<Item = &Unread> {
        self.shards.iter().map(|shard| &shard.recent)
    }

    /// All figures. Requests that are recorded meanwhile may be in some of them only.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut latencies: [Latencies; 3] = Default::default();
        let mut queries_saved = 0;
        for shard in &self.shards {
            for (sum, latency) in latencies.iter_mut().zip(&shard.latencies) {
                sum.add(latency);
            }
            queries_saved += shard.queries_saved.load(Ordering::Relaxed);
        }
        let recent = self.history.read(self.unread());
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
            reloads: *self.reloads.lock(),
            queries_saved,
            latencies,
            recent,
        }
    }
}

/// The metrics at one moment.
pub(crate) struct Snapshot {
    pub(crate) uptime: Duration,
    pub(crate) failed: u64,
    pub(crate) refreshes: Refreshes,
    pub(crate) reloads: Reloads,
    pub(crate) queries_saved: u64,
    /// The last answered requests, the latest first.
    pub(crate) recent: Vec<RecentRequest>,
    /// Indexed by [`OutcomeClass`].
    latencies: [Latencies; 3],
}

impl Snapshot {
    /// The number of requests with this outcome.
    pub(crate) fn requests(&self, class: OutcomeClass) -> u64 {
        self.latencies[class as usize].count()
    }

    /// Percentiles of the latencies of this outcome.
    pub(crate) fn latency(&self, class: OutcomeClass) -> Percentiles {
        self.latencies[class as usize].percentiles()
    }

    /// The latencies of this outcome, counted between the ascending `bounds` (in
    /// microseconds) and above the last.
    pub(crate) fn buckets(&self, class: OutcomeClass, bounds: &[u64]) -> Buckets {
        self.latencies[class as usize].buckets(bounds)
    }
}
