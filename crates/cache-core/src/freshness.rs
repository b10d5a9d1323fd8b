//! The freshness policy of a TTL class.

use std::time::Duration;

use crate::{clock::nanos, error::FreshnessError};

/// The number of words of an encoded policy.
pub(crate) const WORDS: usize = 7;

/// The TTL of a class without a policy: 300 s.
const DEFAULT_TTL: Duration = Duration::from_secs(300);

/// The freshness policy of a TTL class: how long its entries are fresh, and whether they
/// may be served afterwards.
///
/// By default everything except the TTL is off: an entry is fresh for
/// [`ttl`](Self::ttl), then expired. All spans except the time to idle begin when the
/// entry is written; reads do not extend them. Spans of more than 584 years count as 584
/// years.
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
    /// An entry is fresh while its age is at most this, to the nanosecond. With zero it
    /// is fresh only at the moment of writing.
    pub ttl: Duration,
    /// How long after its TTL an entry is served while one reader refreshes it. Zero by
    /// default.
    pub stale_while_revalidate: Duration,
    /// How long after its TTL an entry is served if a fill of its key fails. Zero by
    /// default.
    pub stale_if_error: Duration,
    /// The TTL of negative entries, which say that something does not exist. Neither
    /// window applies to them. With `None`, the default, the class stores no negative
    /// entries.
    pub negative_ttl: Option<Duration>,
    /// An entry that is not read for longer than this is expired, even within its TTL and
    /// windows. With `None`, the default, reads do not matter.
    pub time_to_idle: Option<Duration>,
    jitter: f64,
    early_refresh: f64,
}

/// Neither ratio can be NaN.
impl Eq for Freshness {}

impl Freshness {
    /// A policy under which entries are fresh for `ttl`, then expired.
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

    /// Sets [`stale_while_revalidate`](Self::stale_while_revalidate).
    #[must_use]
    pub const fn with_stale_while_revalidate(mut self, window: Duration) -> Self {
        self.stale_while_revalidate = window;
        self
    }

    /// Sets [`stale_if_error`](Self::stale_if_error).
    #[must_use]
    pub const fn with_stale_if_error(mut self, window: Duration) -> Self {
        self.stale_if_error = window;
        self
    }

    /// Lets the class store negative entries, which are fresh for `ttl`.
    #[must_use]
    pub const fn with_negative_ttl(mut self, ttl: Duration) -> Self {
        self.negative_ttl = Some(ttl);
        self
    }

    /// Expires entries that are not read for longer than `span`. All hits count as reads,
    /// also stale and negative ones; [`peek`](crate::Cache::peek) and
    /// [`iter`](crate::Cache::iter) do not.
    ///
    /// A hit of such a class records its time and takes the slower path of a stale hit:
    /// some tens of nanoseconds more. Counting the live entries walks all entries of the
    /// class.
    #[must_use]
    pub const fn with_time_to_idle(mut self, span: Duration) -> Self {
        self.time_to_idle = Some(span);
        self
    }

    /// Sets the jitter: the largest part of its TTL by which an entry's TTL is shortened,
    /// from 0 (off) to 1. The part of an entry follows from the hash of its key, so it is
    /// the same for each reader. Jitter never extends a TTL.
    ///
    /// # Errors
    /// [`FreshnessError::Jitter`] if `jitter` is not between 0 and 1.
    pub const fn with_jitter(mut self, jitter: f64) -> Result<Self, FreshnessError> {
        if !(jitter >= 0.0 && jitter <= 1.0) {
            return Err(FreshnessError::Jitter { jitter });
        }
        self.jitter = jitter;
        Ok(self)
    }

    /// Sets the β of probabilistic early refresh, XFetch (Vattani, Chierichetti,
    /// Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015). 0, the
    /// default, is off; 1 is the optimum of the paper; larger values refresh earlier. The
    /// longer the last fill took, the earlier the refresh. Inserted entries are never
    /// refreshed early.
    ///
    /// # Errors
    /// [`FreshnessError::EarlyRefresh`] if `beta` is negative or not finite.
    pub const fn with_early_refresh(mut self, beta: f64) -> Result<Self, FreshnessError> {
        if !(beta >= 0.0 && beta <= f64::MAX) {
            return Err(FreshnessError::EarlyRefresh { beta });
        }
        self.early_refresh = beta;
        Ok(self)
    }

    /// The largest part of its TTL by which an entry's TTL is shortened.
    #[must_use]
    pub const fn jitter(&self) -> f64 {
        self.jitter
    }

    /// The β of early refresh; 0 if it is off.
    #[must_use]
    pub const fn early_refresh(&self) -> f64 {
        self.early_refresh
    }

    /// Encodes the policy as words for a [`SeqLock`](crate::seqlock::SeqLock).
    pub(crate) fn to_words(self) -> [u64; WORDS] {
        [
            nanos(self.ttl),
            nanos(self.stale_while_revalidate),
            nanos(self.stale_if_error),
            // Zero encodes `None`.
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
    /// A TTL of 300 s, which a class has until its policy is set.
    fn default() -> Self {
        Self::ttl(DEFAULT_TTL)
    }
}
