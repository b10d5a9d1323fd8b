//! The operating system's clock.

use super::moment::{Clock, Moment};

/// The operating system's monotonic clock, counted from when this value was made. It
/// ignores changes of the wall clock.
///
/// It counts the time that the machine sleeps where the system can tell:
///
/// | system | clock | counts sleep |
/// | --- | --- | --- |
/// | Linux, Android | `CLOCK_BOOTTIME` | yes |
/// | macOS, iOS and their kin | `CLOCK_MONOTONIC_RAW` | yes |
/// | Windows | [`std::time::Instant`], which is `QueryPerformanceCounter` | yes |
/// | others | [`std::time::Instant`] | as that does; most do not |
///
/// On Linux, a hit whose entry is fresh for more than another second reads two coarse
/// clocks, which the kernel updates every few milliseconds and which together cost less
/// than half of the exact one. `CLOCK_MONOTONIC_COARSE` is the time awake; its distance to
/// `CLOCK_REALTIME_COARSE` changes when the machine sleeps or the wall clock is set, and
/// then the exact clock is read. The second is a margin for preempted threads. Everything
/// else reads the exact clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    origin: Reading,
}

impl SystemClock {
    /// A clock whose origin is now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            origin: Reading::exact(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Reading::exact().since(self.origin)
    }

    fn bounds(&self) -> (Moment, Moment) {
        let (earliest, latest) = Reading::bounds();
        (earliest.since(self.origin), latest.since(self.origin))
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
use super::boot::BootReading as Reading;
#[cfg(target_vendor = "apple")]
use apple::Reading;
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
use portable::Reading;

#[cfg(target_vendor = "apple")]
mod apple {
    //! `CLOCK_MONOTONIC_RAW`, which goes on in sleep, unlike `Instant`.

    use nix::time::{ClockId, clock_gettime};

    use super::Moment;

    /// Nanoseconds since the machine started.
    #[derive(Clone, Copy, Debug)]
    pub(super) struct Reading(u64);

    impl Reading {
        pub(super) fn exact() -> Self {
            let clock = ClockId::from_raw(nix::libc::CLOCK_MONOTONIC_RAW);
            // Available since macOS 10.12. If it cannot be read, the latest possible
            // moment makes every entry expired.
            let time = clock_gettime(clock).ok();
            let nanos = time.and_then(|time| {
                let seconds = u64::try_from(time.tv_sec()).ok()?;
                let nanos = u64::try_from(time.tv_nsec()).ok()?;
                seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
            });
            Self(nanos.unwrap_or(u64::MAX))
        }

        pub(super) fn bounds() -> (Self, Self) {
            let now = Self::exact();
            (now, now)
        }

        pub(super) fn since(self, origin: Self) -> Moment {
            Moment(self.0.saturating_sub(origin.0))
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
mod portable {
    //! [`std::time::Instant`].

    use std::time::Instant;

    use super::Moment;
    use crate::clock::moment::nanos;

    #[derive(Clone, Copy, Debug)]
    pub(super) struct Reading(Instant);

    impl Reading {
        pub(super) fn exact() -> Self {
            Self(Instant::now())
        }

        pub(super) fn bounds() -> (Self, Self) {
            let now = Self::exact();
            (now, now)
        }

        pub(super) fn since(self, origin: Self) -> Moment {
            Moment(nanos(self.0.saturating_duration_since(origin.0)))
        }
    }
}
