//! A clock that is ticked by its owner.

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

/// A clock that reads one atomic, which its owner moves by calling
/// [`tick`](Self::tick) from a timer of any kind. Clones share one time.
///
/// Reading a clock of the system is a good part of what a hit costs
/// (`cargo xtask bench store hits` shows both); reading this one costs next to
/// nothing. What it asks for is that the owner ticks at
/// least as often as promised to [`new`](Self::new). Entries that may be
/// expired, given that promise, are judged by the system's exact clock, and
/// whatever reads that clock (every permit, fill and turn of maintenance) ticks
/// as well. If the promise is broken and the cache sees nothing but hits, an
/// entry can be served longer than its TTL by the time that the tick is late.
///
/// A machine that sleeps breaks the promise: nobody ticks meanwhile. Ticks count
/// the time asleep, but a hit between waking and the next tick is judged as if
/// the machine had not slept. Where a machine may sleep, take [`SystemClock`].
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
    /// A clock whose owner promises to tick at least this often.
    #[must_use]
    pub fn new(promise: Duration) -> Self {
        Self {
            system: SystemClock::new(),
            promise: nanos(promise),
            ticked: Arc::new(AtomicU64::new(0)),
        }
    }

    /// Moves the clock, and every clone of it, to the present.
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
