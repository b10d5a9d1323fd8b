//! Deadlines: until when the answer to a request is wanted.

use std::time::{Duration, Instant};

use crate::source::SourceError;

/// Until when an answer is wanted. A request has one for all the calls that it
/// makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// `None` for no deadline.
    at: Option<Instant>,
    /// The time from the start of the request on.
    allowed: Duration,
}

impl Deadline {
    /// No deadline.
    pub const NEVER: Self = Self {
        at: None,
        allowed: Duration::MAX,
    };

    /// The deadline of a request that starts now and may take so long. A time beyond
    /// the range of the clock is no deadline.
    pub fn after(now: Instant, allowed: Duration) -> Self {
        Self {
            at: now.checked_add(allowed),
            allowed,
        }
    }

    /// When it passes.
    pub fn at(self) -> Option<Instant> {
        self.at
    }

    /// The time left; zero once it has passed, and [`Duration::MAX`] without one.
    pub fn left(self, now: Instant) -> Duration {
        self.at
            .map_or(Duration::MAX, |at| at.saturating_duration_since(now))
    }

    /// The earlier of two.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        match (self.at, other.at) {
            (Some(at), Some(other_at)) if other_at < at => other,
            (None, Some(_)) => other,
            _ => self,
        }
    }

    /// The error of a source that did not answer by then.
    pub fn error(self) -> SourceError {
        SourceError::Timeout(self.allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_is_left_shrinks_to_nothing() {
        let now = Instant::now();
        let deadline = Deadline::after(now, SECOND);
        assert_eq!(deadline.left(now), SECOND);
        assert_eq!(deadline.left(now + SECOND / 4), SECOND * 3 / 4);
        assert_eq!(deadline.left(now + SECOND * 2), Duration::ZERO);
        assert_eq!(Deadline::NEVER.left(now), Duration::MAX);
        assert_eq!(Deadline::after(now, Duration::MAX).at(), None);
    }

    #[test]
    fn the_earlier_of_two_keeps_its_allowance() {
        let now = Instant::now();
        let early = Deadline::after(now, SECOND);
        let late = Deadline::after(now, 2 * SECOND);
        for (one, other) in [
            (early, late),
            (late, early),
            (early, Deadline::NEVER),
            (Deadline::NEVER, early),
        ] {
            assert_eq!(one.min(other), early);
        }
        assert_eq!(Deadline::NEVER.min(Deadline::NEVER), Deadline::NEVER);
    }
}
