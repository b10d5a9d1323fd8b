//! Points in monotonic time, and the trait of clocks.

use std::{sync::Arc, time::Duration};

/// A point in monotonic time: nanoseconds since the origin of a clock.
///
/// Only moments of the same clock can be compared. 64 bits of nanoseconds last 584 years;
/// all arithmetic saturates.
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

    #[inline(always)]
    pub(crate) const fn plus_nanos(self, by: u64) -> Self {
        Self(self.0.saturating_add(by))
    }

    /// The moment `nanos` before this one; `None` if that is before the first moment.
    pub(crate) fn before(self, nanos: u64) -> Option<Self> {
        self.0.checked_sub(nanos).map(Self)
    }

    /// The moment `by` after this one, saturating at the last moment.
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
/// A cache reads its clock once per operation, never while it holds a lock. A clock must
/// never go backwards, so the wall clock is not suitable. It should count the time that
/// the machine sleeps, as [`SystemClock`](crate::SystemClock) does; otherwise old entries
/// are served as fresh after a sleep.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Moment;

    /// An earliest and a latest moment that enclose the present, if they cost less than
    /// [`now`](Self::now): a hit whose entry is fresh at both needs no exact time. By
    /// default both are [`now`](Self::now).
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
