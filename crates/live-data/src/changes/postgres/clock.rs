//! When a transaction was committed, on this machine's clock.

use std::time::{Duration, Instant};

/// A reading of the server's clock. The two clocks need not agree: only the time between
/// two readings of each counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct ServerClock {
    /// When the server was asked, so not later than it read its clock.
    asked: Instant,
    /// The server's time, in microseconds since 2000.
    micros: i64,
}

impl ServerClock {
    /// What the server said when it was asked.
    pub(super) fn new(asked: Instant, micros: i64) -> Self {
        Self { asked, micros }
    }

    /// When the server's clock showed a time: not later than that, and not later than
    /// `now`.
    pub(super) fn at(&self, micros: i64, now: Instant) -> Instant {
        let between = Duration::from_micros(micros.abs_diff(self.micros));
        let at = match micros < self.micros {
            true => self.asked.checked_sub(between),
            false => self.asked.checked_add(between),
        };
        at.unwrap_or(self.asked).min(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_relative_to_the_reading() {
        let asked = Instant::now() + Duration::from_secs(60);
        let clock = ServerClock::new(asked, 5_000_000);
        let now = asked + Duration::from_secs(3);
        let second = Duration::from_secs(1);
        assert_eq!(clock.at(4_000_000, now), asked - second);
        assert_eq!(clock.at(6_000_000, now), asked + second);
        assert_eq!(clock.at(9_000_000, now), now);
        assert_eq!(clock.at(i64::MAX, now), now);
    }
}
