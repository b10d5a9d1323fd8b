//! Errors, and the reasons why a value is not stored.

use std::{error::Error, fmt, sync::Arc};

/// The error of a failed fill, shared by all who waited for it.
pub type FillError = Arc<dyn Error + Send + Sync>;

/// Why a cache could not be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Neither `max_entries` nor `max_weight` was called.
    #[error("the cache has no bound: call max_entries or max_weight")]
    Unbounded,
    /// The bound is zero, so that nothing could be stored. To switch caching off, do not
    /// call the cache.
    #[error("the bound of the cache is zero, so nothing could be stored: use a larger bound")]
    ZeroCapacity,
    /// The number of shards is outside 1..=65536.
    #[error("the number of shards must be from 1 to 65536, not {shards}")]
    Shards {
        /// The number that was asked for.
        shards: usize,
    },
}

/// Why a TTL class could not be defined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClassError {
    /// All 255 classes are taken.
    #[error("cannot define class {name:?}: all 255 classes are in use")]
    TooMany {
        /// The name of the class.
        name: String,
    },
}

/// Why a ratio cannot be part of a [`Freshness`](crate::Freshness).
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FreshnessError {
    /// The jitter is not between 0 and 1.
    #[error("jitter must be a fraction of the TTL from 0 to 1, not {jitter}")]
    Jitter {
        /// What was given.
        jitter: f64,
    },
    /// The factor of early refresh is negative or not finite.
    #[error("early refresh must be a finite number of at least 0, not {beta}")]
    EarlyRefresh {
        /// What was given.
        beta: f64,
    },
}

/// Why a value was not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// An invalidation that reaches this entry was made after the permit was issued, so
    /// the value may have been read before the record changed.
    Invalidated,
    /// A newer value was stored under the key while the fill was in flight.
    Superseded,
    /// The entry alone is heavier than the bound of the cache, or than `u32::MAX`.
    TooLarge,
    /// The entry has more than [`MAX_TAGS`](crate::MAX_TAGS) different tags.
    TooManyTags,
    /// The value is negative, and its class has no negative TTL.
    NoNegatives,
    /// The value is [`Fill::shared`](crate::Fill::shared), which is never stored.
    Shared,
}

/// An inserted value that was not stored, and why. The entry that it would have replaced
/// is removed all the same, because it is outdated, unless the value was only
/// [shared](Refusal::Shared).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejected<V> {
    /// The value that was not stored.
    pub value: V,
    /// Why it was not stored.
    pub reason: Refusal,
}

impl<V> fmt::Debug for Rejected<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected")
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl<V> fmt::Display for Rejected<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not stored: {}", self.reason)
    }
}

impl<V> Error for Rejected<V> {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalidated => "invalidated while the fill was in flight",
            Self::Superseded => "a newer value was stored while the fill was in flight",
            Self::TooLarge => "the entry alone exceeds the bound of the cache",
            Self::TooManyTags => "the entry has too many tags",
            Self::NoNegatives => "its class does not store negative entries",
            Self::Shared => "shared with the waiting requests only",
        })
    }
}

impl Error for Refusal {}
