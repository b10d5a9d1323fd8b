//! A clock for tests and simulations.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::moment::{Clock, Moment, nanos};

/// A clock that advances only by [`advance`](Self::advance), for tests and simulations.
/// Clones share one time.
///
/// ```
/// use cache_core::{Clock, ManualClock};
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// let start = clock.now();
/// clock.advance(Duration::from_secs(300));
/// assert_eq!(clock.now().since(start), Duration::from_secs(300));
/// ```
#[derive(Clone, Debug, Default)]
pub struct ManualClock {
    now: Arc<AtomicU64>,
}

impl ManualClock {
    /// A clock at its origin.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Advances the clock, and all its clones.
    pub fn advance(&self, by: Duration) {
        let by = nanos(by);
        let mut now = self.now.load(Ordering::Relaxed);
        while let Err(actual) = self.now.compare_exchange_weak(
            now,
            now.saturating_add(by),
            Ordering::Release,
            Ordering::Relaxed,
        ) {
            now = actual;
        }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        Moment::from_nanos(self.now.load(Ordering::Acquire))
    }
}
