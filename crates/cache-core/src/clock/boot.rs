//! The time since boot on Linux: exact, and as coarse bounds.
//!
//! Linux has no coarse `CLOCK_BOOTTIME`. `CLOCK_BOOTTIME` is `CLOCK_MONOTONIC` plus the
//! time asleep, which changes only when the machine sleeps. A sleep advances the wall
//! clock by the same amount, in one step, and not the monotonic clock. So the measured
//! time asleep is valid as long as the distance between the coarse wall clock and the
//! coarse monotonic clock does not change. Setting the wall clock changes the distance as
//! well, which only costs another measurement; it would hide a sleep only if it set the
//! clock back by the time asleep to the nanosecond.

use std::sync::atomic::{AtomicU64, Ordering};

use nix::time::{ClockId, clock_gettime};

use super::moment::Moment;

/// How many nanoseconds a coarse reading may be late.
const MARGIN: u64 = 1_000_000_000;

/// The largest error of a measurement of the time asleep, a small part of [`MARGIN`].
const MAX_ERROR: u64 = MARGIN / 10;

/// The time asleep that this process measured last.
static ASLEEP: Asleep = Asleep::new();

/// Nanoseconds since boot, including the time asleep.
#[derive(Clone, Copy, Debug)]
pub(super) struct BootReading(u64);

impl BootReading {
    pub(super) fn exact() -> Self {
        exact(&Kernel)
    }

    /// An earliest and a latest reading that enclose the present.
    pub(super) fn bounds() -> (Self, Self) {
        ASLEEP.bounds(&Kernel)
    }

    pub(super) fn since(self, origin: Self) -> Moment {
        Moment::from_nanos(self.0.saturating_sub(origin.0))
    }
}

/// A source of clock readings.
trait Clocks {
    /// Nanoseconds since the clock's origin.
    fn read(&self, clock: ClockId) -> u64;
}

/// The clocks of this machine.
struct Kernel;

impl Clocks for Kernel {
    fn read(&self, clock: ClockId) -> u64 {
        // Linux has all these clocks since 2.6.39. If one cannot be read, the latest
        // possible moment makes every entry expired.
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

/// The measured time asleep, and the clock distance that shows whether it is valid.
///
/// It has a cache line of its own, which every hit reads and which is seldom written.
#[repr(align(64))]
struct Asleep {
    /// The distance from the coarse monotonic clock to the coarse wall clock before
    /// `nanos` was measured.
    ahead: AtomicU64,
    /// The time asleep: at most [`MAX_ERROR`] too short, never too long.
    nanos: AtomicU64,
}

impl Asleep {
    const fn new() -> Self {
        Self {
            // Not a real distance, so that the first reading measures.
            ahead: AtomicU64::new(u64::MAX),
            nanos: AtomicU64::new(0),
        }
    }

    fn bounds(&self, clocks: &impl Clocks) -> (BootReading, BootReading) {
        // In this order, so that a sleep between the two is noticed.
        let awake = clocks.read(ClockId::CLOCK_MONOTONIC_COARSE);
        let wall = clocks.read(ClockId::CLOCK_REALTIME_COARSE);
        let ahead = wall.wrapping_sub(awake);
        // The time asleep is stored before `ahead`.
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

    /// Measures the time asleep and returns the present. `ahead` was read before: a sleep
    /// in between or later changes the distance, so that the next reading measures again.
    #[cold]
    fn measure(&self, clocks: &impl Clocks, ahead: u64) -> BootReading {
        let before = clocks.read(ClockId::CLOCK_MONOTONIC);
        let now = exact(clocks);
        let after = clocks.read(ClockId::CLOCK_MONOTONIC);
        // If the thread was preempted in between, it measured too little.
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
