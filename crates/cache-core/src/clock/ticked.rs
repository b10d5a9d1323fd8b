//! A clock that the program ticks.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    moment::{Clock, Moment, nanos},
    system::SystemClock,
};

/// A clock that reads one atomic, which the program advances by calling
/// [`tick`](Self::tick) from a timer. Clones share one time.
///
/// Reading a system clock is a large part of the cost of a hit
/// (`cargo xtask bench store hits` shows both); reading this clock costs almost nothing.
/// In return, the program must tick at least as often as it promised in
/// [`new`](Self::new). Entries that may be expired, given that promise, are checked by the
/// system's exact clock, and every permit, fill and maintenance turn reads that clock and
/// ticks as well. If a tick is late, and the cache sees nothing but hits, an entry may be
/// served for that long beyond its TTL.
///
/// A machine that sleeps breaks the promise. Ticks count the time asleep, but a hit
/// between waking and the next tick is served as if the machine had not slept. Use
/// [`SystemClock`] where the machine may sleep.
///
/// ```
/// use cache_core::{Cache, Clock, TickedClock};
/// use std::{thread, time::Duration};
///
/// let clock = TickedClock::new(Duration::from_secs(1));
/// let cache = Cache::<u32, u32, _>::builder()
///     .max_entries(100)
///     .clock(clock.clone())
///     .build()?;
/// thread::spawn({
///     let cache = cache.clone();
///     move || loop {
///         thread::sleep(Duration::from_millis(10));
///         cache.clock().tick();
///         cache.maintain(1_000);
///     }
/// });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TickedClock {
    system: SystemClock,
    promise: u64,
    ticked: Arc<AtomicU64>,
}

impl TickedClock {
    /// A clock that the program promises to tick at least this often.
    #[must_use]
    pub fn new(promise: Duration) -> Self {
        Self {
            system: SystemClock::new(),
            promise: nanos(promise),
            ticked: Arc::new(AtomicU64::new(0)),
        }
    }

    /// Advances the clock, and all its clones, to the present.
    pub fn tick(&self) {
        self.now();
    }
}

impl Clock for TickedClock {
    fn now(&self) -> Moment {
        let now = self.system.now();
        self.ticked.fetch_max(now.as_nanos(), Ordering::Relaxed);
        now
    }

    fn bounds(&self) -> (Moment, Moment) {
        let ticked = self.ticked.load(Ordering::Relaxed);
        (
            Moment::from_nanos(ticked),
            Moment::from_nanos(ticked.saturating_add(self.promise)),
        )
    }
}
