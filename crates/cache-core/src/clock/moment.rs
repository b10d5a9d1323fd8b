//! Monotonic time, and what tells it.

use std::{sync::Arc, time::Duration};

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
