//! How a guard behaves.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

/// Bounds and settings of a [`Guarded`](super::Guarded) source.
///
/// ```
/// use std::time::Duration;
/// use live_data::GuardOptions;
///
/// let options = GuardOptions {
///     max_wait: Duration::from_millis(200),
///     ..GuardOptions::default()
/// };
/// assert_eq!(options.most.get(), 4);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardOptions {
    /// How many calls are made at a time, at most; of a database, its connections.
    /// Default: 4.
    pub most: NonZeroUsize,
    /// How few the limit may fall to when the source gets slow. Default: 1.
    pub least: NonZeroUsize,
    /// How many times its usual latency the calls of an intent may take before the
    /// source counts as slow, and the limit falls. Default: 2.
    pub tolerance: NonZeroU32,
    /// How many calls one intent may have under way. Never more than all but one, so
    /// that one is left for others. Default: half of the limit, rounded up.
    pub share: Option<NonZeroUsize>,
    /// How many calls of one intent may wait; one more is refused. Default: 256.
    pub queue: NonZeroUsize,
    /// How long a call may wait for its turn; then it is refused. Default: 500 ms.
    pub max_wait: Duration,
    /// After how many failures in a row the circuit breaker opens. Default: 5.
    pub failures: NonZeroU32,
    /// How long it stays open the first time. It doubles with each probe that fails,
    /// and varies at random between a half and the whole. Default: 1 s.
    pub open_for: Duration,
    /// How long it stays open at most. Default: 10 s.
    pub longest_open: Duration,
}

impl Default for GuardOptions {
    fn default() -> Self {
        // None is zero, which the compiler checks when it evaluates them.
        const FOUR: NonZeroUsize = NonZeroUsize::new(4).unwrap();
        const QUEUE: NonZeroUsize = NonZeroUsize::new(256).unwrap();
        const TWO: NonZeroU32 = NonZeroU32::new(2).unwrap();
        const FIVE: NonZeroU32 = NonZeroU32::new(5).unwrap();
        Self {
            most: FOUR,
            least: NonZeroUsize::MIN,
            tolerance: TWO,
            share: None,
            queue: QUEUE,
            max_wait: Duration::from_millis(500),
            failures: FIVE,
            open_for: Duration::from_secs(1),
            longest_open: Duration::from_secs(10),
        }
    }
}
