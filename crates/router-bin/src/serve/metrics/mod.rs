//! What the service has answered so far: counts, latencies, the last few requests.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;
use intent_router::{CacheOutcome, Refreshed, Routed, UserContext};
use serde::Serialize;

/// How many of the last requests are remembered.
const RECENT: usize = 50;

/// The most characters of a client's text that are remembered.
const MOST_TEXT: usize = 80;

/// The longest latency told apart, in microseconds: a minute.
const LONGEST_US: u64 = 60_000_000;

/// How a request was answered, as far as statistics tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Hit,
    Miss,
    Bypass,
}

impl Outcome {
    pub(crate) const ALL: [Self; 3] = [Self::Hit, Self::Miss, Self::Bypass];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Bypass => "bypass",
        }
    }

    fn of(cache: CacheOutcome) -> Self {
        match cache {
            CacheOutcome::Hit { .. } | CacheOutcome::Stale { failed: false, .. } => Self::Hit,
            CacheOutcome::Bypass(_) => Self::Bypass,
            _ => Self::Miss,
        }
    }
}

/// Counts and latencies since the service started.
pub(crate) struct Metrics {
    started: Instant,
    inner: Mutex<Inner>,
}

struct Inner {
    latencies: [Histogram<u64>; 3],
    failed: u64,
    refreshes: Refreshes,
    reloads: Reloads,
    queries_made: u64,
    queries_saved: u64,
    recent: VecDeque<Recent>,
}

/// What came of making stored answers anew beside the requests.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Refreshes {
    /// A newer answer was stored.
    pub(crate) stored: u64,
    /// The newer answer was not stored: an invalidation or a newer one came
    /// between, caching was switched off, or there is no such member any more.
    pub(crate) not_stored: u64,
    /// The source failed, or took too long.
    pub(crate) failed: u64,
    /// Not begun, as enough others were under way.
    pub(crate) skipped: u64,
}

/// What came of reading files again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reloads {
    /// The service answers by something else since.
    pub(crate) reloaded: u64,
    /// Something was wrong with the files.
    pub(crate) failed: u64,
    /// Whether the last attempt failed.
    pub(crate) is_failing: bool,
    /// When what the service answers by was loaded.
    pub(crate) loaded_at: SystemTime,
}

/// One answered request, without what was asked.
#[derive(Clone, Serialize)]
pub(crate) struct Recent {
    at: String,
    intent: String,
    user_id: String,
    user_role: String,
    source: &'static str,
    cache_status: String,
    latency_us: u64,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        // Three significant digits up to a minute: about 20 KiB a histogram.
        // The bounds are constants for which the library has no objection.
        let latencies = [(); 3].map(|()| {
            let mut histogram = Histogram::new(3).expect("3 significant digits are allowed");
            histogram.auto(true);
            histogram
        });
        Self {
            started: Instant::now(),
            inner: Mutex::new(Inner {
                latencies,
                failed: 0,
                refreshes: Refreshes::default(),
                reloads: Reloads {
                    reloaded: 0,
                    failed: 0,
                    is_failing: false,
                    loaded_at: now(),
                },
                queries_made: 0,
                queries_saved: 0,
                recent: VecDeque::with_capacity(RECENT),
            }),
        }
    }

    /// No code that can panic runs under the lock in the middle of an update,
    /// so what a poisoned lock guards is whole.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request that could not be answered.
    pub(crate) fn failed(&self) {
        self.inner().failed += 1;
    }

    /// Counts an answer made anew, or not.
    pub(crate) fn refreshed(&self, refreshed: &Refreshed) {
        let mut inner = self.inner();
        inner.queries_made += u64::from(refreshed.calls);
        let refreshes = &mut inner.refreshes;
        let count = match (&refreshed.failure, refreshed.stored) {
            (Some(_), _) => &mut refreshes.failed,
            (None, true) => &mut refreshes.stored,
            (None, false) => &mut refreshes.not_stored,
        };
        *count += 1;
    }

    /// Counts an answer that took too long to make anew. How many calls were
    /// made for it is not known.
    pub(crate) fn refresh_timed_out(&self) {
        self.inner().refreshes.failed += 1;
    }

    /// Counts an answer for whose making anew there was no room.
    pub(crate) fn refresh_skipped(&self) {
        self.inner().refreshes.skipped += 1;
    }

    /// Counts a reload: whether something had changed, or that it failed.
    pub(crate) fn reloaded(&self, changed: Option<bool>) {
        let reloads = &mut self.inner().reloads;
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

    /// Counts an answered request, with its `Cache-Status` as it was told.
    pub(crate) fn answered(
        &self,
        user: &UserContext,
        routed: &Routed,
        cache_status: String,
        latency: Duration,
    ) {
        let latency_us = u64::try_from(latency.as_micros()).unwrap_or(LONGEST_US);
        let text = |json: Option<&cache_keys::CanonicalJson>| {
            json.map_or_else(
                || "guest".to_owned(),
                |j| j.text().chars().take(MOST_TEXT).collect(),
            )
        };
        let recent = Recent {
            at: humantime::format_rfc3339_millis(now()).to_string(),
            intent: routed.answer.intent().to_owned(),
            user_id: text(user.user_id.as_ref()),
            user_role: text(user.user_role.as_ref()),
            source: routed.answer.source().as_str(),
            cache_status,
            latency_us,
        };
        let outcome = Outcome::of(routed.cache);
        let saved = match routed.cache {
            // The source was asked all the same, in vain.
            CacheOutcome::Stale { failed: true, .. } => 0,
            _ => routed.answer.calls().saturating_sub(routed.calls),
        };

        let mut inner = self.inner();
        inner.latencies[outcome as usize].saturating_record(latency_us.min(LONGEST_US));
        inner.queries_made += u64::from(routed.calls);
        inner.queries_saved += u64::from(saved);
        if inner.recent.len() == RECENT {
            inner.recent.pop_back();
        }
        inner.recent.push_front(recent);
    }

    /// All figures at one moment.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let inner = self.inner();
        let requests = inner.latencies.each_ref().map(Histogram::len);
        Snapshot {
            uptime: self.started.elapsed(),
            requests,
            failed: inner.failed,
            refreshes: inner.refreshes,
            reloads: inner.reloads,
            queries_made: inner.queries_made,
            queries_saved: inner.queries_saved,
            latencies: inner.latencies.each_ref().map(Latency::of),
            recent: inner.recent.iter().cloned().collect(),
        }
    }

    /// One outcome's latencies, counted between the ascending `bounds` (in
    /// microseconds) and above the last.
    pub(crate) fn latency(&self, outcome: Outcome, bounds: &[u64]) -> Buckets {
        let inner = self.inner();
        let histogram = &inner.latencies[outcome as usize];
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

/// The time of day. A clock that was never set may stand before the first time
/// that can be written.
fn now() -> SystemTime {
    SystemTime::now().max(UNIX_EPOCH)
}

/// A latency histogram of few buckets.
pub(crate) struct Buckets {
    pub(crate) count: u64,
    pub(crate) sum_us: f64,
    pub(crate) buckets: Vec<u64>,
}

/// The metrics at one moment; arrays are indexed by [`Outcome`].
pub(crate) struct Snapshot {
    pub(crate) uptime: Duration,
    pub(crate) requests: [u64; 3],
    pub(crate) failed: u64,
    pub(crate) refreshes: Refreshes,
    pub(crate) reloads: Reloads,
    pub(crate) queries_made: u64,
    pub(crate) queries_saved: u64,
    pub(crate) latencies: [Latency; 3],
    pub(crate) recent: Vec<Recent>,
}

/// Percentiles of one outcome's latencies, in microseconds.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Latency {
    count: u64,
    p50: u64,
    p95: u64,
    p99: u64,
}

impl Latency {
    fn of(histogram: &Histogram<u64>) -> Self {
        Self {
            count: histogram.len(),
            p50: histogram.value_at_quantile(0.50),
            p95: histogram.value_at_quantile(0.95),
            p99: histogram.value_at_quantile(0.99),
        }
    }
}
