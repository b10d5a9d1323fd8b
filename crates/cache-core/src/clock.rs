//! Clocks: monotonic time as a parameter of the cache.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod boot;
mod manual;
mod moment;
mod system;
mod ticked;

pub use manual::ManualClock;
pub(crate) use moment::nanos;
pub use moment::{Clock, Moment};
pub use system::SystemClock;
pub use ticked::TickedClock;

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

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
            // Where the bounds are measured exactly, they are one moment between the two.
            let before = clock.now();
            let (earliest, latest) = clock.bounds();
            let after = clock.now();
            assert!(earliest <= after && before <= latest);
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
