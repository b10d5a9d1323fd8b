//! Linux's time since boot, exactly and roughly.
//!
//! There is no coarse `CLOCK_BOOTTIME`. It is `CLOCK_MONOTONIC` and the time
//! asleep, which changes only when the machine sleeps. When it does, the kernel
//! moves the wall clock on by just as much, in one step with the time asleep,
//! and the monotonic clock not at all. So as long as the coarse wall clock
//! and the coarse monotonic clock are as far apart as when the time asleep was
//! measured, that is still the time asleep. Setting the wall clock moves them
//! apart as well, which only costs another measurement; to hide a sleep it would
//! have to set the clock back by the time asleep to the nanosecond.

use std::sync::atomic::{AtomicU64, Ordering};

use nix::time::{ClockId, clock_gettime};

use super::moment::Moment;

/// By how many nanoseconds a rough reading may be late.
const MARGIN: u64 = 1_000_000_000;

/// The largest error of a measurement of the time asleep: a small part of
/// [`MARGIN`].
const MAX_ERROR: u64 = MARGIN / 10;

/// The time asleep, as this process knows it.
static ASLEEP: Asleep = Asleep::new();

/// Nanoseconds since the machine started, those asleep included.
#[derive(Clone, Copy, Debug)]
pub(super) struct BootReading(u64);

impl BootReading {
    pub(super) fn exact() -> Self {
        exact(&Kernel)
    }

    /// Two readings that the present lies between.
    pub(super) fn bounds() -> (Self, Self) {
        ASLEEP.bounds(&Kernel)
    }

    pub(super) fn since(self, origin: Self) -> Moment {
        Moment::from_nanos(self.0.saturating_sub(origin.0))
    }
}

/// What the clocks show.
trait Clocks {
    /// Nanoseconds since the clock's origin.
    fn read(&self, clock: ClockId) -> u64;
}

/// The clocks of this machine.
struct Kernel;

impl Clocks for Kernel {
    fn read(&self, clock: ClockId) -> u64 {
        // Linux has had all these clocks since 2.6.39. If one cannot be read,
        // the latest moment there is makes everything expired.
        let time = clock_gettime(clock).ok();
        let nanos = time.and_then(|time| {
            let seconds = u64::try_from(time.tv_sec()).ok()?;
            let nanos = u64::try_from(time.tv_nsec()).ok()?;
            seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
        });
        nanos.unwrap_or(u64::MAX)
    }
}

fn exact(clocks: &impl Clocks) -> BootReading {
    BootReading(clocks.read(ClockId::CLOCK_BOOTTIME))
}

/// How long the machine has slept, and how that is known to be up to date.
///
/// In a cache line of its own, which every hit reads and hardly anything writes.
#[repr(align(64))]
struct Asleep {
    /// How far the coarse wall clock was ahead of the coarse monotonic clock
    /// before `nanos` was measured.
    ahead: AtomicU64,
    /// The time asleep, at most [`MAX_ERROR`] too short, never too long.
    nanos: AtomicU64,
}

impl Asleep {
    const fn new() -> Self {
        Self {
            // No machine has its wall clock a nanosecond behind the other.
            ahead: AtomicU64::new(u64::MAX),
            nanos: AtomicU64::new(0),
        }
    }

    fn bounds(&self, clocks: &impl Clocks) -> (BootReading, BootReading) {
        // In this order, so that a sleep between the two is noticed.
        let awake = clocks.read(ClockId::CLOCK_MONOTONIC_COARSE);
        let wall = clocks.read(ClockId::CLOCK_REALTIME_COARSE);
        let ahead = wall.wrapping_sub(awake);
        // Whoever stored `ahead` stored the time asleep before it.
        if ahead != self.ahead.load(Ordering::Acquire) {
            let now = self.measure(clocks, ahead);
            return (now, now);
        }
        let earliest = awake.saturating_add(self.nanos.load(Ordering::Relaxed));
        (
            BootReading(earliest),
            BootReading(earliest.saturating_add(MARGIN)),
        )
    }

    /// Measures the time asleep after the coarse clocks were `ahead` apart, and
    /// tells the present. A sleep that comes between or later moves the clocks
    /// apart once more, so that the next reading measures again.
    #[cold]
    fn measure(&self, clocks: &impl Clocks, ahead: u64) -> BootReading {
        let before = clocks.read(ClockId::CLOCK_MONOTONIC);
        let now = exact(clocks);
        let after = clocks.read(ClockId::CLOCK_MONOTONIC);
        // A thread that was held up in between has measured too little.
        if after.saturating_sub(before) <= MAX_ERROR {
            let asleep = now.0.saturating_sub(after);
            self.nanos.fetch_max(asleep, Ordering::Relaxed);
            self.ahead.store(ahead, Ordering::Release);
        }
        now
    }
}

#[cfg(test)]
mod tests;
