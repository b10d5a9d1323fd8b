//! How many calls a source takes at a time without getting slow.
//!
//! The limit grows by addition and shrinks by multiplication (AIMD: Chiu and Jain,
//! 1989, as TCP does), by the signal of TCP Vegas: latency that rises above its
//! usual value shows a queue in the source before anything fails. Each intent has a
//! usual latency of its own, so that a slow query among fast ones is no sign of one.

use std::time::{Duration, Instant};

use super::options::GuardOptions;

/// What the limit is multiplied with when the source gets slow.
const DECREASE: f64 = 0.9;

/// The weight of a new latency in the recent and in the usual one.
const RECENT: f64 = 1.0 / 8.0;
const USUAL: f64 = 1.0 / 32.0;

/// A rise of latency by less is never a sign of a queue: schedulers and disks
/// vary by as much.
const SLACK_SECONDS: f64 = 0.010;

/// What the limit starts at, if it is allowed to be that large.
const START: f64 = 16.0;

/// The adaptive limit. It knows no clock: callers give the time.
#[derive(Debug)]
pub(super) struct Limit {
    limit: f64,
    least: f64,
    most: f64,
    tolerance: f64,
    /// When it last shrank. Calls that began before show the queue that it shrank
    /// for, which must not count twice.
    shrank: Option<Instant>,
}

/// A call that was granted its turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) began: Instant,
    /// How many calls were in flight when it began, itself included.
    pub(super) in_flight: usize,
    /// Whether more calls of its intent waited, as the intent's share was used up. A
    /// higher limit raises the share.
    pub(super) is_pressed: bool,
}

impl Limit {
    pub(super) fn new(options: &GuardOptions) -> Self {
        let most = options.most.get() as f64;
        let least = (options.least.get() as f64).min(most);
        Self {
            limit: START.clamp(least, most),
            least,
            most,
            tolerance: f64::from(options.tolerance.get()),
            shrank: None,
        }
    }

    /// How many calls may be under way now; at least one.
    pub(super) fn current(&self) -> usize {
        // In range: from 1 to `most`, which was a `usize`.
        self.limit as usize
    }

    /// Whether so many calls crowd the source, so that their latency may be that of
    /// a queue. At its least the limit can do nothing against one: what calls take
    /// then is what they take.
    fn is_crowded(&self, in_flight: usize) -> bool {
        self.limit > self.least && in_flight as f64 * 2.0 > self.limit
    }

    /// Takes a call into account that ended `now`.
    pub(super) fn ended(&mut self, latency: &mut Latency, call: Call, now: Instant) {
        let Call {
            began,
            in_flight,
            is_pressed,
        } = call;
        let took = now.saturating_duration_since(began);
        let is_crowded = self.is_crowded(in_flight);
        if latency.add(took, is_crowded, self.tolerance) {
            if self.shrank.is_none_or(|shrank| began >= shrank) {
                self.limit = (self.limit * DECREASE).max(self.least);
                self.shrank = Some(now);
            }
        } else if is_crowded || is_pressed || in_flight >= self.current() {
            // By one for each round of calls. Calls that did not need the limit tell
            // nothing of a higher one.
            self.limit = (self.limit + 1.0 / self.limit).min(self.most);
        }
    }
}

/// The latency of an intent's calls, in seconds.
#[derive(Debug, Default)]
pub(super) struct Latency {
    recent: f64,
    /// What calls take that meet no queue.
    usual: f64,
    is_known: bool,
}

impl Latency {
    /// Whether a call that ended after that time had less time than calls took lately.
    pub(super) fn exceeds(&self, took: Duration) -> bool {
        self.is_known && took.as_secs_f64() < self.recent
    }

    /// Adds a call. Returns whether calls take longer than they usually do.
    fn add(&mut self, took: Duration, is_crowded: bool, tolerance: f64) -> bool {
        let took = took.as_secs_f64();
        if !self.is_known {
            *self = Self {
                recent: took,
                usual: took,
                is_known: true,
            };
        }
        self.recent += (took - self.recent) * RECENT;
        if !is_crowded {
            self.usual += (took - self.usual) * USUAL;
        }
        // The first calls may have met a queue.
        self.usual = self.usual.min(self.recent);
        self.recent > self.usual * tolerance + SLACK_SECONDS
    }
}
