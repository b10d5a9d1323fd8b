//! Monotonic time as a parameter.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod boot;
mod system;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

pub use system::SystemClock;

/// A point in monotonic time: nanoseconds since an origin that the clock chose.
///
/// Moments of one clock compare with each other; moments of different clocks
/// mean nothing to each other. 64 bits of nanoseconds last 584 years, and all
/// arithmetic saturates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// The origin of a clock.
    pub const ORIGIN: Self = Self(0);

    /// The moment `nanos` nanoseconds after the origin.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the origin.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to this moment; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    pub(crate) const fn nanos_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This moment, `by` later; the last moment there is if that lies beyond.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(nanos(by)))
    }
}

/// Whole nanoseconds of a duration, saturating at 584 years.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A source of monotonic time.
///
/// A cache reads its clock once per operation, never while it holds a lock. An
/// implementation must never go backwards; wall-clock time is therefore no
/// implementation. It should count the time that the machine sleeps, as
/// [`SystemClock`] does, or a machine that wakes serves old entries as fresh.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Moment;

    /// Two moments that the present lies between, where that costs less than
    /// [`now`](Self::now) to tell: a hit whose entry is fresh at both needs to
    /// know no more. By default, the present twice.
    fn bounds(&self) -> (Moment, Moment) {
        let now = self.now();
        (now, now)
    }
}

impl<C: Clock + ?Sized> Clock for &'static C {
    fn now(&self) -> Moment {
        (**self).now()
    }

    fn bounds(&self) -> (Moment, Moment) {
        (**self).bounds()
    }
}

impl<C: Clock + ?Sized> Clock for Box<C> {
    fn now(&self) -> Moment {
        (**self).now()
    }

    fn bounds(&self) -> (Moment, Moment) {
        (**self).bounds()
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Moment {
        (**self).now()
    }

    fn bounds(&self) -> (Moment, Moment) {
        (**self).bounds()
    }
}

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
        self.ticked.fetch_max(now.0, Ordering::Relaxed);
        now
    }

    fn bounds(&self) -> (Moment, Moment) {
        let ticked = self.ticked.load(Ordering::Relaxed);
        (Moment(ticked), Moment(ticked.saturating_add(self.promise)))
    }
}

/// A clock that moves only when told to: for tests and simulations. Clones
/// share one time.
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
    /// A clock that stands at its origin.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock, and every clone of it, forward.
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
        Moment(self.now.load(Ordering::Acquire))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_saturates_at_both_ends() {
        let late = Moment::from_nanos(u64::MAX - 1);
        assert_eq!(late.plus(Duration::MAX).as_nanos(), u64::MAX);
        assert_eq!(Moment::ORIGIN.since(late), Duration::ZERO);

        let clock = ManualClock::new();
        clock.advance(Duration::MAX);
        clock.advance(Duration::from_nanos(1));
        assert_eq!(clock.now().as_nanos(), u64::MAX);
    }

    #[test]
    fn clones_of_a_manual_clock_share_its_time() {
        let clock = ManualClock::new();
        let other = clock.clone();
        clock.advance(Duration::from_nanos(7));
        assert_eq!(other.now(), Moment::from_nanos(7));
    }

    #[test]
    fn the_present_lies_between_the_bounds() {
        let clock = SystemClock::new();
        for _ in 0..1_000 {
            let (earliest, latest) = clock.bounds();
            let now = clock.now();
            assert!(earliest <= now && now <= latest);
        }
    }

    #[test]
    fn a_ticked_clock_stands_between_ticks_and_promises_no_more() {
        let promise = Duration::from_secs(3);
        let clock = TickedClock::new(promise);
        let other = clock.clone();
        let (first, latest) = clock.bounds();
        assert_eq!(latest, first.plus(promise));
        assert_eq!(other.bounds(), (first, latest));
        let now = other.now();
        assert_eq!(clock.bounds(), (now, now.plus(promise)));
        clock.tick();
        assert!(clock.bounds().0 >= now);
    }

    #[test]
    fn a_clock_may_be_a_trait_object() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let first = clock.now();
        assert!(clock.now() >= first);
    }
}
