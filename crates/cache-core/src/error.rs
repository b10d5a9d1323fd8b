//! What can go wrong, and why a value was not kept.

use std::fmt;

/// Why a cache could not be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Neither a number of entries nor a weight bounds the cache.
    #[error("the cache has no bound: call max_entries or max_weight")]
    Unbounded,
    /// The bound is zero, so that nothing could ever be stored. To switch
    /// caching off, do not ask the cache.
    #[error("the bound of the cache is zero, so that nothing could be stored")]
    ZeroCapacity,
    /// The number of shards lies outside 1..=65536.
    #[error("{shards} shards were asked for; 1 to 65536 are possible")]
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
    #[error("class {name:?} cannot be defined: all 255 classes are taken")]
    TooMany {
        /// The name that found no place.
        name: String,
    },
}

/// Why a value was not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// An invalidation that reaches this entry came after the permit was
    /// issued: the value may have been read before what was invalidated.
    Invalidated,
    /// A newer value was stored under the key while the fill was under way.
    Superseded,
    /// The entry alone is heavier than the bound of the cache (or than
    /// `u32::MAX`, the heaviest that an entry can be).
    TooLarge,
    /// More than [`MAX_TAGS`](crate::MAX_TAGS) different tags were given.
    TooManyTags,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalidated => "invalidated while the fill was under way",
            Self::Superseded => "a newer value was stored while the fill was under way",
            Self::TooLarge => "the entry alone is heavier than the bound of the cache",
            Self::TooManyTags => "the entry carries too many tags",
        })
    }
}
