//! The policy of a TTL class, as its owner states it.

use std::time::Duration;

use crate::{clock::nanos, error::FreshnessError};

/// How many words a policy takes.
pub(crate) const WORDS: usize = 7;

/// The TTL of a class without a policy: 300 s.
const DEFAULT_TTL: Duration = Duration::from_secs(300);

/// What entries of a class may expect: how long they are fresh, and what may be
/// done with them afterwards.
///
/// By default everything but the TTL is off: an entry is fresh for
/// [`ttl`](Self::ttl), then gone. All spans but the time to idle are measured from
/// the moment of writing and do not slide when an entry is read. Spans of more than 584
/// years count as 584 years.
///
/// ```
/// use cache_core::Freshness;
/// use std::time::Duration;
///
/// let prices = Freshness::ttl(Duration::from_secs(60))
///     .with_stale_while_revalidate(Duration::from_secs(10))
///     .with_stale_if_error(Duration::from_secs(600))
///     .with_negative_ttl(Duration::from_secs(5))
///     .with_jitter(0.1)?
///     .with_early_refresh(1.0)?;
/// assert_eq!(prices.jitter(), 0.1);
/// assert!(prices.with_jitter(-0.1).is_err());
/// # Ok::<(), cache_core::FreshnessError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Freshness {
    /// An entry is fresh while its age is at most this, to the nanosecond.
    /// Zero is legal: fresh only at the very moment of writing.
    pub ttl: Duration,
    /// For so long after the TTL an entry may be served while one reader makes
    /// it anew. Zero by default.
    pub stale_while_revalidate: Duration,
    /// For so long after the TTL an entry may be served if making it anew
    /// fails. Zero by default.
    pub stale_if_error: Duration,
    /// The TTL of negative entries: the answer that something does not exist.
    /// Neither window applies to them. `None`, the default, means that the
    /// class keeps no negative entries.
    pub negative_ttl: Option<Duration>,
    /// An entry that was not read for longer than this is gone, whatever its TTL and
    /// windows say. `None`, the default, means that reads do not matter.
    pub time_to_idle: Option<Duration>,
    jitter: f64,
    early_refresh: f64,
}

/// Neither ratio can be NaN.
impl Eq for Freshness {}

impl Freshness {
    /// Fresh for `ttl`, then gone.
    #[must_use]
    pub const fn ttl(ttl: Duration) -> Self {
        Self {
            ttl,
            stale_while_revalidate: Duration::ZERO,
            stale_if_error: Duration::ZERO,
            negative_ttl: None,
            time_to_idle: None,
            jitter: 0.0,
            early_refresh: 0.0,
        }
    }

    /// Sets the window in which a stale entry is served while it is made anew.
    #[must_use]
    pub const fn with_stale_while_revalidate(mut self, window: Duration) -> Self {
        self.stale_while_revalidate = window;
        self
    }

    /// Sets the window in which a stale entry is served when making it anew
    /// failed.
    #[must_use]
    pub const fn with_stale_if_error(mut self, window: Duration) -> Self {
        self.stale_if_error = window;
        self
    }

    /// Lets the class keep negative entries, fresh for `ttl`.
    #[must_use]
    pub const fn with_negative_ttl(mut self, ttl: Duration) -> Self {
        self.negative_ttl = Some(ttl);
        self
    }

    /// Lets entries go that nobody read for longer than `span`. Hits, stale and negative
    /// ones included, count as reads; [`peek`](crate::Cache::peek) and
    /// [`iter`](crate::Cache::iter) do not.
    ///
    /// A hit of such a class writes when it was, and takes the path of a stale one:
    /// some tens of nanoseconds more. The number of live entries is counted by walking
    /// all entries of the class.
    #[must_use]
    pub const fn with_time_to_idle(mut self, span: Duration) -> Self {
        self.time_to_idle = Some(span);
        self
    }

    /// Sets the part of its TTL by which an entry's life is shortened at most,
    /// from 0 (off) to 1. How much falls on an entry depends on the hash of its
    /// key alone: it is the same at each look, and never lengthens a life.
    ///
    /// # Errors
    /// [`FreshnessError::Jitter`] if it is not a number from 0 to 1.
    pub const fn with_jitter(mut self, jitter: f64) -> Result<Self, FreshnessError> {
        if !(jitter >= 0.0 && jitter <= 1.0) {
            return Err(FreshnessError::Jitter { jitter });
        }
        self.jitter = jitter;
        Ok(self)
    }

    /// Sets how eagerly an entry is made anew before its end: the β of XFetch
    /// (Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede
    /// Prevention", VLDB 2015). 0, the default, is off; 1 is what the paper
    /// finds best; more refreshes earlier. The time that the last fill took is
    /// taken into account; entries that came by insertion are never refreshed
    /// early.
    ///
    /// # Errors
    /// [`FreshnessError::EarlyRefresh`] if it is not a finite number from 0 up.
    pub const fn with_early_refresh(mut self, beta: f64) -> Result<Self, FreshnessError> {
        if !(beta >= 0.0 && beta <= f64::MAX) {
            return Err(FreshnessError::EarlyRefresh { beta });
        }
        self.early_refresh = beta;
        Ok(self)
    }

    /// The part of its TTL by which an entry's life is shortened at most.
    #[must_use]
    pub const fn jitter(&self) -> f64 {
        self.jitter
    }

    /// How eagerly an entry is made anew before its end; 0 if it is not.
    #[must_use]
    pub const fn early_refresh(&self) -> f64 {
        self.early_refresh
    }

    /// The policy as words for a [`SeqLock`](crate::seqlock::SeqLock).
    pub(crate) fn to_words(self) -> [u64; WORDS] {
        [
            nanos(self.ttl),
            nanos(self.stale_while_revalidate),
            nanos(self.stale_if_error),
            // Zero stands for none.
            self.negative_ttl
                .map_or(0, |ttl| nanos(ttl).saturating_add(1)),
            self.time_to_idle
                .map_or(0, |span| nanos(span).saturating_add(1)),
            self.jitter.to_bits(),
            self.early_refresh.to_bits(),
        ]
    }

    pub(crate) fn from_words(words: [u64; WORDS]) -> Self {
        let [
            ttl,
            revalidate,
            error,
            negative,
            idle,
            jitter,
            early_refresh,
        ] = words;
        Self {
            ttl: Duration::from_nanos(ttl),
            stale_while_revalidate: Duration::from_nanos(revalidate),
            stale_if_error: Duration::from_nanos(error),
            negative_ttl: negative.checked_sub(1).map(Duration::from_nanos),
            time_to_idle: idle.checked_sub(1).map(Duration::from_nanos),
            jitter: f64::from_bits(jitter),
            early_refresh: f64::from_bits(early_refresh),
        }
    }
}

impl Default for Freshness {
    /// 300 s, the TTL of a class that nobody configured.
    fn default() -> Self {
        Self::ttl(DEFAULT_TTL)
    }
}
